"""The environment every component of an instance starts with: Airflow's settings, the hub's, nothing left to chance."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from throughline.local_platform.airflow_settings import read_airflow_settings
from throughline.local_platform.settings import Settings

MARK = "THROUGHLINE_INSTANCE"
"""Every process of an instance carries this variable with the instance's name: `down` finds it by that."""


def component_environment(settings: Settings, outside: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the machine gives (without what would slow us or leak in) and what we set."""
    outside = os.environ if outside is None else outside
    unwanted = ("AIRFLOW", "PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONPATH")
    kept = {name: value for name, value in outside.items() if not name.startswith(unwanted)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {
        **kept,
        "PATH": path,
        "PYTHONPATH": str(settings.project),
        "PYTHONUNBUFFERED": "1",
        "SPT_NOENV": "1",  # Airflow's workers rename themselves: not over their environment, which holds our mark
        **hub_environment(settings),
        **airflow_environment(settings),
    }


def hub_environment(settings: Settings) -> dict[str, str]:
    """Where the hub finds itself: its project, its state, its ledger, its ports."""
    return {
        MARK: settings.instance,
        "THROUGHLINE_PROJECT": str(settings.project),
        "THROUGHLINE_STATE": str(settings.state),
        "THROUGHLINE_LEDGER_DSN": settings.ledger_dsn,
        **_ports(settings),
    }


def named_values(settings: Settings) -> dict[str, str]:
    """What `airflow_settings.yaml` may name: this instance's ports and the passwords of its systems."""
    named = ("audit_secret", "crm_secret", "erp_password", "ledger_password", "mes_secret", "wms_secret")
    ports = {f"THROUGHLINE_PORT_{name.upper()}": str(settings.port_towards(name)) for name in settings.ports}
    return {**ports, **{f"THROUGHLINE_{name.upper()}": settings.secrets[name] for name in named}}


def connection_variables(settings: Settings) -> dict[str, str]:
    """The connections as variables, for what runs outside Airflow: `AIRFLOW_CONN_WMS` and so on."""
    wanted = read_airflow_settings(settings.project / "airflow_settings.yaml", {**os.environ, **named_values(settings)})
    return {
        f"AIRFLOW_CONN_{values['conn_id'].upper()}": json.dumps(
            {name: value for name, value in values.items() if name != "conn_id"}
        )
        for values in wanted.connections
        if values["conn_id"] != "ledger"
    }


def _ports(settings: Settings) -> dict[str, str]:
    return {f"THROUGHLINE_PORT_{name.upper()}": str(port) for name, port in settings.ports.items()}


def airflow_environment(settings: Settings) -> dict[str, str]:
    """Airflow as this hub wants it; `docs/` and the design say why each value is what it is."""
    sections: dict[str, dict[str, object]] = {
        "API": {
            "BASE_URL": settings.ui,
            "EXPOSE_CONFIG": "False",
            "HOST": "127.0.0.1",
            "PORT": settings.ports["airflow"],
            "SECRET_KEY": settings.secrets["api_secret"],
            "WORKERS": 1,
        },
        "API_AUTH": {"JWT_SECRET": settings.secrets["jwt_secret"]},
        "CORE": {
            "AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
            "DAGS_ARE_PAUSED_AT_CREATION": "False",  # the scheduler starts only once the API is warm
            "DAGS_FOLDER": settings.project / "dags",
            "EXECUTION_API_SERVER_URL": f"{settings.ui}/execution/",
            "EXECUTOR": "LocalExecutor",
            "FERNET_KEY": settings.secrets["fernet_key"],
            "LOAD_EXAMPLES": "False",
            "PARALLELISM": 8,  # two cores carry some five tasks a second; more workers only wait
            "PLUGINS_FOLDER": settings.project / "plugins",
            "SENSITIVE_VAR_CONN_NAMES": "permanent_code,apptoken,app_token",  # masked wherever Airflow shows them
            "TEST_CONNECTION": "Enabled",
        },
        "DAG_PROCESSOR": {"MIN_FILE_PROCESS_INTERVAL": 30, "REFRESH_INTERVAL": 10},
        "DATABASE": {
            "LOAD_DEFAULT_CONNECTIONS": "False",
            "SQL_ALCHEMY_CONN": settings.dsn("airflow").replace("postgresql://", "postgresql+psycopg2://"),
        },
        "LOGGING": {"BASE_LOG_FOLDER": settings.logs / "tasks"},
        "SCHEDULER": {
            # What died with its supervising process, or with the scheduler, holds one of few sweeps: notice it soon.
            # The ledger keeps apart what Airflow then runs twice.
            "ORPHANED_TASKS_CHECK_INTERVAL": 30,
            "SCHEDULER_IDLE_SLEEP_TIME": 0.1,
            "TASK_INSTANCE_HEARTBEAT_TIMEOUT": 60,
        },
        "USAGE_DATA_COLLECTION": {"ENABLED": "False"},
        "WORKERS": {"EXECUTION_API_TIMEOUT": 60},  # the first call builds the API: five seconds are not enough
    }
    values = {
        f"AIRFLOW__{section}__{name}": str(value)
        for section, named in sections.items()
        for name, value in named.items()
    }
    return {"AIRFLOW_HOME": str(settings.state / "airflow"), **values}
