"""Which documents an await has found, and whether they are enough."""

from __future__ import annotations

from throughline.errors import Unknown
from throughline.process.board import Board
from throughline.process.definition import Await, Until
from throughline.process.facts import Facts, papers_of
from throughline.process.state import StepState
from throughline.rules import rule_named


def candidates(board: Board, name: str, awaits: Await) -> list[str]:
    """Canonical ids of the process's documents of the awaited kind and system for which `where` holds."""
    found = []
    for entry in board.state.linked:
        if entry.role != awaits.system or entry.document.kind != awaits.document:
            continue
        own = board.at(name)
        with board.parking(own):
            facts = Facts(board.flow, board.state, name, "", entry.document)
            if awaits.where is None or awaits.where.holds(facts):
                found.append(entry.canonical_id)
    return sorted(set(found))


def has_enough(board: Board, name: str, awaits: Await, found: list[str]) -> bool:
    """Whether the await may close: its rule or condition holds, or its one document is there."""
    if board.at(name).state is not StepState.OPEN:
        return False
    if awaits.until is None:
        return bool(found)
    asked = (name, board.state.in_force)
    if asked not in board.enough:
        board.enough[asked] = _until(board, name, awaits.until)
    return board.enough[asked]


def _until(board: Board, name: str, until: Until) -> bool:
    if until.condition is not None:
        return until.condition.holds(Facts(board.flow, board.state, name, ""))
    rule = rule_named(until.rule or "", "until")
    try:
        return bool(rule(board.state.subject, None, papers_of(board.state)))
    except Unknown:
        return False  # an item nobody has told us about yet: asked again with the next document
