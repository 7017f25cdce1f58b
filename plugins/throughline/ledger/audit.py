"""The audit: who did what to which document, only ever appended, each line sealed with the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from psycopg.rows import class_row

from throughline.ledger.audit_chain import Inspection, SealedLine, Witness, but_not_behind, inspect, seal_of
from throughline.ledger.entries import AuditEntry, AuditLine
from throughline.ledger.exact_json import dumps
from throughline.ledger.session import BATCH, Session, as_rows, batches

_CHAIN = 7_206_002
"""The advisory lock of the chain's end: one transaction at a time adds to it, just before it commits."""
_OWN_NOTE = "the ledger's own note of the last line"


class Audit:
    """A chain of entries nobody can change, drop or reorder unnoticed."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def append(self, entries: Iterable[AuditEntry]) -> None:
        """Note these; they are written when the transaction commits, all or none."""
        self._session.audited += entries

    def lines(
        self, *, subject: str | None = None, process_id: int | None = None, after: int = 0, limit: int = 500
    ) -> list[AuditLine]:
        """What was noted (about one document, or one process), oldest first."""
        return self._session.entries(
            AuditLine, _LINES, after, subject, subject, process_id, process_id, limit
        )  # fmt: skip

    def line(self, seq: int) -> AuditLine | None:
        """One line by its number; None when there is none of that number."""
        found = self._session.entries(AuditLine, _LINE, seq)
        return found[0] if found else None

    def head(self) -> tuple[int, str]:
        """The number and seal of the last line ever written: kept elsewhere, it shows that nothing was cut off."""
        seq, seal = self._session.rows(_HEAD)[0]
        return seq, seal

    def inspect(self, witnesses: Sequence[Witness] = (), tell: Callable[[int], None] = lambda _: None) -> Inspection:
        """Read every line, however many, and say which is the first that is not as it was written.

        Others may go on writing: what the ledger noted before must be there, and nothing it has not noted afterwards.
        """
        [(end, seal)] = self._session.rows(_OWN_END)
        with self._session.connection.cursor("audit_chain", row_factory=class_row(SealedLine)) as rows:
            rows.itersize = BATCH
            found = inspect(rows.execute(_ALL), (*witnesses, Witness(end, seal, _OWN_NOTE)), tell)
        return but_not_behind(found, self._session.value(_OWN_END), _OWN_NOTE)

    def broken_at(self, head: tuple[int, str] | None = None) -> int | None:
        """The first line that is not as it was written; None when all (up to `head` at least) are."""
        finding = self.inspect([Witness(*head, who="the head")] if head else []).finding
        return finding.line if finding else None


def write_audit(session: Session) -> None:
    """Append what this transaction noted to the chain; the last thing before its commit."""
    if not session.audited:
        return
    session.run("select pg_advisory_xact_lock(%s)", _CHAIN)
    seq, seal = Audit(session).head()
    rows: list[dict[str, Any]] = []
    for entry in session.audited:
        seq, before, details = seq + 1, seal, dumps(entry.details)
        seal = seal_of(before, seq, session.now, entry.actor, entry.action, entry.subject, entry.process_id, details)
        rows.append({
            "seq": seq, "actor": entry.actor, "action": entry.action, "subject": entry.subject,
            "process_id": entry.process_id, "details": details, "prev_hash": before, "hash": seal,
        })  # fmt: skip
    session.audited = []
    for portion in batches(rows):
        session.run(_APPEND, session.now, as_rows(portion))


_OWN_END = "select seq, hash from audit_end"

# Whichever is further: after lines were cut off the numbers go on from the note, so that the gap stays to be seen;
# after a line was put in behind the note's back the hub goes on after it, and is not stopped by a taken number.
_HEAD = """
select seq, hash from (
    select seq, hash, 1 as rank from audit_end
    union all (select seq, hash, 2 from audit order by seq desc limit 1)
) as ends order by seq desc, rank limit 1
"""

_APPEND = """
insert into audit (seq, at, actor, action, subject, process_id, details, prev_hash, hash)
select seq, %s, actor, action, subject, process_id, details::json, prev_hash, hash
from jsonb_to_recordset(%s::jsonb) as x(seq bigint, actor text, action text, subject text, process_id bigint,
    details text, prev_hash text, hash text)
order by seq
"""

_LINES = """
select * from audit
where seq > %s and (%s::text is null or subject = %s) and (%s::bigint is null or process_id = %s)
order by seq limit %s
"""

_LINE = "select * from audit where seq = %s"

_ALL = """
select seq, at, actor, action, subject, process_id, details::text as details, prev_hash, hash from audit order by seq
"""
