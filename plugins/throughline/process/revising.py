"""What happens when the subject changes under way.

Before anything was written the newest version simply is the subject. Afterwards each version is decided by itself, one
after the other; meanwhile the rest of the process holds still, so that a change is decided on facts that stand.
"""

from __future__ import annotations

from throughline.canonical import LATTICES, CanonicalDocument
from throughline.process.board import Board
from throughline.process.facts import as_text
from throughline.process.state import Instance, Revision, StepState


def adopt_before_anything_was_written(board: Board) -> None:
    """Take the newest version as the subject as long as no system knows any other; an exit ends it before it begins.

    The version in force may be an exit itself: a confirmation and its cancellation can be understood in one moment.
    """
    if _anything_written(board) or _family(board):
        return
    newest = board.state.revisions[-1]
    told, newer = as_text(newest.document), newest.id != board.state.in_force
    if board.flow.start.holds({"doc": told, "subject": told}):
        if newer:
            board.adopt(newest.id)
            _mend(board)
    elif _is_exit(newest.document):
        board.adopt(newest.id)
        for own in list(board.instances.values()):
            board.move(own, StepState.WITHDRAWN)
        board.finish("cancelled")


def open_next_revision(board: Board) -> None:
    """When the change before is settled: take it over if it was carried out, then begin with the next."""
    listener = board.flow.revisions
    if listener is None or board.at(listener).state is not StepState.OPEN or not _anything_written(board):
        return
    if revision_is_open(board):
        return
    _adopt_carried_out(board)
    for revision in _newer(board):
        if _decided(board, revision):
            continue
        if _is_late(board, revision.document):
            board.note(f"late: {revision.id} would move {revision.document.number} back to {revision.document.status}")
        elif as_text(revision.document) == as_text(board.state.subject):
            board.adopt(revision.id)
        else:
            board.add_items(listener, [revision.id])
            return


def revision_is_open(board: Board) -> bool:
    """Whether a change of the subject is being decided or carried out."""
    return any(not own.settled for own in _family(board))


def _adopt_carried_out(board: Board) -> None:
    for revision in _newer(board):
        family = [own for own in _family(board) if own.item == revision.id]
        if family and _was_carried_out(board, family):
            board.adopt(revision.id)


def _was_carried_out(board: Board, family: list[Instance]) -> bool:
    """Accepted and refused by no system; a letter or news of it that nobody took changes nothing of that."""
    outcomes = [own.verdict["outcome"] for own in family if "outcome" in own.verdict]
    effects = {own.step: board.flow.steps[own.step].effect for own in family if own.refusal}
    refused = any(effect is None or effect.document in LATTICES for effect in effects.values())
    return all(outcome == "apply" for outcome in outcomes) and not refused


def _newer(board: Board) -> list[Revision]:
    ids = [revision.id for revision in board.state.revisions]
    return list(board.state.revisions[ids.index(board.state.in_force) + 1 :])


def _decided(board: Board, revision: Revision) -> bool:
    return any(own.item == revision.id for own in _family(board))


def _family(board: Board) -> list[Instance]:
    listener = board.flow.revisions
    names = board.flow.per(listener) if listener else {}
    return [own for own in board.instances.values() if own.step in names]


def _anything_written(board: Board) -> bool:
    return any(own.wrote for own in board.instances.values() if board.flow.steps[own.step].effect)


def _mend(board: Board) -> None:
    """A corrected document is a second chance for what was parked because of it."""
    for own in list(board.instances.values()):
        if own.state is StepState.PARKED:
            board.move(own, StepState.WAITING, error=None, signature=None)


def _is_exit(document: CanonicalDocument) -> bool:
    lattice = LATTICES.get(document.kind)
    return bool(lattice and document.status in lattice.exits)


def _is_late(board: Board, document: CanonicalDocument) -> bool:
    lattice, current = LATTICES.get(document.kind), board.state.subject.status
    if lattice is None or document.status == current or not lattice.knows(document.status):
        return False
    return not lattice.moves(current, document.status)
