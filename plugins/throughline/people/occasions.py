"""Who is told of what, by which channel and when: a notice's key is its task, person, occasion and channel. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

from throughline.ledger.task_entries import NewNotice
from throughline.people.organisation import Organisation
from throughline.people.quiet import allowed, digest_moment

REMINDERS = ("remind", "soon", "overdue")
"""Occasions that wait for the person's next digest; everything else goes out as soon as they may be disturbed."""


def notice_key(task_id: int, person: str, occasion: str, channel: str) -> str:
    """What makes this notice this one, whoever plans it how often."""
    parts = json.dumps([task_id, person, occasion, channel], ensure_ascii=False)
    return hashlib.sha256(parts.encode()).hexdigest()


def notices_for(
    organisation: Organisation, people: Iterable[str], task_id: int, occasion: str, at: datetime
) -> list[NewNotice]:
    """One notice for each of these people who works here, by the channel they prefer."""
    day = organisation.day_of(at)
    found = []
    for name in dict.fromkeys(people):
        if organisation.works_here(name, day):
            channel = organisation.people[name].tell_by[0]
            found.append(by_channel(organisation, name, task_id, occasion, channel, at))
    return found


def by_channel(
    organisation: Organisation, name: str, task_id: int, occasion: str, channel: str, at: datetime
) -> NewNotice:
    """One notice to one person by one channel, at the next moment they may have it."""
    person, calendar = organisation.people[name], organisation.calendar_of(name)
    waits = occasion.partition(":")[0] in REMINDERS
    moment = digest_moment(person, calendar, at) if waits else allowed(person, calendar, at)
    return NewNotice(notice_key(task_id, name, occasion, channel), task_id, name, occasion, channel, moment)


def next_channel(organisation: Organisation, name: str, channel: str) -> str | None:
    """What this person wants tried after a channel that refused; None when there is nothing left."""
    wanted = organisation.people[name].tell_by if name in organisation.people else ()
    following = wanted[wanted.index(channel) + 1 :] if channel in wanted else ()
    return following[0] if following else None
