"""`python -m throughline.local_platform.ledger_setup`: bring the ledger's tables and the hub's user up to date.

On one machine the instance knows both. Elsewhere `THROUGHLINE_LEDGER_OWNER_DSN` is the ledger's address as its owner,
who makes tables, and `THROUGHLINE_LEDGER_DSN` the hub's; without the former the latter must be the owner's.
"""

from __future__ import annotations

import os

from psycopg.conninfo import conninfo_to_dict

from throughline.local_platform.settings import load_settings


def main() -> None:
    """Migrate the ledger as its owner and admit the hub."""
    from throughline.ledger import admit_hub, migrate

    settings = load_settings()
    hub = settings.ledger_dsn if settings else os.environ["THROUGHLINE_LEDGER_DSN"]
    owner = settings.dsn("ledger") if settings else os.environ.get("THROUGHLINE_LEDGER_OWNER_DSN", hub)
    migrate(owner)
    if hub != owner:
        login = conninfo_to_dict(hub)
        admit_hub(owner, str(login["user"]), str(login["password"]))


if __name__ == "__main__":
    main()
