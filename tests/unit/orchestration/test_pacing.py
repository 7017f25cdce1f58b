"""A watcher speaks when there is something new, repeats itself while it stays, and survives what it watches."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from throughline.errors import Misconfigured, Transient
from throughline.orchestration.triggers.pacing import announce, announce_through_failures


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 0.0
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.pauses.append(seconds)

    def now(self) -> float:
        return self.at


class Source:
    """Gives one prepared answer after the other; an exception among them is raised."""

    def __init__(self, answers: Iterable[object]) -> None:
        self.answers = list(answers)
        self.opened = 0

    async def look(self) -> frozenset[object]:
        if not self.answers:
            raise _EndOfTestError
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return frozenset(answer)  # type: ignore[call-overload]

    @asynccontextmanager
    async def open(self):
        self.opened += 1
        yield self.look


class _EndOfTestError(BaseException):
    pass


async def heard(stream: AsyncIterator[frozenset[object]], time: Time) -> list[tuple[float, set[object]]]:
    said: list[tuple[float, set[object]]] = []
    with suppress(_EndOfTestError):  # a watcher never ends by itself
        while True:
            found = await anext(stream)
            said.append((time.at, set(found)))
    return said


async def test_news_is_told_at_once_and_silence_is_kept_when_there_is_none() -> None:
    time, source = Time(), Source([[], [], ["a"], [], [], ["b"], []])
    said = await heard(announce(source.look, every=1, again=100, sleep=time.sleep, now=time.now), time)
    assert said == [(2.0, {"a"}), (5.0, {"b"})]


async def test_what_stays_is_repeated_but_not_with_every_look() -> None:
    time, source = Time(), Source([["a"]] * 8)
    said = await heard(announce(source.look, every=1, again=3, sleep=time.sleep, now=time.now), time)
    assert [moment for moment, _ in said] == [0.0, 3.0, 6.0]


async def test_something_new_beside_something_old_is_told_at_once() -> None:
    time, source = Time(), Source([["a"], ["a", "b"], ["a", "b"], ["b"], []])
    said = await heard(announce(source.look, every=1, again=100, sleep=time.sleep, now=time.now), time)
    assert said == [(0.0, {"a"}), (1.0, {"a", "b"})]


async def test_what_was_done_and_comes_back_is_news_again() -> None:
    time, source = Time(), Source([["a"], [], ["a"]])
    said = await heard(announce(source.look, every=1, again=100, sleep=time.sleep, now=time.now), time)
    assert [moment for moment, _ in said] == [0.0, 2.0]


async def test_a_source_that_is_away_is_opened_again_after_growing_pauses() -> None:
    time = Time()
    source = Source([["a"], Transient("away"), Misconfigured("wrong"), OSError("gone"), RuntimeError("bug"), ["b"]])
    stream = announce_through_failures(
        source.open, every=1, again=100, sleep=time.sleep, now=time.now, chance=random.Random(7)
    )
    said = await heard(stream, time)
    assert [marks for _, marks in said] == [{"a"}, {"b"}]
    assert source.opened == 5
    pauses = [pause for pause in time.pauses if pause != 1]
    assert len(pauses) == 4
    assert all(2**n / 2 <= pause <= 2**n for n, pause in enumerate(pauses, start=1))


async def test_pauses_stop_growing() -> None:
    time, source = Time(), Source([Transient("away")] * 12)
    stream = announce_through_failures(source.open, every=1, again=9, sleep=time.sleep, now=time.now)
    assert await heard(stream, time) == []
    assert max(time.pauses) <= 15
