"""What a condition and a rule get to see of a process: plain facts for the one, a dossier for the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from throughline.canonical import CanonicalDocument
from throughline.process.definition import Flow
from throughline.process.state import Instance, ProcessState, StepState
from throughline.rules import Dossier, Rule


def item_document(flow: Flow, state: ProcessState, step: str, item: str) -> CanonicalDocument | None:
    """The document a step instance is about, when it is done per item."""
    per = flow.steps[step].per
    if not item or per is None:
        return None
    awaits = flow.steps[per].awaits
    if awaits is not None and awaits.revisions:
        return state.revision(item)
    return state.document(item, awaits.system if awaits else None)


class Facts(Mapping[str, Any]):
    """The variables of a condition, each worked out only when the condition names it."""

    def __init__(self, flow: Flow, state: ProcessState, step: str, item: str, candidate: Any = None) -> None:
        self._flow, self._state, self._step, self._item = flow, state, step, item
        self._candidate = candidate

    def __getitem__(self, name: str) -> Any:
        found: Callable[[], Any] = {
            "doc": self._doc,
            "subject": lambda: as_text(self._state.subject),
            "told": lambda: as_text(self._state.revisions[-1].document),
            "item": lambda: as_text(self._document()),
            "verdict": lambda: verdicts_of(self._state, self._item),
            "steps": lambda: _steps_of(self._state, self._item),
        }[name]
        return found()

    def __iter__(self) -> Any:
        return iter(("doc", "subject", "told", "item", "verdict", "steps"))

    def __len__(self) -> int:
        return 6

    def _document(self) -> CanonicalDocument | None:
        return self._candidate or item_document(self._flow, self._state, self._step, self._item)

    def _doc(self) -> Any:
        return as_text(self._document() or self._state.subject)


def dossier_for(flow: Flow, state: ProcessState, step: str, item: str) -> Dossier:
    """Everything a rule may look at, for one step and item."""
    return Dossier(
        key=state.key,
        item_id=item,
        linked=state.linked,
        referenced=state.referenced,
        carried=_carried(flow, state),
        stopped=_stopped(flow, state),
        numbers=state.numbers,
        verdicts=verdicts_of(state, item),
        earlier=tuple(found.verdict for found in state.instances.values() if found.step == step and found.item != item),
        refusals={found.step: found.refusal for found in _visible(state, item) if found.refusal and found.item == item},
    )


def papers_of(state: ProcessState) -> Dossier:
    """The documents alone, for a rule that asks whether enough has arrived."""
    return Dossier(state.key, linked=state.linked, referenced=state.referenced, numbers=state.numbers)


def ask(rule: Rule, flow: Flow, state: ProcessState, step: str, item: str) -> Any:
    """A rule's answer for one step and item."""
    return rule(state.subject, item_document(flow, state, step, item), dossier_for(flow, state, step, item))


def ask_as_it_stands(rule: Rule, flow: Flow, state: ProcessState, step: str, item: str) -> Any:
    """What the rule would answer if the change asked for nothing new: what it made of the subject as it stands."""
    return rule(state.subject, state.subject, dossier_for(flow, state, step, item))


def verdicts_of(state: ProcessState, item: str) -> dict[str, Mapping[str, Any]]:
    """What was decided about an item and about the process as a whole, by step."""
    return {found.step: found.verdict for found in _visible(state, item) if found.verdict}


def as_text(document: CanonicalDocument | None) -> Any:
    """A document as conditions see it: every number as text."""
    return None if document is None else document.model_dump(mode="json")


def _visible(state: ProcessState, item: str) -> list[Instance]:
    return [found for found in state.instances.values() if found.item in ("", item)]


def _steps_of(state: ProcessState, item: str) -> dict[str, dict[str, Any]]:
    return {
        found.step: {"state": str(found.state), "refused": found.refusal is not None, "reason": found.refusal or ""}
        for found in _visible(state, item)
    }


def _carried(flow: Flow, state: ProcessState) -> dict[tuple[str, str], frozenset[str]]:
    """What we created in each system, or may have: by system and kind of document."""
    carried: dict[tuple[str, str], frozenset[str]] = {}
    for found in state.instances.values():
        effect = flow.steps[found.step].effect if found.step in flow.steps else None
        if effect and "create" in effect.may and (found.wrote or found.state is StepState.RETRYING):
            place = (effect.system, effect.document)
            created = found.did("create") if len(effect.may) > 1 else found.made
            carried[place] = carried.get(place, frozenset()) | set(created)
    return carried


def _stopped(flow: Flow, state: ProcessState) -> frozenset[str]:
    """What we cancelled or closed in some system, as far as it is done."""
    return frozenset(
        ref
        for found in state.instances.values()
        if found.state is StepState.DONE and len(getattr(flow.steps[found.step].effect, "may", ())) > 1
        for ref in (*found.did("cancel"), *found.did("close"))
    )
