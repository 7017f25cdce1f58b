"""When a question is decided. Pure: rules, seats and the answers so far, in any order, give one outcome.

`first`: the first answer decides. A number: so many different people agree; it is rejected once too few are left who
could. `all`: every seat agrees; one refusal rejects. Sent back by anybody ends it: the document has to change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

from throughline.people.asking import TaskRules
from throughline.people.seats import Seat

Verdict = Literal["approved", "rejected", "sent_back", "done"]
Outcome = Literal["open", "approved", "rejected", "sent_back", "done"]
AGREES = ("approved", "done")


class Vote(Protocol):
    """What counts of an answer."""

    @property
    def person(self) -> str: ...  # noqa: D102
    @property
    def principal(self) -> str: ...  # noqa: D102
    @property
    def seats(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def verdict(self) -> Verdict: ...  # noqa: D102


def judge(rules: TaskRules, seats: Sequence[Seat], votes: Sequence[Vote]) -> Outcome:
    """What these answers amount to."""
    if any(vote.verdict == "sent_back" for vote in votes):
        return "sent_back"
    agreed = [vote for vote in votes if vote.verdict in AGREES]
    if len(agreed) < len(votes) and _refusal_decides(rules, seats, votes, len(agreed)):
        return "rejected"
    if not agreed or len({vote.person for vote in agreed}) < rules.least:
        return "open"
    if rules.needs == "all" and not _all_filled(seats, agreed):
        return "open"
    return "done" if agreed[0].verdict == "done" else "approved"


def _refusal_decides(rules: TaskRules, seats: Sequence[Seat], votes: Sequence[Vote], agreed: int) -> bool:
    if rules.needs in ("first", "all"):
        return True
    return agreed + len(_still_free(seats, votes)) < rules.least


def _still_free(seats: Iterable[Seat], votes: Iterable[Vote]) -> set[str]:
    spoken = {name for vote in votes for name in (vote.person, vote.principal)}
    return {person for seat in seats for person in seat.people} - spoken


def _all_filled(seats: Iterable[Seat], agreed: Iterable[Vote]) -> bool:
    filled = {name for vote in agreed for name in vote.seats}
    return all(seat.name in filled for seat in seats)
