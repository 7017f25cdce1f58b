"""`python -m throughline.local_platform.airflow_setup`: tables, the administrator, connections, pools, variables.

One process instead of many `airflow …` calls, each of which costs five seconds of processor; nothing is done again
when neither Airflow, nor the settings file, nor the secrets have changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from throughline.errors import Misconfigured, ThroughlineError
from throughline.local_platform.airflow_settings import AirflowSettings, read_airflow_settings
from throughline.local_platform.environment import named_values
from throughline.local_platform.settings import Settings, load_settings, write_private

ADMINISTRATOR = "admin"
_DONE = "airflow_setup.done"


def main() -> int:
    """Set Airflow up for the instance this environment names."""
    settings = load_settings()
    if settings is None:
        raise Misconfigured("there is no instance here: start it with `throughline up`", where="THROUGHLINE_STATE")
    wanted = read_airflow_settings(settings.project / "airflow_settings.yaml", {**os.environ, **named_values(settings)})
    done = settings.state / _DONE
    stamp = _stamp(settings, wanted)
    if done.exists() and done.read_text() == stamp:
        print("Nothing has changed.")
        return 0
    _migrate()
    _store(wanted)
    _make_administrator(settings.secrets["admin_password"])
    write_private(done, stamp)
    return 0


def _stamp(settings: Settings, wanted: AirflowSettings) -> str:
    packages = [version("apache-airflow"), version("apache-airflow-providers-fab")]
    told = (
        packages,
        wanted.connections,
        wanted.pools,
        wanted.variables,
        dict(settings.secrets),
        settings.dsn("airflow"),
    )
    return hashlib.sha256(json.dumps(told, default=str, sort_keys=True).encode()).hexdigest()


def _migrate() -> None:
    from airflow.utils.db import upgradedb
    from airflow.utils.db_manager import RunDBManager
    from airflow.utils.session import create_session

    upgradedb()
    with create_session() as session:
        RunDBManager().upgradedb(session)


def _store(wanted: AirflowSettings) -> None:
    from airflow.models import Connection, Pool, Variable
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        for values in wanted.connections:
            known = session.scalar(select(Connection).where(Connection.conn_id == values["conn_id"]))
            if known:
                session.delete(known)
                session.flush()
            session.add(Connection(**_arguments(values)))
        for pool in wanted.pools:
            Pool.create_or_update_pool(**pool, include_deferred=True, session=session)
        for name, value in wanted.variables.items():
            Variable.set(name, value, session=session)


def _arguments(values: Mapping[str, Any]) -> dict[str, Any]:
    extra = values.get("extra")
    return {**values, **({"extra": json.dumps(extra)} if isinstance(extra, dict) else {})}


def _make_administrator(password: str) -> None:
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        manager = builder.sm
        known = manager.find_user(ADMINISTRATOR)
        if known:
            manager.reset_password(known.id, password)
            return
        role = manager.find_role("Admin")
        if not manager.add_user(ADMINISTRATOR, "Throughline", "Administrator", "admin@plant.example", role, password):
            raise ThroughlineError("Airflow refused to make the administrator's login")


def _report() -> int:
    try:
        return main()
    except ThroughlineError as error:
        print(error.message, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(_report())
