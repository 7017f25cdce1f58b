"""`python -m throughline.local_platform.ledger_setup`: bring the ledger's tables up to date."""

from __future__ import annotations

import os


def main() -> None:
    """Migrate the ledger this instance's environment names."""
    from throughline.ledger import migrate

    migrate(os.environ["THROUGHLINE_LEDGER_DSN"])


if __name__ == "__main__":
    main()
