"""What a well-formed flow must also be: no step in a circle, no name that means nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import throughline.rules as rule_room
from throughline.canonical import DOCUMENTS
from throughline.errors import Misconfigured
from throughline.process.definition import Flow, Step, before


@dataclass(frozen=True)
class Problem:
    """A mistake, and where in the file it is."""

    place: tuple[str | int, ...]
    sentence: str


def problems_in(flow: Flow) -> Iterator[Problem]:
    """Every mistake that can be seen without knowing the systems, first the ones others follow from."""
    if flow.subject.document not in DOCUMENTS:
        yield Problem(("subject", "document"), _no_document(flow.subject.document))
    for name, step in flow.steps.items():
        yield from _names(flow, name, step)
    yield from _circle(flow)
    for name, step in flow.steps.items():
        yield from _documents(name, step)
        yield from _rules(name, step)
        yield from _families(flow, name, step)


def _names(flow: Flow, name: str, step: Step) -> Iterator[Problem]:
    for place, needed in enumerate(step.needs):
        if needed not in flow.steps:
            yield Problem(("steps", name, "needs", place), f"step '{name}' needs '{needed}', which is no step")
    if step.per is None:
        return
    per = flow.steps.get(step.per)
    if per is None or per.awaits is None or not per.awaits.each:
        yield Problem(("steps", name, "per"), f"step '{name}' is per '{step.per}', which is no await with 'each: true'")


def _circle(flow: Flow) -> Iterator[Problem]:
    done: set[str] = set()
    while True:
        free = [n for n, s in flow.steps.items() if n not in done and set(before(s)) & set(flow.steps) <= done]
        if not free:
            break
        done.update(free)
    left = [name for name in flow.steps if name not in done]
    if left:
        yield Problem(("steps", left[0]), f"these steps wait for each other in a circle: {', '.join(left)}")


def _documents(name: str, step: Step) -> Iterator[Problem]:
    for key, part in (("deliver", step.deliver), ("await", step.awaits), ("notify", step.notify)):
        if part is not None and part.document not in DOCUMENTS:
            yield Problem(("steps", name, key, "document"), _no_document(part.document))


def _rules(name: str, step: Step) -> Iterator[Problem]:
    wanted: list[tuple[tuple[str, ...], str, rule_room.RuleKind]] = []
    if step.deliver and step.deliver.make:
        wanted.append((("deliver", "make"), step.deliver.make, "make"))
    if step.notify:
        wanted.append((("notify", "make"), step.notify.make, "make"))
    if step.decide:
        wanted.append((("decide", "rule"), step.decide.rule, "decide"))
    if step.awaits and step.awaits.until and step.awaits.until.rule:
        wanted.append((("await", "until", "rule"), step.awaits.until.rule, "until"))
    for place, rule, kind in wanted:
        try:
            found = rule_room.rule_named(rule, kind)
        except Misconfigured as error:
            yield Problem(("steps", name, *place), str(error))
            continue
        if step.effect and found.makes and found.makes != step.effect.document:
            said = f"rule '{rule}' makes a {found.makes}, the step delivers a {step.effect.document}"
            yield Problem(("steps", name, *place), said)


def _families(flow: Flow, name: str, step: Step) -> Iterator[Problem]:
    """A step may need steps of its own item or of the whole process, never of another await's items."""
    for place, needed in enumerate(step.needs):
        other = flow.steps[needed]
        where = ("steps", name, "needs", place)
        if step.per and other.per not in (None, step.per):
            yield Problem(where, f"step '{name}' is per '{step.per}' and cannot need '{needed}', per '{other.per}'")
        if flow.revisions and flow.revisions in (needed, other.per) and step.per != flow.revisions:
            yield Problem(where, f"step '{name}' cannot need '{needed}': changes may come as long as the process lasts")
    listeners = [n for n, s in flow.steps.items() if s.awaits and s.awaits.revisions]
    if len(listeners) > 1 and name == listeners[1]:
        yield Problem(("steps", name), "a flow listens for revisions of its subject in one step only")


def _no_document(kind: str) -> str:
    return f"there is no document '{kind}'; there are: {', '.join(sorted(DOCUMENTS))}"
