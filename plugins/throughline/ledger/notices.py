"""Who is to be told what, and whether they were: a row for each person, occasion and channel, sent at most once.

planned → sending → sent | failed | in_doubt. `sending` is committed before the call goes out: whoever finds it later
knows that the message may have been delivered, and does not send it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from throughline.ledger.session import Session, as_rows
from throughline.ledger.task_entries import NewNotice, NoticeRow


class Notices:
    """Notices to people about their tasks."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def plan(self, notices: Iterable[NewNotice]) -> int:
        """Plan these; those planned before, in whatever state, are left alone. Answers how many are new."""
        rows = [{**vars(notice), "not_before": notice.not_before.isoformat()} for notice in notices]
        fresh = self._session.run(_PLAN, self._session.now, as_rows(rows)) if rows else 0
        if fresh:
            self._session.news.add("notices")
        return fresh

    def due(self, limit: int = 200) -> list[NoticeRow]:
        """Planned notices whose moment has come."""
        return self._session.entries(NoticeRow, _DUE, self._session.now, limit)

    def take(self, ids: Iterable[int]) -> list[NoticeRow]:
        """Those of these that are still planned, locked; what another sender has is left out."""
        return self._session.entries(NoticeRow, _TAKE, list(ids))

    def next_due(self) -> datetime | None:
        """When the next notice may go out."""
        found: datetime | None = self._session.value(_NEXT)
        return found

    def begin(self, ids: Iterable[int], message: str) -> None:
        """These go out together as one message from now on; commit before calling."""
        self._session.run(_BEGIN, message, self._session.now, list(ids))

    def drop(self, ids: Iterable[int], why: str) -> None:
        """These are not needed any more; what is on its way already is left alone."""
        self._session.run(_DROP, self._session.now, why, list(ids))

    def settle(self, message: str, state: str, *, error: str | None = None) -> int:
        """What became of a message: sent, failed or in_doubt. Answers how many notices it carried."""
        return self._session.run(_SETTLE, state, self._session.now, error, message)

    def put_off(self, message: str, until: datetime, error: str) -> int:
        """It certainly did not go out: try again later."""
        return self._session.run(_PUT_OFF, until, error, message)

    def left_sending(self, older_than: timedelta) -> list[str]:
        """Messages whose sender was lost between committing and hearing: nobody can say whether they went out."""
        return [row[0] for row in self._session.rows(_LEFT, self._session.now - older_than)]

    def of_message(self, message: str) -> list[NoticeRow]:
        """The notices a message carried."""
        return self._session.entries(NoticeRow, _OF_MESSAGE, message)

    def of_tasks(self, task_ids: Iterable[int]) -> list[NoticeRow]:
        """Every notice about these tasks."""
        return self._session.entries(NoticeRow, _OF_TASKS, list(task_ids))


_PLAN = """
insert into notices (key, task_id, person, occasion, channel, not_before, planned_at)
select key, task_id, person, occasion, channel, not_before, %s
from jsonb_to_recordset(%s::jsonb) as x(key text, task_id bigint, person text, occasion text, channel text,
    not_before timestamptz)
on conflict (key) do nothing
"""
_DUE = """
select * from notices where state = 'planned' and not_before <= %s order by not_before, id limit %s
"""
_TAKE = "select * from notices where id = any(%s) and state = 'planned' order by id for update skip locked"
_NEXT = "select not_before from notices where state = 'planned' order by not_before limit 1"
_BEGIN = """
update notices set state = 'sending', message = %s, sending_at = %s, attempts = attempts + 1 where id = any(%s)
"""
_DROP = """
update notices set state = 'dropped', settled_at = %s, error = %s where id = any(%s) and state = 'planned'
"""
_SETTLE = """
update notices set state = %s, settled_at = %s, error = %s where message = %s and state = 'sending'
"""
_PUT_OFF = """
update notices set state = 'planned', not_before = %s, error = %s, sending_at = null, message = null
where message = %s and state = 'sending'
"""
_LEFT = "select distinct message from notices where state = 'sending' and sending_at < %s"
_OF_MESSAGE = "select * from notices where message = %s order by id"
_OF_TASKS = "select * from notices where task_id = any(%s) order by id"
