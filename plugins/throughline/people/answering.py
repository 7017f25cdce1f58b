"""Whether an answer counts, and what the task is afterwards. Pure: everything it depends on is passed in.

Checked in this order, so that nobody learns of a task that is none of theirs: repeated request, right to answer, still
open, same content, not twice, complete form.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from throughline.people.forms import check_form
from throughline.people.quorum import Verdict, judge
from throughline.people.seats import Lookup, Right, Seat
from throughline.people.tasks import Answer, Task, with_answer
from throughline.people.words import Title

LONGEST_COMMENT = 2000
_VERDICTS: Mapping[str, tuple[Verdict, ...]] = {"approve": ("approved", "rejected", "sent_back"), "task": ("done",)}


@dataclass(frozen=True)
class Reply:
    """What somebody wants to answer; `content_hash` is of what they saw, `request_id` makes repeating harmless."""

    person: str
    verdict: str
    content_hash: str
    request_id: str
    values: Mapping[str, Any] = field(default_factory=dict)
    comment: str = ""
    principal: str | None = None
    """For whom; left out, in their own right or for the only one they may."""

    @property
    def digest(self) -> str:
        """What makes a repeated request the same one."""
        told = [self.verdict, self.content_hash, dict(self.values), self.comment, self.principal]
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


class Refused(Exception):
    """The answer does not count; `code` is for programs, `told` for people in both languages.

    Codes: unknown, own_request, closed, changed, answered_already, wrong_form, other_request.
    """

    def __init__(self, code: str, en: str, zh: str, fields: Mapping[str, Title] | None = None) -> None:
        super().__init__(en)
        self.code = code
        self.told = Title(en=en, zh=zh)
        self.fields = dict(fields or {})


@dataclass(frozen=True)
class Answered:
    """The task after an answer; `repeated` when the same request had been taken before and nothing changed."""

    task: Task
    answer: Answer
    repeated: bool = False


def take_answer(task: Task, reply: Reply, lookup: Lookup) -> Answered:
    """The task with this answer, or `Refused`."""
    before = _same_request(task, reply)
    if before is not None:
        return Answered(task, before, repeated=True)
    seats = lookup.seats(task, task.escalated)
    right = _right(task, reply, lookup, seats)
    _still_counts(task, reply)
    values = _filled_in(task, reply)
    answer = Answer(
        person=reply.person, principal=right.principal, seats=right.seats, verdict=_verdict(task, reply),
        request_id=reply.request_id, at=lookup.at, values=values, comment=reply.comment.strip(),
        through=right.through, digest=reply.digest,
    )  # fmt: skip
    return Answered(with_answer(task, answer, judge(task.rules, seats, (*task.answers, answer))), answer)


def _same_request(task: Task, reply: Reply) -> Answer | None:
    for answer in task.answers:
        if answer.request_id == reply.request_id and answer.person == reply.person:
            if answer.digest != reply.digest:
                raise Refused(
                    "other_request", "this request id was used for another answer", "该请求编号已用于另一答复"
                )
            return answer
    return None


def _right(task: Task, reply: Reply, lookup: Lookup, seats: Sequence[Seat]) -> Right:
    """By what right they answer; whoever has none does not even learn that there is such a task."""
    rights = lookup.rights(task, reply.person, seats)
    wanted = [right for right in rights if reply.principal in (None, right.principal)]
    if not wanted:
        if reply.person == task.requester:
            raise Refused("own_request", "nobody answers their own request", "不能处理自己的申请")
        if reply.person in {answer.person for answer in task.answers}:
            raise Refused("answered_already", "you have answered this already", "您已处理过此任务")
        raise Refused("unknown", "there is no such task for you", "没有您的此项任务")
    spoken = {answer.person for answer in task.answers}
    used = {answer.principal for answer in task.answers} | spoken
    free = [right for right in wanted if right.principal not in used or right.principal == reply.person]
    if task.is_open and (reply.person in spoken or reply.person in used or not free):
        raise Refused(
            "answered_already", "this has been answered by you or for you already", "您或您的代理人已处理过此任务"
        )
    return (free or wanted)[0]


def _still_counts(task: Task, reply: Reply) -> None:
    if task.state == "withdrawn" or reply.content_hash != task.content_hash:
        raise Refused("changed", "the document has changed since you saw it: look at it again", "单据已变更,请重新查看")
    if not task.is_open:
        raise Refused("closed", f"this has ended already: {task.state}", f"此任务已结束:{task.state}")


def _verdict(task: Task, reply: Reply) -> Verdict:
    return next(verdict for verdict in _VERDICTS[task.kind] if verdict == reply.verdict)


def _filled_in(task: Task, reply: Reply) -> dict[str, Any]:
    allowed = _VERDICTS[task.kind]
    wrong: dict[str, Title] = {}
    if reply.verdict not in allowed:
        wrong["verdict"] = Title(en=f"must be one of {', '.join(allowed)}", zh=f"必须是其中之一:{'、'.join(allowed)}")
    if len(reply.comment) > LONGEST_COMMENT or "\x00" in reply.comment:
        wrong["comment"] = Title(en=f"may have {LONGEST_COMMENT} characters", zh=f"最多 {LONGEST_COMMENT} 个字符")
    if reply.verdict in ("rejected", "sent_back") and not reply.comment.strip():
        wrong["comment"] = Title(en="say why", zh="请说明原因")
    values, misfits = check_form(task.rules.form, reply.values) if reply.verdict in ("approved", "done") else ({}, {})
    if wrong or misfits:
        raise Refused("wrong_form", "something is not filled in as it should be", "填写有误", {**wrong, **misfits})
    return values
