"""The ledger as the command line opens it: the one the environment names, or this machine's own instance."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from throughline.errors import Misconfigured, Transient

if TYPE_CHECKING:
    from throughline.ledger import Ledger


def ledger_dsn() -> str:
    """The ledger's address: `THROUGHLINE_LEDGER_DSN`, or the instance in the state directory."""
    from throughline.local_platform.settings import load_settings

    if chosen := os.environ.get("THROUGHLINE_LEDGER_DSN"):
        return chosen
    settings = load_settings()
    if settings is None:
        raise Misconfigured("nothing was ever started here: `throughline up` does, or set THROUGHLINE_LEDGER_DSN")
    return settings.ledger_dsn


def audit_secret() -> str | None:
    """What the audit's heads are signed with: `THROUGHLINE_AUDIT_SECRET`, or this machine's own, or nothing."""
    from throughline.ledger.audit_heads import SECRET
    from throughline.local_platform.settings import load_settings

    settings = load_settings()
    return os.environ.get(SECRET) or (settings.secrets.get("audit_secret") if settings else None)


def audit_folder() -> Path:
    """Where the audit's daily heads lie."""
    from throughline.ledger.audit_heads import heads_folder
    from throughline.local_platform.settings import state_directory

    return heads_folder(os.environ, state_directory())


@contextmanager
def open_ledger() -> Iterator[Ledger]:
    """The ledger for one command; a database that does not answer is one sentence."""
    from throughline.ledger import Ledger

    ledger = Ledger(ledger_dsn(), clock=lambda: datetime.now(UTC), connections=2)
    try:
        yield ledger
    except Transient as error:
        raise Transient("the ledger does not answer: is the platform up? `throughline status` says") from error
    finally:
        ledger.close()
