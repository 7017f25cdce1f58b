"""One hook per connection type: it turns an Airflow connection into a connector, and tests it by logging in.

The work is the connector's; a hook only knows where its address and secret are kept. `get_conn` gives a connector to
use as an async context manager, `call` runs one coroutine over it from ordinary code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import BaseHook

from throughline.errors import ThroughlineError
from throughline.orchestration import connection_forms as forms
from throughline.orchestration import credentials

if TYPE_CHECKING:
    from throughline.connectors.contract import Connector
    from throughline.ledger import Ledger

T = TypeVar("T")


class SystemHook(BaseHook):  # type: ignore[misc]  # Airflow is not typed here
    """A connected system; the subclasses only say which product it is."""

    form: forms.Form
    conn_name_attr = "system_conn_id"
    default_conn_name = ""
    conn_type = ""
    hook_name = ""

    def __init__(self, system_conn_id: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.system_conn_id = system_conn_id or self.default_conn_name

    def __init_subclass__(cls, *, form: forms.Form, role: str) -> None:
        super().__init_subclass__()
        cls.form, cls.conn_type, cls.hook_name, cls.default_conn_name = form, form.connection_type, form.title, role

    def get_conn(self) -> Connector:
        """The connector of this connection, not yet opened: `async with hook.get_conn() as system`."""
        return self._connector(credentials.find(self.system_conn_id))

    async def aget_conn(self) -> Connector:
        """The same from inside a trigger."""
        return self._connector(await credentials.afind(self.system_conn_id))

    def call(self, work: Callable[[Connector], Awaitable[T]]) -> T:
        """Open the connector, do one thing with it, close it."""
        connector = self.get_conn()

        async def once() -> T:
            async with connector as system:
                return await work(system)

        return asyncio.run(once())

    def test_connection(self) -> tuple[bool, str]:
        """Log in for real and read one harmless thing (the button on the connection page)."""
        try:
            return True, self.call(lambda system: system.test())
        except (ThroughlineError, OSError) as error:
            return False, str(error)

    def _connector(self, connection: Any) -> Connector:
        from throughline.orchestration import composition  # heavy: only when something is really called

        name = self.system_conn_id if composition.plays_a_role(self.system_conn_id) else self.form.title
        address = credentials.credentials_of(connection, name)  # the test button's own connection has a random id
        connector: Connector = composition.connector_of(self.system_conn_id, self.form.product, address)
        return connector


class FxiaokeHook(SystemHook, form=forms.FXIAOKE, role="crm"):
    """Fxiaoke, the CRM."""


class TrytonHook(SystemHook, form=forms.TRYTON, role="erp"):
    """Tryton, as the ERP or as a warehouse system."""


class BlackLakeHook(SystemHook, form=forms.BLACK_LAKE, role="mes"):
    """Black Lake, the MES."""


class FluxHook(SystemHook, form=forms.FLUX, role="wms"):
    """FLUX, the WMS that also calls us."""


class SmtpHook(SystemHook, form=forms.SMTP, role="mail"):
    """Outgoing mail."""


class LedgerHook(BaseHook):  # type: ignore[misc]  # Airflow is not typed here
    """The hub's own database."""

    conn_name_attr = "ledger_conn_id"
    default_conn_name = credentials.LEDGER
    conn_type = forms.LEDGER.connection_type
    hook_name = forms.LEDGER.title

    def __init__(self, ledger_conn_id: str = default_conn_name, **options: Any) -> None:
        super().__init__(**options)
        self.ledger_conn_id = ledger_conn_id

    def get_conn(self) -> Ledger:
        """The ledger, ready for `with ledger.transaction() as books:`."""
        from throughline.orchestration import composition  # heavy: only when something is really called

        ledger: Ledger = composition.open_ledger(self.ledger_conn_id)
        return ledger

    def test_connection(self) -> tuple[bool, str]:
        """Open the database and see that the ledger's tables are there."""
        from throughline.orchestration import composition  # heavy: only when something is really called

        try:
            return True, composition.greet(self.get_conn())
        except Exception as error:  # noqa: BLE001 - whatever the database says is what the person must read
            return False, str(error)
