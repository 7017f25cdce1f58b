"""The emulated systems as processes of their own, for as long as a bench lasts."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from bench.scratch_postgres import free_port
from throughline.connectors.contract import Connection

SECRET = "bench-secret"  # noqa: S105 - of an emulator that lives for a minute
EXTRA = {
    "fxiaoke": ("FSAID_plant", {"permanent_code": "plant-permanent-code", "ea": "huadong", "user_id": "1000"}),
    "flux": (
        "plant-wms-key",
        {"apptoken": "plant-wms-token", "customer_id": "HDJX", "warehouse_id": "WH01", "client_db": "FLUXWMSJSON"},
    ),
}


@contextmanager
def emulated(product: str) -> Iterator[Connection]:
    """One emulator, started, and the connection to it (its own rate limits and the profile's are off)."""
    port = free_port()
    login, extra = EXTRA[product]
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        command = [sys.executable, "-m", "include.plant.emulators", product, "--port", str(port), "--secret", SECRET]
        command += [
            "--state",
            str(Path(folder) / "state.db"),
            "--option",
            "rate_calls=0",
            "--option",
            "token_calls_per_minute=0",
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(process.wait, 10)
        stack.callback(process.terminate)
        host = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                httpx.get(f"{host}/_plant/state?counts=1")
                break
            except httpx.ConnectError:
                time.sleep(0.05)
        yield Connection(product, host, login, SECRET, {**extra, "limits": {"rate": None}})
