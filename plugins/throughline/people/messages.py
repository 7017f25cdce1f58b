"""What people read: one message about all that waits for them, in their language and for their channel. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from throughline.people.organisation_words import Person
from throughline.people.tasks import Task

SMS_LONGEST = 134
"""Two parts of a long message in UCS-2: 67 characters each."""
_MOST = 10
_KINDS = {
    "opened": ("New task", "新任务"),
    "urge": ("Urged", "催办"),
    "remind": ("Reminder", "提醒"),
    "soon": ("Due soon", "即将到期"),
    "overdue": ("Overdue", "已逾期"),
    "escalate": ("Escalated", "已上报"),
    "expire": ("Not decided in time", "逾期未决"),
    "handed_over": ("Handed over to you", "转交给您"),
    "decided": ("Decided", "已处理"),
}
_LOUDEST = ("urge", "escalate", "overdue", "soon", "handed_over", "opened", "remind", "expire", "decided")
_STATES = {
    "approved": "已批准", "rejected": "已拒绝", "sent_back": "已退回", "done": "已完成", "timed_out": "逾期未决",
    "withdrawn": "已撤回", "cancelled": "已取消", "open": "待处理",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One task in a message: when it is due, and the address that answers it, where there may be one."""

    task: Task
    due_at: datetime | None
    link: str | None = None


def subject_of(person: Person, occasions: Sequence[str], entries: Sequence[Entry]) -> str:
    """The first line: the most pressing occasion, and how much waits."""
    loudest = next(kind for kind in _LOUDEST if any(_kind(occasion) == kind for occasion in occasions))
    word = _KINDS[loudest][0 if person.language == "en" else 1]
    only = f" · {entries[0].task.rules.title.in_(person.language)}" if len(entries) == 1 else ""
    if person.language == "en":
        return f"[Throughline] {word}: {len(entries)} to decide{only}" if entries else f"[Throughline] {word}"
    return f"【贯通】{word}:{len(entries)} 项待办{only}" if entries else f"【贯通】{word}"


def body_of(
    person: Person, zone: str, occasions: Mapping[int, Sequence[str]], entries: Sequence[Entry],
    ended: Sequence[Task] = (),
) -> str:  # fmt: skip
    """The whole text: every open task with its due date, and what has ended without them."""
    lines = [_greeting(person)]
    lines += [_entry(person, zone, entry, occasions.get(entry.task.id, ())) for entry in entries[:_MOST]]
    if len(entries) > _MOST:
        rest = len(entries) - _MOST
        lines.append(f"… and {rest} more" if person.language == "en" else f"……以及另外 {rest} 项")
    lines += [_outcome(person, task) for task in ended]
    return "\n".join(lines) + "\n"


def sms_of(person: Person, zone: str, occasions: Sequence[str], entries: Sequence[Entry]) -> str:
    """As much as fits into two parts of a short message; nobody answers from it."""
    due = sorted(entry.due_at for entry in entries if entry.due_at)
    when = due[0].astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M") if due else ""
    text = subject_of(person, occasions, entries)
    if when:
        text += f", first due {when}" if person.language == "en" else f",最早到期 {when}"
    return _in_ucs2(text)[:SMS_LONGEST]


def _greeting(person: Person) -> str:
    return f"{person.name}," if person.language == "en" else f"{person.name},您好:"


def _entry(person: Person, zone: str, entry: Entry, occasions: Sequence[str]) -> str:
    english = person.language == "en"
    task, words = entry.task, [_KINDS[_kind(occasion)][0 if english else 1] for occasion in occasions]
    about = f" · {task.about.in_(person.language)}" if task.about else ""
    amount = f" · {task.amount:f} {task.currency}" if task.amount is not None else ""
    told = f"- {task.rules.title.in_(person.language)} · {task.subject}{about}{amount}"
    if entry.due_at:
        when = entry.due_at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
        told += f" · due {when}" if english else f" · 到期 {when}"
    if words:
        told += f" ({', '.join(words)})" if english else f"({'、'.join(words)})"
    return told + (f"\n  {entry.link}" if entry.link else "")


def _outcome(person: Person, task: Task) -> str:
    state = task.state.replace("_", " ") if person.language == "en" else _STATES[task.state]
    comments = "; ".join(answer.comment for answer in task.answers if answer.comment)
    return f"- {task.rules.title.in_(person.language)} · {task.subject}: {state}{f' ({comments})' if comments else ''}"


def _kind(occasion: str) -> str:
    return occasion.partition(":")[0]


def _in_ucs2(text: str) -> str:
    """Without what two bytes cannot hold; half a character would spoil the whole message."""
    return "".join(letter if ord(letter) < 0x10000 else "?" for letter in text)
