"""Sends what people are to be told, each thing once: one message for all that is due to one person by one channel.

The ledger marks the notices `sending` and commits before the call goes out; a sender that dies in between leaves a
doubt, and a doubt is never sent again. A refusal goes on to the person's next channel. What has been answered meanwhile
is dropped, so that nobody is reminded of what they did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from throughline.errors import InDoubt, Invalid, Misconfigured, Rejected, ThroughlineError, Transient
from throughline.ledger.entries import AuditEntry
from throughline.people.desk import Desk
from throughline.people.links import Links
from throughline.people.messages import Entry, body_of, sms_of, subject_of
from throughline.people.occasions import by_channel, next_channel
from throughline.people.task_rows import as_task
from throughline.people.tasks import Task
from throughline.secrecy import shared

if TYPE_CHECKING:
    from throughline.ledger import Books, Ledger
    from throughline.ledger.task_entries import NewNotice, NoticeRow

_LOST_AFTER = timedelta(minutes=10)
_AGAIN = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
_AFTER_THE_END = ("decided", "expire")
"""Occasions that are told although the task has ended."""


@dataclass(frozen=True)
class Message:
    """One message as a channel carries it; `key` is the same however often the same notices go out."""

    key: str
    person: str
    channel: str
    address: str
    subject: str
    body: str
    about: str


class Post(Protocol):
    """Carries one message, or raises by consequence: `InDoubt` when nobody can say whether it arrived."""

    def __call__(self, message: Message) -> None:
        """Send it once."""
        ...


@dataclass(frozen=True)
class Told:
    """What one round of telling did, in messages; `dropped` counts notices nobody needs any more."""

    sent: int = 0
    put_off: int = 0
    failed: int = 0
    in_doubt: int = 0
    dropped: int = 0


class Teller:
    """Tells people, round by round; several may work at once."""

    def __init__(self, ledger: Ledger, desk: Desk, post: Post, links: Links | None = None) -> None:
        self._ledger, self._desk, self._post, self._links = ledger, desk, post, links

    def tell(self, limit: int = 200) -> Told:
        """Send what is due now; what a lost sender left is settled as a doubt first."""
        with self._ledger.transaction() as books:
            lost = books.notices.left_sending(_LOST_AFTER)
            for message in lost:
                self._settle(books, message, "in_doubt", "the sender was lost while it was sending")
        with self._ledger.transaction() as books:
            groups, dropped = self._due(books, limit)
        outcomes = [self._tell(*to, ids) for to, ids in groups.items()]
        return Told(
            sent=outcomes.count("sent"), put_off=outcomes.count("put_off"), failed=outcomes.count("failed"),
            in_doubt=outcomes.count("in_doubt") + len(lost), dropped=dropped,
        )  # fmt: skip

    def _due(self, books: Books, limit: int) -> tuple[dict[tuple[str, str], list[int]], int]:
        """What is due, by person and channel; what nobody needs any more is dropped."""
        notices = books.notices.due(limit)
        tasks = _tasks(books, {notice.task_id for notice in notices})
        groups: dict[tuple[str, str], list[int]] = {}
        unneeded = []
        for notice in notices:
            if self._needed(books, notice, tasks[notice.task_id]):
                groups.setdefault((notice.person, notice.channel), []).append(notice.id)
            else:
                unneeded.append(notice.id)
        if taken := books.notices.take(unneeded):
            books.notices.drop([notice.id for notice in taken], "not needed any more")
        return groups, len(taken)

    def _tell(self, name: str, channel: str, ids: Sequence[int]) -> str:
        """One message to one person, marked and committed before it goes out; a sender that dies leaves one doubt."""
        with self._ledger.transaction() as books:
            notices = books.notices.take(ids)
            if not notices:
                return "taken by another sender"
            message = self._compose(books, name, channel, notices, _tasks(books, {n.task_id for n in notices}))
            books.notices.begin([notice.id for notice in notices], message.key)
        return self._send(message)

    def _needed(self, books: Books, notice: NoticeRow, task: Task) -> bool:
        lookup = self._desk.lookup(books)
        if not self._desk.organisation.works_here(notice.person, lookup.day):
            return False
        if notice.occasion.partition(":")[0] in _AFTER_THE_END:
            return True
        return task.is_open and (notice.person == task.requester or notice.person in self._desk.waiting(task, lookup))

    def _compose(
        self, books: Books, name: str, channel: str, notices: Sequence[NoticeRow], tasks: dict[int, Task]
    ) -> Message:
        person = self._desk.organisation.people[name]
        zone = self._desk.organisation.calendar_of(name).zone
        occasions: dict[int, list[str]] = {}
        for notice in notices:
            occasions.setdefault(notice.task_id, []).append(notice.occasion)
        entries = self._entries(books, name, channel)
        ended = [tasks[number] for number in occasions if not tasks[number].is_open]
        said = [notice.occasion for notice in notices]
        subject = subject_of(person, said, entries)
        text = (
            sms_of(person, zone, said, entries)
            if channel == "sms"
            else body_of(person, zone, occasions, entries, ended)
        )
        about = tasks[notices[0].task_id].subject
        return Message(_key(notices), name, channel, person.channels[channel], subject, text, about)  # type: ignore[index]

    def _entries(self, books: Books, name: str, channel: str) -> list[Entry]:
        """Everything that waits for this person now, with a link where one may be sent."""
        may_answer = self._links is not None and channel in self._desk.organisation.people[name].links_by
        found = []
        for row, task in self._desk.tasks_of(books, name).tasks:
            link = None
            if may_answer and self._links is not None:
                link = self._links.address(task.id, name, task.content_hash, books.now)
            found.append(Entry(task, row.due_at, link))
        return found

    def _send(self, message: Message) -> str:
        try:
            self._post(message)
        except InDoubt as doubt:
            return self._after(message, "in_doubt", doubt)
        except Transient as failure:
            return self._after(message, "put_off", failure)
        except (Rejected, Invalid, Misconfigured) as refusal:
            return self._after(message, "failed", refusal)
        return self._after(message, "sent", None)

    def _after(self, message: Message, outcome: str, problem: ThroughlineError | None) -> str:
        error = shared.text(problem.message)[:500] if problem else None
        with self._ledger.transaction() as books:
            if outcome != "put_off":
                self._settle(books, message.key, outcome, error)
                return outcome
            notices = books.notices.of_message(message.key)
            attempts = max((notice.attempts for notice in notices), default=1)
            if attempts > len(_AGAIN):
                self._settle(books, message.key, "failed", error)
                return "failed"
            wait = max(_AGAIN[attempts - 1], timedelta(seconds=getattr(problem, "retry_after", None) or 0))
            books.notices.put_off(message.key, books.now + wait, error or "")
        return outcome

    def _settle(self, books: Books, key: str, state: str, error: str | None) -> None:
        notices = books.notices.of_message(key)
        books.notices.settle(key, state, error=error)
        if notices:
            details = {"notices": [notice.id for notice in notices], "error": error}
            about = f"person:{notices[0].person}"
            books.audit.append([AuditEntry("throughline", f"notice {state}", about, None, details)])
        if state == "failed":
            books.notices.plan(self._by_next_channel(books, notices))

    def _by_next_channel(self, books: Books, notices: Iterable[NoticeRow]) -> Iterator[NewNotice]:
        for notice in notices:
            following = next_channel(self._desk.organisation, notice.person, notice.channel)
            if following:
                yield by_channel(
                    self._desk.organisation, notice.person, notice.task_id, notice.occasion, following, books.now
                )


def _tasks(books: Books, ids: Iterable[int]) -> dict[int, Task]:
    wanted = list(ids)
    answers = books.tasks.answers(wanted)
    return {row.id: as_task(row, answers[row.id]) for row in books.tasks.load(wanted)}


def _key(notices: Sequence[NoticeRow]) -> str:
    return hashlib.sha256("|".join(sorted(notice.key for notice in notices)).encode()).hexdigest()
