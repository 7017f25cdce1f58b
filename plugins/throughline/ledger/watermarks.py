"""How far each system has been read, kept in the same transaction as what was read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from throughline.ledger.exact_json import dumps
from throughline.ledger.session import Session


class Watermarks:
    """The cursor of every (system, document)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, role: str, document: str) -> dict[str, Any] | None:
        """Where reading goes on; None when nothing was read yet."""
        found: dict[str, Any] | None = self._session.value(_GET, role, document)
        return found

    def set(self, role: str, document: str, cursor: Mapping[str, Any], *, run_id: str | None = None) -> None:
        """Move the cursor; commit it together with the records it covers."""
        self._session.run(_SET, role, document, dumps(cursor), run_id, self._session.now)

    def move(
        self, role: str, document: str, seen: Mapping[str, Any] | None, cursor: Mapping[str, Any], *,
        run_id: str | None = None,
    ) -> bool:  # fmt: skip
        """Move the cursor on from where this reading began; False when another reading has moved it meanwhile.

        Whoever gets False keeps nothing of that page: it may be older than what the other has kept.
        """
        if seen is None:
            moved = self._session.run(_BEGIN, role, document, dumps(cursor), run_id, self._session.now)
        else:
            moved = self._session.run(_MOVE, dumps(cursor), run_id, self._session.now, role, document, dumps(seen))
        return bool(moved)


_GET = "select cursor from watermarks where role = %s and document = %s"

_SET = """
insert into watermarks (role, document, cursor, run_id, set_at) values (%s, %s, %s::jsonb, %s, %s)
on conflict (role, document) do update
set cursor = excluded.cursor, run_id = excluded.run_id, set_at = excluded.set_at
"""

_BEGIN = """
insert into watermarks (role, document, cursor, run_id, set_at) values (%s, %s, %s::jsonb, %s, %s)
on conflict (role, document) do nothing
"""

_MOVE = """
update watermarks set cursor = %s::jsonb, run_id = %s, set_at = %s
where role = %s and document = %s and cursor = %s::jsonb
"""
