"""A real ERP for the plant in a box: Tryton 8.2 on PostgreSQL, and a second database of it playing the warehouse.

Tryton lives in a virtual environment of its own (`<home>/venv`); the hub and Tryton share nothing but HTTP.

On the command line (from the project root, with the hub's Python)::

    python -m include.plant.tryton prepare --postgres-url postgresql://postgres@127.0.0.1:PORT --home .plant \
        [--databases erp[,wms]] [--port 8088] [--hub-password …] [--renew]
    python -m include.plant.tryton command --home .plant [--databases erp[,wms]]     # prints what a supervisor runs

`prepare` may be called at every start: when everything is there it takes under a second. Without `--hub-password`
it uses the environment variable THROUGHLINE_PLANT_PASSWORD.

In Python::

    from include.plant.tryton import TrytonServer

    erp = TrytonServer(home=Path(".plant"), postgres_url="postgresql://postgres@127.0.0.1:5432", port=8088,
                       databases=("erp",))          # or ("erp", "wms") when Tryton plays the warehouse too
    erp.prepare(hub_password=password) # environment, databases, master data, user `hub`; <home>/tryton/trytond.cfg
    erp.command()                       # -> list[str]: the foreground command, absolute paths, no shell needed
    erp.environment()                   # -> dict[str, str]: variables the command wants besides the usual ones
    erp.ready()                         # -> bool: it answers for all its databases (asks over HTTP)
    erp.address                         # -> "http://127.0.0.1:8088"
    erp.start()                         # -> subprocess.Popen, for tests; a supervisor uses `command()` instead

    # Airflow connections: host=erp.address, login="hub", password=…, extra={"database": "erp"} (or "wms")

PostgreSQL must answer before `prepare`; the server needs nothing else. `<home>/cache` holds dumps of the databases
as set up: keep it and a wiped PostgreSQL is refilled in seconds, delete it and they are made anew (about a minute).
"""

from include.plant.tryton.server import TrytonServer

__all__ = ["TrytonServer"]
