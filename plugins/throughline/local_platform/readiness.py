"""How we know that a component can be used: it answers, not merely runs."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from throughline.errors import Transient

Check = Callable[[], bool]
_LOOK_EVERY = 1.0


def listens(port: int) -> Check:
    """Somebody accepts connections on this loopback port."""

    def check() -> bool:
        with socket.socket() as probe:
            probe.settimeout(2)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return check


def answers(url: str, *, within: float = 2.0) -> Check:
    """The page answers with success."""

    def check() -> bool:
        return fetch(url, within=within) is not None

    return check


def fetch(url: str, *, within: float = 2.0) -> Any | None:
    """The JSON (or text) a page of ours answers with; None when it does not."""
    try:
        with urllib.request.urlopen(url, timeout=within) as answer:  # noqa: S310 - our own loopback addresses
            body = answer.read().decode()
    except (urllib.error.URLError, OSError):
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body


def airflow_health(ui: str, *, within: float = 5.0) -> Mapping[str, str]:
    """What Airflow says of its own components: `scheduler` → `healthy`, and so on; empty when it does not answer."""
    told = fetch(f"{ui}/api/v2/monitor/health", within=within)
    if not isinstance(told, dict):
        return {}
    return {name: str((state or {}).get("status")) for name, state in told.items()}


def wait_until(check: Check, *, what: str, alive: Check, within: float, log: Path, pause: float = 0.25) -> None:
    """Ask again and again until it is so; give up when the component died for good or the time is over."""
    deadline, looked = time.monotonic() + within, 0.0
    while not check():
        now = time.monotonic()
        if now > deadline:
            raise Transient(f"{what} did not answer within {within:.0f} seconds: {last_words(log)}")
        if now - looked > _LOOK_EVERY:
            looked = now
            if not alive():
                raise Transient(f"{what} ends as soon as it is started: {last_words(log)}")
        time.sleep(pause)


def last_words(log: Path) -> str:
    """The last line a component wrote, and where to read the rest."""
    try:
        lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    return f"{lines[-1].strip()[:300]} (see {log})" if lines else f"it wrote nothing (see {log})"
