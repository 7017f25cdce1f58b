"""`python -m include.plant.tds --port 1433 --dsn …`; who may come in: `--login`, the password in PLANT_SECRET."""

from __future__ import annotations

import argparse
import asyncio
import os

import psycopg

from include.plant.tds.server import U8, lay, serve
from include.plant.tds.session import Door


def main() -> None:
    """Lay the tables once, then serve."""
    asked = argparse.ArgumentParser(description="A U8 account set on a SQL Server that is none")
    asked.add_argument("--port", type=int, default=1433)
    asked.add_argument("--dsn", required=True, help="an empty PostgreSQL database, or one laid before")
    asked.add_argument("--name", default="UFDATA_001_2026")
    asked.add_argument("--login", default="hub")
    told = asked.parse_args()
    with psycopg.connect(told.dsn) as store:
        (laid,) = store.execute("select to_regclass('sys.databases') is not null").fetchone() or (False,)
    if not laid:
        lay(told.dsn, told.name, U8)
    asyncio.run(serve(Door({told.login: os.environ["PLANT_SECRET"]}, {told.name: told.dsn}), told.port))


if __name__ == "__main__":
    main()
