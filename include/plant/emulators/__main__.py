"""`python -m include.plant.emulators PRODUCT --port P --state FILE`: start one emulator."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvicorn

from include.plant.emulators.assembly import FACADES, assemble
from include.plant.emulators.settings import Settings


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and serve until told to stop."""
    told = _parser().parse_args(arguments)
    settings = Settings(told.product, told.state, told.login, told.secret, told.callback)
    settings.change(dict(option.split("=", 1) for option in told.option))
    told.state.parent.mkdir(parents=True, exist_ok=True)
    serve(assemble(settings), told.host, told.port)


def serve(app: Any, host: str, port: int) -> None:
    """Run the web server; keep-alive is long so that a pooled client never meets a door that just closed."""
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", access_log=False, proxy_headers=False, server_header=False,
        timeout_keep_alive=300, timeout_graceful_shutdown=1, backlog=2048,
    )  # fmt: skip
    uvicorn.Server(config).run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.plant.emulators", description=__doc__)
    parser.add_argument("product", choices=sorted([*FACADES, "flux"]))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (/_plant answers loopback only)")
    parser.add_argument("--state", type=Path, required=True, help="SQLite file with everything the system remembers")
    parser.add_argument("--login", default="", help="appId, appKey or appkey")
    parser.add_argument("--secret", default="", help="or the environment variable PLANT_SECRET, which `ps` never shows")
    parser.add_argument("--callback", default="", help="flux only: where receipts and shipments are told")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="any setting, see README")
    return parser


if __name__ == "__main__":
    main()
