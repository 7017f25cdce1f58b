"""The plant of the stories: emulated CRM, MES and WMS, mail, the receiver and a real ERP, set up once a run."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.plant.emulators.assembly import assemble
from include.plant.emulators.clients import ControlDeskPeople, CrmPeople, MesPeople, WarehousePeople
from include.plant.emulators.settings import Settings
from include.plant.tryton.people import TrytonWarehousePeople
from tests.conftest import running_postgres
from tests.plant_fixtures import *  # noqa: F403
from tests.stories.living_plant import INCLUDE, ErpBooks, Hub, HubClock, Plant
from tests.stories.loopback import LossyRoad, mail_server, served
from throughline.connectors.contract import Connection
from throughline.connectors.inbound import Inbound
from throughline.connectors.registry import inbound_of
from throughline.ledger import Ledger, migrate
from throughline.local_platform.embedded_postgres import EmbeddedPostgres
from throughline.receiver.application import create_app
from throughline.receiver.doors import Door

SECRET = "the-plant-secret-for-stories"
LIMITS = {"rate": None, "answer_seconds": 10.0}
_ledgers = itertools.count(1)


class Building:
    """Puts up one plant after the other on the same PostgreSQL and the same ERP; everything ends with the run."""

    def __init__(self, postgres: EmbeddedPostgres, erp: Connection, books: ErpBooks, root: Path) -> None:
        self._postgres, self._erp, self._books, self._root = postgres, erp, books, root
        self._stack = ExitStack()

    def close(self) -> None:
        self._stack.close()

    def emulator(self, product: str, **settings: Any) -> tuple[str, Settings]:
        folder = self._folder(product)
        chosen = Settings(product, folder / "state.db", secret=SECRET, rate_calls=0, token_calls_per_minute=1000,
                          retry_first_seconds=0.1, **settings)  # fmt: skip
        return self._stack.enter_context(served(assemble(chosen))), chosen

    def plant(self, systems: Path, wms: Connection | None, warehouse: TrytonWarehousePeople | None) -> Plant:
        clock, name = HubClock(), f"story_ledger_{next(_ledgers)}"
        self._postgres.create_database(name)
        dsn = self._postgres.dsn(name)
        migrate(dsn)
        crm, crm_setting = self.emulator("fxiaoke")
        mes, mes_setting = self.emulator("black_lake")
        road = LossyRoad(self._erp.host)
        erp = self._stack.enter_context(served(road))
        mail, box = self._stack.enter_context(mail_server(self._folder("mail")))
        connections = {
            "crm": Connection("crm", crm, crm_setting.login, SECRET, {
                "permanent_code": crm_setting.permanent_code, "ea": crm_setting.ea, "user_id": "1000",
                "limits": LIMITS}),
            "mes": Connection("mes", mes, mes_setting.login, SECRET, {"limits": LIMITS}),
            "erp": Connection("erp", erp, self._erp.login, self._erp.password, {**self._erp.extra, "limits": LIMITS}),
            "mail": Connection("mail", mail, extra={"from_email": "华东机械 <orders@huadong.example>",
                                                    "disable_ssl": True, "disable_tls": True}),
        }  # fmt: skip
        inbound = ""
        if wms is None:
            wms, inbound, people = self._flux(dsn, clock)
        connections["wms"] = wms
        hub = Hub(dsn, systems, connections, clock)
        self._stack.callback(hub.ledger.close)
        return Plant(
            hub, CrmPeople(crm, secret=SECRET), ControlDeskPeople(crm), MesPeople(mes, secret=SECRET),
            ControlDeskPeople(mes), warehouse or people, self._books, road, box, inbound,
        )  # fmt: skip

    def _flux(self, dsn: str, clock: HubClock) -> tuple[Connection, str, WarehousePeople]:
        """The emulated warehouse and the hub's receiver, each knowing the other's address."""
        host, setting = self.emulator("flux")
        extra = {"apptoken": setting.apptoken, "customer_id": setting.customer_id, "limits": LIMITS,
                 "warehouse_id": setting.warehouse_id, "client_db": setting.client_db}  # fmt: skip
        wms = Connection("wms", host, setting.login, SECRET, extra)
        ledger = Ledger(dsn, clock=clock)
        self._stack.callback(ledger.close)
        flux: Inbound | None = inbound_of("flux")
        assert flux is not None
        app = create_app(ledger, {"wms": Door("wms", wms, flux)}, clock=lambda: datetime.now(UTC), seconds=5)
        setting.callback = f"{self._stack.enter_context(served(app))}/inbound/wms"
        return wms, setting.callback, WarehousePeople(host)

    def _folder(self, name: str) -> Path:
        folder = self._root / f"{name}-{len(list(self._root.iterdir()))}"
        folder.mkdir()
        return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server of the stories' own: their ERP fills with orders that the other tests' hubs know nothing of."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def building(
    postgres: EmbeddedPostgres, erp_connection: Connection, erp_person: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Building]:
    building = Building(postgres, erp_connection, ErpBooks(erp_person), tmp_path_factory.mktemp("plant"))
    yield building
    building.close()


@pytest.fixture(scope="session")
def flux_plant(building: Building) -> Plant:
    return building.plant(INCLUDE / "systems", None, None)


@pytest.fixture(scope="session")
def tryton_plant(
    building: Building, wms_connection: Connection, warehouse_people: TrytonWarehousePeople,
    tmp_path_factory: pytest.TempPathFactory,
) -> Plant:  # fmt: skip
    """The same landscape but for one file: the role `wms` is played by another product."""
    systems = tmp_path_factory.mktemp("landscape") / "systems"
    shutil.copytree(INCLUDE / "systems", systems)
    flux = (systems / "wms.yaml").read_text(encoding="utf-8")
    (systems / "wms.yaml").write_text(flux.replace("product: flux", "product: tryton_wms"), encoding="utf-8")
    return building.plant(systems, wms_connection, warehouse_people)
