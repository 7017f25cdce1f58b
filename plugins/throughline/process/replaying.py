"""Replay after a mending: a few canaries first, then the rest in lane order, spread over time.

    replaying = Replaying(ledger, Choice(signature=...), by="hannah (command line)")
    tried = replaying.try_canaries(3, watch=watch)       # lets three go on and waits for their outcome
    if tried.passed:
        replaying.release(per_minute=60)                 # the ledger lets one go on each second, whoever is alive

Who carries the work is not this module's business: the ledger says what may go on, and any hub that runs takes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from throughline.ledger import Ledger
from throughline.ledger.replays import Choice, Fate
from throughline.ledger.work_entries import ParkedCase

PARKED, ARRIVED, OPEN = "parked", "arrived", "open"


@dataclass(frozen=True)
class Watch:
    """How the outcome of canaries is waited for: what is done between two looks, for how long, and who is told."""

    between: Callable[[], None]
    """lets time pass, or carries the work itself where no Airflow does"""
    seconds: float = 300.0
    now: Callable[[], float] = time.monotonic
    tell: Callable[[Sequence[ParkedCase], Sequence[Fate]], None] = field(default=lambda _cases, _fates: None)
    """hears of the canaries and how they fare whenever that changed"""


@dataclass(frozen=True)
class Tried:
    """The canaries and how they fared."""

    cases: tuple[ParkedCase, ...] = ()
    fates: tuple[Fate, ...] = ()

    @property
    def passed(self) -> bool:
        """Every canary arrived."""
        return all(fate.state == ARRIVED for fate in self.fates)

    def fared(self, state: str) -> list[tuple[ParkedCase, Fate]]:
        """The canaries that ended so."""
        by_id = {case.id: case for case in self.cases}
        return [(by_id[fate.case_id], fate) for fate in self.fates if fate.state == state]


@dataclass(frozen=True)
class Released:
    """What goes on: parked cases in their order, and how many that waited for a mending are tried at once."""

    cases: tuple[ParkedCase, ...] = ()
    hurried: int = 0
    every: timedelta = timedelta()

    @property
    def lasts(self) -> timedelta:
        """How long it takes until the last of them is let go on."""
        return self.every * max(0, len(self.cases) - 1)


class Replaying:
    """One wish to let parked work go on."""

    def __init__(self, ledger: Ledger, choice: Choice, *, by: str, arrived: bool | None = None) -> None:
        self._ledger, self._choice, self._by, self._arrived = ledger, choice, by, arrived

    def waiting(self) -> int:
        """How many parked cases are meant."""
        with self._ledger.transaction() as books:
            return len(books.parked.in_order(self._choice))

    def try_canaries(self, count: int, *, watch: Watch) -> Tried:
        """Let the oldest of different lanes go on, and wait until all arrived, one parks again, or time is over."""
        with self._ledger.transaction() as books:
            chosen = books.parked.canaries(self._choice, count)
            cases = books.parked.release(chosen, by=self._by, arrived=self._arrived)
        deadline, told = watch.now() + watch.seconds, None
        while True:
            tried = self._fared(cases)
            if tried.fates != told:
                watch.tell(cases, tried.fates)
                told = tried.fates
            if not tried.fared(OPEN) or tried.fared(PARKED) or watch.now() >= deadline:
                return tried
            watch.between()

    def release(self, *, per_minute: float | None = None) -> Released:
        """Let everything chosen go on that is still parked, so many a minute; all at once without a number."""
        every = timedelta(minutes=1) / per_minute if per_minute else timedelta()
        with self._ledger.transaction() as books:
            hurried = 0
            if self._choice.ids is None:
                signature, keys = self._choice.signature, self._choice.keys
                hurried = books.steps.retry_now(signature=signature, keys=keys)
                hurried += books.records.retry_now(signature) if keys is None else 0
                if hurried:
                    books.breakers.try_now()
            ids = books.parked.in_order(self._choice)
            cases = books.parked.release(ids, by=self._by, arrived=self._arrived, every=every)
        return Released(tuple(cases), hurried, every)

    def _fared(self, cases: Sequence[ParkedCase]) -> Tried:
        with self._ledger.transaction() as books:
            return Tried(tuple(cases), tuple(books.parked.fates(cases)))
