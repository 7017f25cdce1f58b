"""Carries out one declared operation: its calls in order, and what their answers say the target made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from throughline.connectors.contract import Carried
from throughline.connectors.mechanisms.http.consequences import AlreadyThere, NotThere
from throughline.connectors.mechanisms.http.declared_objects import AnswerShape
from throughline.connectors.mechanisms.http.outgoing import PreparedCall
from throughline.connectors.mechanisms.http.paths import MISSING, Reader, compile_path
from throughline.connectors.mechanisms.http.shapes import Scope, compile_shape
from throughline.connectors.mechanisms.http.talk import Talk
from throughline.errors import InDoubt, Invalid, Transient

ReadAnswer = Callable[[Scope], Carried]


def compile_answer(declared: AnswerShape) -> ReadAnswer:
    """A function that reads the target's id, number and line ids out of its answers."""
    their_id, number = compile_shape(declared.their_id), compile_shape(declared.number)
    lines = compile_shape(declared.lines.at) if declared.lines else None
    ours = compile_path(declared.lines.ours) if declared.lines else None
    theirs = compile_path(declared.lines.theirs) if declared.lines else None

    def read(scope: Scope) -> Carried:
        key, name = their_id(scope), number(scope)
        if key in (MISSING, None, ""):
            raise Invalid("the answer holds no id")
        ids: dict[str, str] = {}
        if lines is not None and ours is not None and theirs is not None:
            found = lines(scope)
            ids = {str(ours(line)): str(theirs(line)) for line in found} if isinstance(found, list) else {}
        text = None if name in (MISSING, None) else str(name)
        calls = scope.get("calls") or {}
        last = next(reversed(calls.values()), None) if calls else scope.get("found")
        return Carried(str(key), text, ids, last if isinstance(last, Mapping) else {})

    return read


@dataclass(frozen=True)
class Finder:
    """Looks a document up by our reference."""

    call: PreparedCall
    record: Reader
    counts: Callable[[Any], bool]
    answer: ReadAnswer

    async def find(self, talk: Talk, reference: str) -> Carried | None:
        """The document, if the target has it and it counts."""
        scope = talk.wire.scope(reference=reference)
        record = await read_record(talk, self.call, scope, self.record)
        if record is None or not self.counts(record):
            return None
        scope["found"] = record
        return self.answer(scope)


async def read_record(talk: Talk, call: PreparedCall, scope: dict[str, Any], record: Reader) -> Any:
    """The record a reading call finds, or None."""
    try:
        found = record(await talk.ask(call, scope, writes=False))
    except NotThere:
        return None
    if isinstance(found, list):
        found = found[0] if found else None
    return None if found is MISSING or not found else found


@dataclass(frozen=True)
class StateReader:
    """Looks at a document before an operation, so that steps already taken are not taken again."""

    call: PreparedCall
    record: Reader
    state: Reader

    async def look(self, talk: Talk, scope: dict[str, Any]) -> None:
        """Put the record and its state into the scope; None where there is no such document yet."""
        record = await read_record(talk, self.call, scope, self.record)
        scope["found"] = record
        state = self.state(record)
        scope["state"] = None if state is MISSING else state


@dataclass(frozen=True)
class CallsInOrder:
    """An operation that is a list of calls."""

    calls: tuple[PreparedCall, ...]
    state: StateReader | None
    answer: ReadAnswer
    finder: Finder | None

    async def carry_out(self, talk: Talk, scope: dict[str, Any]) -> Carried:
        """Make the calls that are still needed; a failure after the first write leaves the whole in doubt."""
        if self.state is not None:
            await self.state.look(talk, scope)
        scope["calls"] = {}
        written = there_already = False
        for call in self.calls:
            if scope.get("state") in call.unless_state:
                continue
            try:
                scope["calls"][call.name] = await talk.ask(call, scope, writes=not call.reads)
            except AlreadyThere:
                there_already = True
            except Transient as failure:
                if written:
                    raise half_done(talk, failure) from None
                raise
            written = written or not call.reads
        return await self._there(talk, scope) if there_already else self._carried(talk, scope)

    def _carried(self, talk: Talk, scope: Scope) -> Carried:
        try:
            return self.answer(scope)
        except Invalid as gap:
            raise InDoubt(f"{talk.wire.role} accepted a write but {gap.message}", system=talk.wire.role) from None

    async def _there(self, talk: Talk, scope: dict[str, Any]) -> Carried:
        """The target says it has this already: find out under which id."""
        if self.finder is None:
            try:
                return self.answer(scope)
            except Invalid:
                return Carried(str(scope["reference"]))
        found = await self.finder.find(talk, scope["reference"])
        if found is None:
            raise InDoubt(f"{talk.wire.role} says it has this already, but it cannot be found", system=talk.wire.role)
        return found


def half_done(talk: Talk, failure: Transient) -> InDoubt:
    """What a passing failure means once part of an operation has been carried out."""
    return InDoubt(
        f"{talk.wire.role} carried out a part of this and then failed: {failure.message}",
        system=talk.wire.role, code=failure.code,
    )  # fmt: skip
