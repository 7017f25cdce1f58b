"""How a profile declares what a product can do with one kind of document: poll, find, write."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from throughline.connectors.contract import Tier
from throughline.connectors.fences import Fence, NoFence, fence_words
from throughline.connectors.mechanisms.http.declared_calls import Call, ShapeSource, Test
from throughline.connectors.yaml_files import Strict

StampFormat = str
"""`ms`, `s`, `iso`, `moment` (left to the product's codec), or a strptime pattern such as `%Y-%m-%d %H:%M:%S`."""


class Stamp(Strict):
    """Where a record says when it changed."""

    at: str
    format: StampFormat


class Identity(Strict):
    """How to know one of the product's records again."""

    their_id: str
    number: str | None = None
    revision: list[str] = Field(default_factory=list)
    changed: Stamp | None = None
    deleted_when: Annotated[list[Test], Field(min_length=1)] | None = None


class Overlap(Strict):
    """How far behind the cursor to read again, for records that appear late with an old stamp.

    The deep look back of `seconds` is taken `every` so many seconds, a short one of `between` otherwise; so a record
    may appear up to `seconds - every` late and is still seen.
    """

    seconds: Annotated[float, Field(gt=0)]
    every: Annotated[float, Field(ge=0)] = 0
    between: Annotated[float, Field(gt=0)] = 2

    @model_validator(mode="after")
    def _deep_enough(self) -> Overlap:
        if self.every >= self.seconds:
            raise ValueError("`every` must be less than `seconds`, or late records are missed")
        return self


class Cursor(Strict):
    """What moves when something changed; `snapshot` reads the whole each time. Its fence is declared beside it."""

    kind: Literal["modified_time", "id_greater", "snapshot"]
    format: StampFormat = "iso"
    """How the request wants its moments."""
    window: Literal["open", "closed"] = "open"
    """`closed`: the request also gets `$until`, so that pages do not drift as new changes arrive."""
    overlap: Overlap | None = None
    overlap_ids: Annotated[int, Field(ge=0)] = 0


class Paging(Strict):
    """How a long answer is cut into pages."""

    kind: Literal["none", "offset", "page", "keyset", "next_link"] = "none"
    size: Annotated[int, Field(gt=0)] = 100
    first: Any = None
    """The number of the first page (1), or the value before the first key (0)."""
    total: str | None = None
    """Where the answer says how many records there are in all."""
    next: str | None = None
    """next_link: where the answer names the next page; without it, the Link header does."""
    keys: Annotated[list[str], Field(max_length=2)] = Field(default_factory=list)
    """keyset: where a record has its change stamp and its id (or only its id)."""
    ties: Call | None = None
    """keyset: asks for records with exactly the last stamp and a greater id, where one call cannot ask for both."""

    @model_validator(mode="after")
    def _complete(self) -> Paging:
        if (self.kind == "keyset") != bool(self.keys):
            raise ValueError("keyset paging, and only that, names its keys")
        return self


class Children(Strict):
    """Records that belong to a page of headers (order lines), fetched by `$parents` and put into each header."""

    call: Call
    records: str
    parent: str
    """Where a child names its header's id."""
    at_most: Annotated[int, Field(gt=0)] = 100
    """How many headers one call may ask for."""
    paging: Paging = Paging()
    order_by: str | None = None


class Detail(Strict):
    """One more call for each record (`$found`), for what a list leaves out; never for what was read before.

    What it finds is put into the record under our name for it: one record, or a list of them.
    """

    call: Call
    record: str
    columns: Annotated[list[str], Field(min_length=1)] | None = None
    """The names of the values, where each row comes as a bare list of them; `$columns` in the call."""


class Again(Strict):
    """How to ask for single records by `$their_ids`; they are where those of the poll are.

    Whoever finds a record missing in the whole looks once more before it counts as deleted.
    """

    call: Call
    ids: Literal["text", "number"] = "text"
    at_most: Annotated[int, Field(gt=0)] = 100


class Poll(Strict):
    """How to ask what changed."""

    call: Call
    records: str
    cursor: Cursor
    paging: Paging = Paging()
    columns: Annotated[list[str], Field(min_length=1)] | None = None
    """The names of the values, where each record comes as a bare list of them; `$columns` in the call."""
    children: dict[str, Children] = Field(default_factory=dict)
    details: dict[str, Detail] = Field(default_factory=dict)
    again: Again | None = None


class Push(Strict):
    """The product tells us by itself; `fence` says what it promises."""

    messages: Annotated[list[str], Field(min_length=1)]
    fence: Literal["at_least_once"]


class LineIds(Strict):
    """Where an answer lists the ids it gave to our lines."""

    at: ShapeSource
    ours: str
    theirs: str


class AnswerShape(Strict):
    """What of the answers is the target's id, number and line ids."""

    their_id: ShapeSource
    number: ShapeSource = None
    lines: LineIds | None = None


class Find(AnswerShape):
    """How to look a document up by our `$reference`; `$found` is the record in the answer."""

    call: Call
    record: str
    """Where the record is in the answer; nothing or an empty list there means: not there."""
    counts_when: list[Test] = Field(default_factory=list)
    """The record counts as carried out only if these hold (a half-made document does not)."""


class State(Strict):
    """A look at the document before an operation: `$found` is its record, `$state` its status."""

    call: Call
    record: str
    at: str


class OperationDeclared(Strict):
    """One thing the product can do to a document: one or more calls in order, or a function in `verbs.py`."""

    tier: Tier
    late_execution: Annotated[float, Field(ge=0)] = 60
    findable: bool | None = None
    """Whether finding the document proves this operation; not so for a change or a cancellation."""
    state: State | None = None
    calls: list[Call] = Field(default_factory=list)
    verb: Annotated[str | None, Field(pattern=r"^verbs:[a-z_]+$")] = None
    answer: AnswerShape | None = None

    @model_validator(mode="after")
    def _one_way(self) -> OperationDeclared:
        if bool(self.calls) == bool(self.verb):
            raise ValueError("an operation has either calls or a verb")
        if self.calls and self.answer is None:
            raise ValueError("an operation with calls says what of the answer is the target's id (`answer`)")
        return self


class ObjectDeclared(Strict):
    """One kind of document as this product offers it; whatever is polled says how it is fenced."""

    fence: Fence | None = None
    identity: Identity | None = None
    poll: Poll | None = None
    push: Push | None = None
    find: Find | None = None
    find_verb: Annotated[str | None, Field(pattern=r"^verbs:[a-z_]+$")] = None
    operations: dict[str, OperationDeclared] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> ObjectDeclared:
        if self.poll and not self.identity:
            raise ValueError("what is polled needs an identity")
        time_cursor = self.poll and self.poll.cursor.kind == "modified_time"
        if time_cursor and not (self.identity and self.identity.changed):
            raise ValueError("a modified_time cursor needs identity.changed")
        if self.poll is not None:
            _fence_is_kept(self.fence, self.poll.cursor)
        elif self.fence is not None:
            raise ValueError("only what is polled has a fence")
        findable = bool(self.find or self.find_verb)
        for name, operation in self.operations.items():
            if operation.tier in (Tier.T2, Tier.T3) and not findable:
                raise ValueError(f"operation {name} is {operation.tier}, so the object must be findable")
        return self


def _fence_is_kept(fence: Fence | None, cursor: Cursor) -> None:
    """Refuse a poll that would lose what is committed late, and a fence that is not what it says."""
    if fence is None:
        raise ValueError("what is polled declares its fence: W1, W2 + W3, W3, or {none_needed: why}")
    if isinstance(fence, NoFence):
        return
    words = fence_words(fence)
    if "W2" in words and not (cursor.overlap or cursor.overlap_ids):
        raise ValueError("fence W2 needs an overlap")
    if "W1" in words and cursor.kind == "modified_time":
        raise ValueError("a change stamp is no log: what is committed late carries an old one (fence W2 + W3)")
    if (cursor.kind == "snapshot") != (fence == "W3"):
        raise ValueError("reading the whole each time (snapshot) is fence W3 alone, and nothing else is")
