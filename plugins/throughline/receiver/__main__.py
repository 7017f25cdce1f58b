"""`python -m throughline.receiver --port P`: open the door.

The ledger's address comes from THROUGHLINE_LEDGER_DSN, the systems from include/systems, and the connection of each
system that sends us something from AIRFLOW_CONN_<NAME>. The doors for people open when AIRFLOW_CONN_PEOPLE is set.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from throughline.connectors.landscape import Landscape
from throughline.errors import Misconfigured
from throughline.ledger import Ledger
from throughline.receiver.answers import AnswerDoors
from throughline.receiver.application import create_app
from throughline.receiver.doors import doors_of
from throughline.receiver.people_doors import people_door
from throughline.secrecy import MaskingFilter


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and serve until told to stop; 2 when something must be mended first."""
    told = _parser().parse_args(arguments)
    handler = logging.StreamHandler()
    handler.addFilter(MaskingFilter())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", handlers=[handler])
    try:
        app = assemble(os.environ, told.systems, told.people)
    except Misconfigured as wrong:
        sys.stderr.write(f"{wrong.message}\n")
        return 2
    uvicorn.run(app, host=told.host, port=told.port, log_config=None, access_log=False, server_header=False)
    return 0


def assemble(environment: Mapping[str, str], systems: Path, people: Path) -> Starlette:
    """The application for this environment."""
    dsn = environment.get("THROUGHLINE_LEDGER_DSN")
    if not dsn:
        raise Misconfigured("the address of the ledger is missing: set this variable", where="THROUGHLINE_LEDGER_DSN")
    doors = doors_of(Landscape.load(systems), environment)
    ledger, door = Ledger(dsn, clock=_now), people_door(environment, people, _now)
    return create_app(ledger, doors, clock=_now, people=AnswerDoors(ledger, door, _now) if door else None)


def _now() -> datetime:
    return datetime.now(UTC)


def _parser() -> argparse.ArgumentParser:
    project = Path(os.environ.get("THROUGHLINE_PROJECT") or Path(__file__).parents[3])
    include = Path(os.environ.get("THROUGHLINE_INCLUDE") or project / "include")
    parser = argparse.ArgumentParser(prog="python -m throughline.receiver", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--systems", type=Path, default=include / "systems", help="folder of the system files")
    parser.add_argument("--people", type=Path, default=include / "people", help="folder of the organisation's files")
    return parser


if __name__ == "__main__":
    sys.exit(main())
