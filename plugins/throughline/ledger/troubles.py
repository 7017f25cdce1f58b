"""What a person must mend before work can go on in some place: noted while it lasts, gone when the work succeeds."""

from __future__ import annotations

from datetime import timedelta

from throughline.ledger.entries import Trouble
from throughline.ledger.session import Session

LASTS = timedelta(hours=1)
"""Work that waits for a mending is tried again every few minutes: what was not met for so long is over."""


class Troubles:
    """One row for each place that cannot work: reading a system, a step of a flow."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def note(self, place: str, sentence: str, signature: str, *, role: str | None = None) -> None:
        """This place cannot work; the same cause again only counts up, another one begins anew."""
        now = self._session.now
        self._session.run(_NOTE, place, role, sentence, signature, now, now)

    def over(self, place: str) -> None:
        """The work of this place succeeded: whatever was wrong there is mended."""
        self._session.run("delete from troubles where place = %s", place)

    def lasting(self) -> list[Trouble]:
        """Every place that cannot work now, the longest first."""
        return self._session.entries(Trouble, _LASTING, self._session.now - LASTS)

    def forget(self) -> int:
        """Drop what was not met again for long: nothing waits for it any more. Answers how many."""
        return self._session.run("delete from troubles where told_at < %s", self._session.now - LASTS)


_LASTING = "select * from troubles where told_at >= %s order by since, place"

_NOTE = """
insert into troubles as t (place, role, sentence, signature, since, told_at) values (%s, %s, %s, %s, %s, %s)
on conflict (place) do update set sentence = excluded.sentence, told_at = excluded.told_at,
    since = case when t.signature = excluded.signature then t.since else excluded.since end,
    times = case when t.signature = excluded.signature then t.times + 1 else 1 end,
    signature = excluded.signature
"""
