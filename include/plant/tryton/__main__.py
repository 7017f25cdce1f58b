"""`python -m include.plant.tryton prepare|command`: see the package's description."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from pathlib import Path

from include.plant.tryton import TrytonServer

_SECRET = "THROUGHLINE_PLANT_PASSWORD"  # noqa: S105 - the name of a variable


def main() -> int:
    """Prepare the plant's Tryton, or print the command that runs it."""
    options = _options()
    server = TrytonServer(
        home=options.home, postgres_url=options.postgres_url, port=options.port,
        databases=tuple(options.databases.split(",")),
    )  # fmt: skip
    if options.do == "command":
        sys.stdout.write(json.dumps({"command": server.command(), "environment": server.environment()}) + "\n")
        return 0
    password = options.hub_password or os.environ.get(_SECRET)
    if not password:
        sys.stderr.write(f"give --hub-password or set {_SECRET}\n")
        return 2
    begun = time.monotonic()
    took = server.prepare(hub_password=password, renew=options.renew)
    told = ", ".join(f"{name} {how}" for name, how in took.items())
    sys.stdout.write(f"Tryton is ready to start: {told} ({time.monotonic() - begun:.1f} s)\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m include.plant.tryton")
    parser.add_argument("do", choices=("prepare", "command"))
    parser.add_argument("--postgres-url", default="postgresql://postgres@127.0.0.1:5432")
    parser.add_argument("--home", type=Path, default=Path(".plant"))
    parser.add_argument("--databases", default="erp", help="erp, or erp,wms when Tryton plays the warehouse too")
    parser.add_argument("--port", type=int, default=8088)
    parser.add_argument("--hub-password")
    parser.add_argument("--renew", action="store_true", help="throw the databases away and set them up anew")
    return parser.parse_args()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main())
