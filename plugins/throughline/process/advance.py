"""The pure heart of the engine: given a flow, where one process stands and the time, what happens next.

    changes = advance(flow, state, now)

It knows no ledger, no network and no worker. The same documents in any order, once or several times, lead to the same
end; a step is never made ready again after it began, and nothing leaves `done`, `skipped` or `withdrawn`.
"""

from __future__ import annotations

from datetime import datetime

from throughline.canonical import LATTICES
from throughline.errors import Invalid
from throughline.process.board import Board
from throughline.process.definition import Flow, Step
from throughline.process.facts import Facts
from throughline.process.finding import candidates, has_enough
from throughline.process.revising import adopt_before_anything_was_written, open_next_revision, revision_is_open
from throughline.process.state import SETTLED, Changes, Instance, ProcessState, StepState

WAITING_STATES = frozenset(StepState) - SETTLED - {StepState.RUNNING}
CLOSED = (StepState.WAITING, StepState.READY, StepState.RUNNING)
"""An await in one of these has not begun to look; `ready` and `running` are how a replay comes back from the ledger."""


def advance(flow: Flow, state: ProcessState, now: datetime) -> Changes:
    """Everything that follows from how the process stands now, until nothing more follows."""
    if state.state != "running":
        return Changes()
    board = Board(flow, state, now)
    board.lay_out()
    for _ in range(100):
        before = board.moves
        _round(board)
        if board.moves == before or board.ended:
            break
    return board.changes()


def _round(board: Board) -> None:
    adopt_before_anything_was_written(board)
    open_next_revision(board)
    held = revision_is_open(board)
    for name in board.flow.in_order:
        step = board.flow.steps[name]
        if step.awaits is not None:
            _wait(board, name, step, held)
        else:
            _move_family(board, name, step, held)
    _end(board)


def _wait(board: Board, name: str, step: Step, held: bool) -> None:
    """Open an await whose needs are met, find its items, and close it when it has enough."""
    own = board.at(name)
    if own.state in CLOSED and board.needs_settled(step, ""):
        _open(board, own, step)
    own = board.at(name)
    looks = own.state in (StepState.OPEN, StepState.DONE) or (own.state is StepState.PARKED and step.when is None)
    if not looks or step.awaits is None or step.awaits.revisions:
        return
    found = candidates(board, name, step.awaits)
    if step.awaits.each:
        board.add_items(name, found)
    if own.state is StepState.OPEN and not held:
        with board.parking(own):
            if has_enough(board, name, step.awaits, found):
                board.move(own, StepState.DONE)


def _open(board: Board, own: Instance, step: Step) -> None:
    with board.parking(own):
        applies = step.when is None or step.when.holds(Facts(board.flow, board.state, own.step, ""))
        board.move(own, StepState.OPEN if applies else StepState.SKIPPED)


def _move_family(board: Board, name: str, step: Step, held: bool) -> None:
    """Make ready, hold or skip every instance of a step that has not begun."""
    for_change = step.per is not None and step.per == board.flow.revisions
    for own in board.all_of(name):
        if held and not for_change:
            if own.state is StepState.READY:
                board.move(own, StepState.WAITING)
        elif own.state is StepState.WAITING and board.needs_settled(step, own.item):
            if for_change and board.anything_under_way():
                continue
            _make_ready(board, own, step)
        elif own.state is StepState.PARKED:
            _skip_if_not_wanted_any_more(board, own, step)


def _skip_if_not_wanted_any_more(board: Board, own: Instance, step: Step) -> None:
    """What stopped and whose condition holds no more needs no mending; what may have been carried out stays."""
    if step.when is None or own.in_doubt:
        return
    try:
        wanted = step.when.holds(Facts(board.flow, board.state, own.step, own.item))
    except Invalid:
        return
    if not wanted:
        board.move(own, StepState.SKIPPED, error=None, signature=None)


def _make_ready(board: Board, own: Instance, step: Step) -> None:
    with board.parking(own):
        applies = step.when is None or step.when.holds(Facts(board.flow, board.state, own.step, own.item))
        board.move(own, StepState.READY if applies else StepState.SKIPPED)


def _end(board: Board) -> None:
    """End the process when a step said so, or when nothing is left to do."""
    wanted = board.ending()
    if wanted is not None:
        for own in list(board.instances.values()):
            if own.state in WAITING_STATES and not own.in_doubt:
                board.move(own, StepState.WITHDRAWN)
        if all(own.settled for own in board.instances.values()):
            board.finish(wanted)
        return
    listener = board.flow.revisions
    if all(own.settled or own.step == listener for own in board.instances.values()):
        if listener:
            board.move(board.at(listener), StepState.WITHDRAWN)
        board.finish(_outcome(board))


def _outcome(board: Board) -> str:
    lattice = LATTICES.get(board.flow.subject.document)
    return "cancelled" if lattice and board.state.subject.status in lattice.exits else "finished"
