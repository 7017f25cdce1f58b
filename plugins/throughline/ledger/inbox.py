"""Messages that systems push to us: kept once, as they came, before anybody reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from throughline.ledger.entries import Message
from throughline.ledger.exact_json import dumps
from throughline.ledger.session import Session, as_rows


class Inbox:
    """What was pushed to us, read or not."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def store(
        self, role: str, message_kind: str, message_id: str, headers: Mapping[str, str], body: bytes
    ) -> bool:  # fmt: skip
        """Keep a message; False when the same one (by system, kind and id) came before. Answer the sender after."""
        fresh = self._session.run(
            _STORE, role, message_kind, message_id, dumps(headers), body, self._session.now
        )  # fmt: skip
        if fresh:
            self._session.news.add("inbox")
        return bool(fresh)

    def unread(self, role: str | None = None, limit: int = 500) -> list[Message]:
        """Messages nobody read yet, oldest first; kept from other readers until this transaction ends."""
        return self._session.entries(Message, _UNREAD, role, role, limit)

    def has_unread(self, role: str | None = None) -> bool:
        """Whether any message waits to be read (cheap enough to ask all the time)."""
        return bool(self._session.value(_HAS_UNREAD, role, role))

    def read(self, message_rows: Iterable[int], *, problems: Mapping[int, str] | None = None) -> None:
        """These were read; `problems` says of some why nothing could be made of them."""
        told = problems or {}
        rows = as_rows({"id": row, "problem": told.get(row)} for row in message_rows)
        self._session.run(_READ, self._session.now, rows)


_STORE = """
insert into inbox (role, message_kind, message_id, headers, body, received_at)
values (%s, %s, %s, %s::jsonb, %s, %s) on conflict do nothing
"""

_UNREAD = """
select id as message_row, role, message_kind, message_id, headers, body, received_at from inbox
where read_at is null and (%s::text is null or role = %s) order by role, id limit %s for update skip locked
"""

_HAS_UNREAD = """
select true from inbox where read_at is null and (%s::text is null or role = %s) order by role, id limit 1
"""

_READ = """
update inbox set read_at = %s, problem = x.problem
from jsonb_to_recordset(%s::jsonb) as x(id bigint, problem text) where inbox.id = x.id
"""
