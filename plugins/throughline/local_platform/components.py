"""What runs on this machine: each component's command, what it waits for, and how it shows that it is ready."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from throughline.local_platform.embedded_postgres import EmbeddedPostgres
from throughline.local_platform.environment import MARK, connection_variables
from throughline.local_platform.plant import day_file, tryton_server
from throughline.local_platform.ports import BAD_LINES, line_before
from throughline.local_platform.readiness import Check, airflow_health, answers, listens
from throughline.local_platform.settings import Settings
from throughline.local_platform.unprivileged import reachable_directory

Command = tuple[str, ...]


@dataclass(frozen=True)
class Component:
    """One process the supervisor keeps alive.

    `needs` names the components and preparations that must be done before it starts; `port` is what it listens on;
    `environment` gives what only this component may know.
    """

    name: str
    title: str
    command: Command
    needs: tuple[str, ...]
    ready: Check
    port: int | None = None
    within: float = 60.0
    user: str | None = None
    stop_signal: str = "TERM"
    stop_seconds: int = 10
    stop_group: bool = True
    environment: Callable[[], Mapping[str, str]] = dict


def postgres(settings: Settings) -> EmbeddedPostgres:
    """The one database server of the instance."""
    home = reachable_directory(settings.state / "postgres", settings.instance)
    return EmbeddedPostgres(home, settings.ports["postgres"], password=settings.secrets["postgres_password"])


def components(settings: Settings) -> tuple[Component, ...]:
    """Everything that runs, in the order a person would name it."""
    lines = (_bad_lines(settings),) if settings.faulty else ()
    return (_postgres(settings), *_plant(settings), *lines, *_hub(settings), *_airflow(settings), _day(settings))


def _python(module: str, *arguments: str) -> Command:
    return (sys.executable, "-m", module, *arguments)


def _postgres(settings: Settings) -> Component:
    server = postgres(settings)
    # It needs none of our secrets, and as `nobody` it should not be given them.
    bare = ("/usr/bin/env", "-i", f"{MARK}={settings.instance}", f"PATH={os.defpath}", "LC_ALL=C.UTF-8")
    return Component(
        "postgres", "PostgreSQL", (*bare, *server.command()), ("cluster",), server.ready, settings.ports["postgres"],
        user="nobody" if getpass.getuser() == "root" else None, stop_signal="INT", stop_seconds=20, stop_group=False,
    )  # fmt: skip


def _plant(settings: Settings) -> tuple[Component, ...]:
    erp = tryton_server(settings)
    return (
        Component(
            "tryton", "Tryton (ERP)", tuple(erp.command()), ("tryton_database",), erp.ready,
            settings.ports["tryton"], environment=erp.environment,
        ),
        _emulator(settings, "crm", "Fxiaoke (CRM)", "fxiaoke"),
        _emulator(settings, "mes", "Black Lake (MES)", "black_lake"),
        _emulator(settings, "wms", "FLUX (WMS)", "flux", "--callback", _inbound(settings, "wms")),
        Component(
            "smtp", "Mail server (keeps mails as files)",
            _python("throughline.local_platform.mail_sink", str(settings.ports["smtp"]), str(settings.mail)),
            (), listens(settings.ports["smtp"]), settings.ports["smtp"],
        ),
    )  # fmt: skip


def _bad_lines(settings: Settings) -> Component:
    """The fault proxy, with what no contract covers left out: see `docs/guides/operating.md`."""
    ports = settings.ports
    command = [str(Path(sys.executable).parent / "throughline"), "proxy", "--seed", str(settings.faulty),
               "--control", str(ports["proxy"]), "--hold", "8", "--raw", str(ports[line_before("smtp")])]  # fmt: skip
    for name in BAD_LINES:
        target = f"127.0.0.1:{ports[name]}"
        command += ["--listen", str(ports[line_before(name)]), "--to", target, "--name", name]
    for rates in _BAD_LINE_RATES:
        command += ["--faults", rates]
    return Component("proxy", "Bad lines (fault proxy)", tuple(command), (), listens(ports["proxy"]), ports["proxy"])


_BAD_LINE_RATES = (
    "all=0.004",
    "tryton:all=0.001",  # a receipt takes some fifteen calls: more, and its breaker stays open for minutes
    "tryton:duplicate=0",  # a sale has no number of ours the ERP would refuse to take twice (T3)
    "wms:unauthorized=0",  # it knows no tokens: a person would have to mend the key
    "smtp:drop_request=0,drop_answer=0,cut_request=0",  # nobody but a person can settle whether a letter arrived (T4)
)


def _inbound(settings: Settings, role: str) -> str:
    return f"http://127.0.0.1:{settings.port_towards('receiver')}/inbound/{role}"


def _emulator(settings: Settings, role: str, title: str, product: str, *arguments: str) -> Component:
    port = settings.ports[role]
    state = settings.state / "plant" / f"{product}.sqlite"
    command = _python("include.plant.emulators", product, "--port", str(port), "--state", str(state), *arguments)
    secret = settings.secrets[f"{role}_secret"]
    return Component(
        role, title, command, (), listens(port), port, environment=lambda: {"PLANT_SECRET": secret}
    )  # fmt: skip


def _hub(settings: Settings) -> tuple[Component, ...]:
    port = settings.ports["receiver"]
    command = _python("throughline.receiver", "--port", str(port))
    return (
        Component(
            "receiver", "Receiver (the hub's door)", command, ("ledger",), listens(port), port,
            environment=lambda: connection_variables(settings),
        ),
    )  # fmt: skip


def _airflow(settings: Settings) -> tuple[Component, ...]:
    def healthy(part: str) -> Check:
        return lambda: airflow_health(settings.ui).get(part) == "healthy"

    def component(name: str, title: str, needs: tuple[str, ...], ready: Check, *arguments: str) -> Component:
        command = (*_python("airflow"), name, *arguments)
        port = settings.ports["airflow"] if name == "api-server" else None
        patience = 5 if name == "api-server" else 20  # it keeps no state, and would wait for every open page
        return Component(name, title, command, needs, ready, port, within=180, stop_seconds=patience, stop_group=False)

    page = answers(f"{settings.ui}/api/v2/version", within=10)
    prepared = ("airflow_database", "ledger")
    return (
        component("api-server", "Airflow API and pages", ("airflow_database",), page),
        component("dag-processor", "Airflow DAG processor", prepared, healthy("dag_processor")),
        component("triggerer", "Airflow triggerer", prepared, healthy("triggerer"), "--skip-serve-logs"),
        component("scheduler", "Airflow scheduler", ("warm", *prepared), healthy("scheduler"), "--skip-serve-logs"),
    )


def _day(settings: Settings) -> Component:
    command = _python("include.plant.day", "--config", str(day_file(settings)), "--speed", str(settings.speed))
    return Component("day", "Day in the plant", command, ("mes", "wms", "day_file"), lambda: True)
