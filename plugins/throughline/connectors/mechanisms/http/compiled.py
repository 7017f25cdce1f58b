"""A profile made ready: every shape, verdict, pager and operation compiled once, when a connector is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from throughline.connectors.contract import ObjectKind, Operation
from throughline.connectors.fences import fence_words
from throughline.connectors.mechanisms.http.child_records import ChildReader, DetailReader
from throughline.connectors.mechanisms.http.declared_calls import Call
from throughline.connectors.mechanisms.http.declared_objects import (
    Children,
    Detail,
    Find,
    ObjectDeclared,
    OperationDeclared,
    Paging,
    Poll,
    State,
)
from throughline.connectors.mechanisms.http.operations import CallsInOrder, Finder, StateReader, compile_answer
from throughline.connectors.mechanisms.http.outgoing import PreparedCall, prepare_call
from throughline.connectors.mechanisms.http.paging import Pager
from throughline.connectors.mechanisms.http.paths import compile_path
from throughline.connectors.mechanisms.http.polling import Poller
from throughline.connectors.mechanisms.http.product_parts import ProductParts, function_of
from throughline.connectors.mechanisms.http.profile import Profile
from throughline.connectors.mechanisms.http.records import compile_capture
from throughline.connectors.mechanisms.http.stamps import compile_read_stamp, compile_write_stamp
from throughline.connectors.mechanisms.http.verbs import Verb
from throughline.connectors.mechanisms.http.verdicts import compile_record_checks
from throughline.connectors.mechanisms.http.whole import WholeReader


@dataclass(frozen=True)
class CompiledObject:
    """One kind of document, ready to be polled, found and written."""

    kind: ObjectKind
    poller: Poller | None
    finder: Finder | None
    find_verb: Verb | None
    operations: Mapping[str, CallsInOrder | Verb]
    whole: WholeReader | None = None


class Compiler:
    """Compiles the declarations of one profile."""

    def __init__(self, profile: Profile, parts: ProductParts, path: Path) -> None:
        self.profile = profile
        self.parts = parts
        self.path = path

    def call(self, call: Call) -> PreparedCall:
        """One call, with the profile's headers, verdict and codec."""
        return prepare_call(call, headers=self.profile.headers, rules=self.profile.verdict, encode=self.parts.encode())

    def named(self, reference: str) -> Any:
        """The function of verbs.py that `verbs:name` names."""
        return function_of(
            self.parts.verbs, reference.partition(":")[2], part="verbs", profile=self.profile, path=self.path
        )

    def object(self, document: str, declared: ObjectDeclared) -> CompiledObject:
        """One kind of document."""
        finder = self._finder(declared.find) if declared.find else None
        findable = finder is not None or declared.find_verb is not None
        kinds = {
            name: Operation(name, operation.tier, operation.late_execution, _findable(operation, findable=findable))
            for name, operation in declared.operations.items()
        }
        poller = self._poller(document, declared) if declared.poll else None
        return CompiledObject(
            ObjectKind(
                document,
                declared.poll is not None,
                declared.push is not None,
                fence_words(declared.fence),
                kinds,
            ),
            poller,
            finder,
            self.named(declared.find_verb) if declared.find_verb else None,
            {name: self._operation(operation, finder) for name, operation in declared.operations.items()},
            self._whole(declared.poll, poller) if declared.poll and poller else None,
        )

    def _finder(self, declared: Find) -> Finder:
        return Finder(
            self.call(declared.call), compile_path(declared.record), compile_record_checks(declared.counts_when),
            compile_answer(declared),
        )  # fmt: skip

    def _operation(self, declared: OperationDeclared, finder: Finder | None) -> CallsInOrder | Verb:
        if declared.verb:
            verb: Verb = self.named(declared.verb)
            return verb
        assert declared.answer is not None  # noqa: S101 - the profile refuses calls without an answer
        return CallsInOrder(
            tuple(self.call(call) for call in declared.calls), self._state(declared.state),
            compile_answer(declared.answer), finder if _findable(declared, findable=finder is not None) else None,
        )  # fmt: skip

    def _state(self, declared: State | None) -> StateReader | None:
        if declared is None:
            return None
        return StateReader(self.call(declared.call), compile_path(declared.record), compile_path(declared.at))

    def _poller(self, document: str, declared: ObjectDeclared) -> Poller:
        poll, identity, zone = declared.poll, declared.identity, self.profile.zone
        assert poll is not None and identity is not None  # noqa: S101, PT018 - the profile refuses one without the other
        write_stamp = compile_write_stamp(poll.cursor.format, zone)
        restamp = None
        if identity.changed and identity.changed.format != poll.cursor.format:
            read_stamp = compile_read_stamp(identity.changed.format, zone)
            restamp = lambda value: write_stamp(read_stamp(value))  # noqa: E731
        return Poller(
            poll, self._pager(poll, poll.paging, restamp), compile_capture(document, identity, zone), write_stamp,
            tuple(self._children(name, child, identity.their_id) for name, child in poll.children.items()),
            tuple(self._detail(name, detail) for name, detail in poll.details.items()),
        )  # fmt: skip

    def _pager(self, declared: Poll | Children, paging: Paging, restamp: Any = None) -> Pager:
        columns = tuple(declared.columns) if isinstance(declared, Poll) and declared.columns else None
        return Pager(
            self.call(declared.call), declared.records, paging, restamp=restamp, columns=columns,
            ties=self.call(paging.ties) if paging.ties else None, link=partial(_follow, self),
        )  # fmt: skip

    def _detail(self, name: str, declared: Detail) -> DetailReader:
        columns = tuple(declared.columns) if declared.columns else None
        return DetailReader(name, self.call(declared.call), compile_path(declared.record), columns)

    def _whole(self, poll: Poll, poller: Poller) -> WholeReader:
        single = self._pager(poll.model_copy(update={"call": poll.again.call}), Paging()) if poll.again else None
        return WholeReader(poller, poll.again, single)

    def _children(self, name: str, declared: Children, header_id: str) -> ChildReader:
        pager = self._pager(declared, declared.paging)
        return ChildReader(name, declared, pager, compile_path(header_id), compile_path(declared.parent))


@dataclass(frozen=True)
class CompiledProfile:
    """A whole profile, compiled; it holds no connection and no login, so every connector of the product shares it."""

    profile: Profile
    compiler: Compiler
    objects: Mapping[str, CompiledObject]
    calls: Mapping[str, PreparedCall]
    test: PreparedCall


_COMPILED: dict[int, CompiledProfile] = {}
"""By the profile's identity: a process reads each profile once and keeps it, and compiling takes milliseconds."""


def compiled_profile(profile: Profile, parts: ProductParts, path: Path) -> CompiledProfile:
    """A profile made ready, once for every process."""
    found = _COMPILED.get(id(profile))
    if found is None or found.profile is not profile or found.compiler.parts != parts:
        compiler = Compiler(profile, parts, path)
        found = CompiledProfile(
            profile, compiler, {name: compiler.object(name, declared) for name, declared in profile.objects.items()},
            {name: compiler.call(call) for name, call in profile.calls.items()}, compiler.call(profile.test),
        )  # fmt: skip
        _COMPILED[id(profile)] = found
    return found


def _findable(operation: OperationDeclared, *, findable: bool) -> bool:
    return findable if operation.findable is None else operation.findable and findable


def _follow(compiler: Compiler, call: PreparedCall, target: str) -> PreparedCall:
    """A call like this one that goes where the last answer pointed."""
    url = httpx.URL(target)
    return compiler.call(Call(name=call.name, method="GET", path=url.path, query=dict(url.params)))
