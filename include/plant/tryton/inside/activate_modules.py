"""Turns an empty PostgreSQL database into an empty Tryton: its tables, and the modules the plant needs.

Runs with the Python of Tryton's own environment: `python activate_modules.py <kind> <database> <trytond.cfg>`.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile

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
    """Activate the modules in the database named on the command line."""
    kind, database, config_file = sys.argv[1:4]
    from trytond import config

    config.update_etc(config_file)
    activate(database, config_file, MODULES[kind])


if __name__ == "__main__":
    main()
