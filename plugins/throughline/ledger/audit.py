"""The audit: who did what to which document, only ever appended, each line sealed with the one before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from throughline.ledger.entries import AuditEntry, AuditLine
from throughline.ledger.exact_json import dumps, hash_of
from throughline.ledger.session import Session, as_rows, batches

_CHAIN = 7_206_002
"""The advisory lock of the chain's end: one transaction at a time adds to it, just before it commits."""
_START = "0" * 64


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

    def head(self) -> tuple[int, str]:
        """The number and seal of the last line: kept elsewhere, it shows later that nothing was cut off."""
        found = self._session.rows(_HEAD)
        return (found[0][0], found[0][1]) if found else (0, _START)

    def broken_at(self, head: tuple[int, str] | None = None) -> int | None:
        """The first line that was changed, dropped or put elsewhere; None when all (up to `head`) is as it was."""
        seq, seal, witness = 0, _START, head is None or head == (0, _START)
        with self._session.connection.cursor("audit_chain") as lines:
            lines.execute(_ALL)
            for found, at, actor, action, subject, process_id, details, prev_hash, own in lines:
                seq += 1
                expected = _seal(seal, seq, at, actor, action, subject, process_id, details)
                if (found, prev_hash, own) != (seq, seal, expected):
                    return seq
                seal = own
                witness = witness or (seq, seal) == head
        return None if witness else seq + 1


def write_audit(session: Session) -> None:
    """Append what this transaction noted to the chain; the last thing before its commit."""
    if not session.audited:
        return
    session.run("select pg_advisory_xact_lock(%s)", _CHAIN)
    seq, seal = Audit(session).head()
    rows: list[dict[str, Any]] = []
    for entry in session.audited:
        seq, before, details = seq + 1, seal, dumps(entry.details)
        seal = _seal(before, seq, session.now, entry.actor, entry.action, entry.subject, entry.process_id, details)
        rows.append({
            "seq": seq, "actor": entry.actor, "action": entry.action, "subject": entry.subject,
            "process_id": entry.process_id, "details": details, "prev_hash": before, "hash": seal,
        })  # fmt: skip
    session.audited = []
    for portion in batches(rows):
        session.run(_APPEND, session.now, as_rows(portion))


def _seal(before: str, seq: int, at: datetime, *content: Any) -> str:
    return hash_of(dumps([before, seq, at.astimezone(UTC).isoformat(), *content]))


_HEAD = "select seq, hash from audit order by seq desc limit 1"

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

_ALL = """
select seq, at, actor, action, subject, process_id, details::text, prev_hash, hash from audit order by seq
"""
