"""A task and an answer as the API tells and takes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from throughline.errors import Invalid
from throughline.ledger.exact_json import loads
from throughline.ledger.task_entries import TaskRow
from throughline.people.answering import Reply
from throughline.people.tasks import Task


class AnswerWords(BaseModel):
    """The body of an answer; nothing beyond these may stand in it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    verdict: Annotated[str, Field(max_length=20)]
    content_hash: Annotated[str, Field(min_length=1, max_length=200)]
    values: dict[Annotated[str, Field(max_length=60)], str | bool | int | Decimal | None] = Field(default_factory=dict)
    comment: Annotated[str, Field(max_length=4000)] = ""
    on_behalf_of: Annotated[str | None, Field(max_length=60)] = None

    def reply(self, person: str, request_id: str) -> Reply:
        """The same as the desk takes it."""
        return Reply(
            person, self.verdict, self.content_hash, request_id, self.values, self.comment, self.on_behalf_of
        )  # fmt: skip


def read_answer(body: bytes) -> AnswerWords:
    """The body, or `Invalid` with a sentence that names the field."""
    try:
        return AnswerWords.model_validate(loads(body))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the body"
        raise Invalid(f"{place}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise Invalid("the body is not JSON") from None


def told(row: TaskRow, task: Task) -> dict[str, Any]:
    """A task as the API tells it."""
    return {
        "id": task.id, "kind": task.kind, "state": task.state, "title": task.rules.title.model_dump(),
        "about": task.about.model_dump() if task.about else None, "flow": task.flow, "step": task.step,
        "subject": task.subject, "content_hash": task.content_hash, "requester": task.requester,
        "amount": None if task.amount is None else format(task.amount, "f"), "currency": task.currency,
        "needs": task.rules.needs, "four_eyes": task.rules.four_eyes, "escalated": task.escalated,
        "form": {name: field.model_dump(mode="json", exclude_defaults=True) for name, field in task.rules.form.items()},
        "opened_at": task.opened_at.isoformat(), "due_at": row.due_at.isoformat() if row.due_at else None,
        "answers": [
            {"person": answer.person, "on_behalf_of": answer.principal if answer.principal != answer.person else None,
             "verdict": answer.verdict, "comment": answer.comment, "at": answer.at.isoformat()}
            for answer in task.answers
        ],
    }  # fmt: skip
