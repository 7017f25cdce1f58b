"""Which steps a sweep can still reach in the same run once a step has done its work."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from throughline.process.definition import Flow, before

Passable = Callable[[str, str], bool]


def followers(flow: Flow) -> dict[str, list[str]]:
    """For each step, the steps its work can make ready at once.

    What lies behind something the flow waits for is left to the sweep that the awaited document wakes; and a step done
    per item follows only steps done per the same item.
    """
    after: dict[str, list[str]] = {name: [] for name in flow.steps}
    for name, step in flow.steps.items():
        for earlier in before(step):
            after[earlier].append(name)
    return {name: sorted(_reached(flow, after, name)) for name in flow.steps}


def _reached(flow: Flow, after: dict[str, list[str]], start: str) -> set[str]:
    near = set(_walk(after, [start], lambda earlier, later: _at_once(flow, earlier, later)))
    waits = [name for name in _walk(after, [start], lambda _, __: True) if flow.steps[name].awaits]
    return near - set(waits) - set(_walk(after, waits, lambda _, __: True))


def _at_once(flow: Flow, earlier: str, later: str) -> bool:
    step = flow.steps[later]
    return step.awaits is None and step.per in (None, flow.steps[earlier].per)


def _walk(after: dict[str, list[str]], start: list[str], passable: Passable) -> Iterator[str]:
    """Everything behind these steps."""
    seen, queue = set(start), list(start)
    while queue:
        here = queue.pop()
        for there in after[here]:
            if there not in seen and passable(here, there):
                seen.add(there)
                queue.append(there)
                yield there
