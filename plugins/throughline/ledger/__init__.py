"""The hub's memory: the only room that speaks SQL.

    ledger = Ledger(dsn, clock=...)
    with ledger.transaction() as books:
        books.records, .identities, .watermarks, .inbox, .processes, .steps, .deliveries, .parked, .audit, .breakers

Everything takes and gives whole sets. One `with` is one transaction; the rows inside share one moment (`books.now`).
"""

from throughline.ledger.books import Books, Ledger
from throughline.ledger.exact_json import content_hash
from throughline.ledger.listening import heard
from throughline.ledger.roles import admit_hub
from throughline.ledger.schema import migrate
from throughline.ledger.session import CHANNEL

__all__ = ["CHANNEL", "Books", "Ledger", "admit_hub", "content_hash", "heard", "migrate"]
