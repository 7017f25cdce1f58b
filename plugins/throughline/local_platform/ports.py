"""Which loopback port each component listens on, and a clear word when somebody else has it."""

from __future__ import annotations

import socket
from collections.abc import Mapping

import psutil

from throughline.errors import Misconfigured

BASE = 28080
NAMES = ("airflow", "receiver", "postgres", "tryton", "crm", "mes", "wms", "smtp")
"""In this order from the base: Airflow's own page is the base itself."""
BAD_LINES = ("tryton", "crm", "mes", "wms", "smtp", "receiver")
"""Before each of these the fault proxy listens when the platform is started with `--faulty`."""
_LINES_FROM = 20
"""So far above the base their ports begin."""


def line_before(name: str) -> str:
    """What the port of the bad line before a component is called."""
    return f"{name}_line"


def choose_ports(
    environment: Mapping[str, str], kept: Mapping[str, int], base: int | None = None, *, faulty: bool = False
) -> dict[str, int]:
    """One port per component: a single setting first, then a chosen base, then what was used before, then the default.

    Args:
        environment: where `THROUGHLINE_PORT_BASE` and `THROUGHLINE_PORT_<NAME>` may be set.
        kept: the ports this instance used the last time.
        base: a base given on the command line; the components take the ports from there on.
        faulty: whether the fault proxy and its lines need ports too.
    """
    if base is None and environment.get("THROUGHLINE_PORT_BASE"):
        base = _number("THROUGHLINE_PORT_BASE", environment["THROUGHLINE_PORT_BASE"])
    ports = {}
    for offset, name in _offsets(faulty=faulty):
        setting = f"THROUGHLINE_PORT_{name.upper()}"
        if environment.get(setting):
            ports[name] = _number(setting, environment[setting])
        elif base is not None:
            ports[name] = _number("port base", str(base + offset))
        else:
            ports[name] = kept.get(name, BASE + offset)
    _refuse_twins(ports)
    return ports


def _offsets(*, faulty: bool) -> list[tuple[int, str]]:
    lines = [*map(line_before, BAD_LINES), "proxy"] if faulty else []
    return [*enumerate(NAMES), *enumerate(lines, _LINES_FROM)]


def _number(setting: str, value: str) -> int:
    if not value.isdecimal() or not 1024 <= int(value) <= 65535:
        raise Misconfigured(f"a port is a number from 1024 to 65535, not '{value}'", where=setting)
    return int(value)


def _refuse_twins(ports: Mapping[str, int]) -> None:
    seen: dict[int, str] = {}
    for name, port in ports.items():
        if port in seen:
            raise Misconfigured(f"port {port} is given to both {seen[port]} and {name}")
        seen[port] = name


def is_free(port: int) -> bool:
    """Whether nobody listens on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def refuse_taken(ports: Mapping[str, int]) -> None:
    """Raise a sentence that names the first taken port, its setting and, if it can be seen, who has it."""
    for name, port in ports.items():
        if not is_free(port):
            raise Misconfigured(
                f"port {port} for {name} is taken{_holder(port)}: stop that, or choose another with "
                f"THROUGHLINE_PORT_{name.upper()} or --port-base"
            )


def _holder(port: int) -> str:
    try:
        listening = [c for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port and c.pid]
        process = psutil.Process(listening[0].pid)
        return f" by process {process.pid} ({process.name()})"
    except (psutil.Error, IndexError, OSError):
        return ""
