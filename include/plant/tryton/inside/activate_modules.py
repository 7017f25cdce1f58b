"""Turns an empty PostgreSQL database into a Tryton company: modules first, then the plant's master data.

Runs with the Python of Tryton's own environment: `python make_database.py <kind> <database> <trytond.cfg>`; the master
data (include/plant/seed.yaml) come as JSON on standard input. One process does it all: loading Tryton takes seconds.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import tempfile
from typing import Any

MODULES = {
    "erp": ["sale_supply_production", "sale_amendment"],
    "wms": ["stock"],
}
_EMAIL = "administrator@plant.example"


def activate(database: str, config_file: str, modules: list[str]) -> None:
    """Make Tryton's tables and activate the modules with everything they need, as `trytond-admin` does."""
    # these choose their database driver by the configuration, so not before it is read
    from trytond import admin, commandline
    from trytond.pool import Pool

    words = ["-c", config_file, "-d", database, "--all", "-u", *modules, "--activate-dependencies", "--email", _EMAIL]
    Pool.start()
    with tempfile.NamedTemporaryFile("w") as secret:
        secret.write(secrets.token_urlsafe(24))  # nobody needs to log in as administrator
        secret.flush()
        os.environ["TRYTONPASSFILE"] = secret.name
        admin.run(commandline.get_parser_admin().parse_args(words))


def main() -> None:
    """Make the database named on the command line."""
    kind, database, config_file = sys.argv[1:4]
    seed: dict[str, Any] = json.load(sys.stdin)
    from trytond import config

    config.update_etc(config_file)
    activate(database, config_file, MODULES[kind])
    import master_data  # type: ignore[import-not-found]  # beside this script

    master_data.fill(database, config_file, seed)


if __name__ == "__main__":
    main()
