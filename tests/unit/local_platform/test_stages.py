"""Things start as soon as what they need is done, and a failure stops what has not begun."""

from __future__ import annotations

import threading
import time

import pytest

from throughline.errors import Transient
from throughline.local_platform.stages import Stage, carry_out


def test_needs_come_first_and_the_rest_runs_side_by_side() -> None:
    done: list[str] = []
    together = threading.Barrier(2, timeout=5)

    def stage(name: str, *needs: str, meets: bool = False) -> Stage:
        def act(_: threading.Event) -> None:
            if meets:
                together.wait()
            done.append(name)

        return Stage(name, name.upper(), needs, act)

    told: list[str] = []
    stages = [stage("c", "a", "b"), stage("a", meets=True), stage("b", "not one of these", meets=True)]
    carry_out(stages, lambda title, _: told.append(title))
    assert set(done[:2]) == {"a", "b"}
    assert done[2] == "c"
    assert sorted(told) == ["A", "B", "C"]


def test_the_first_failure_stops_the_others() -> None:
    never: list[str] = []
    stopped: list[bool] = []

    def fails(_: threading.Event) -> None:
        time.sleep(0.05)
        raise Transient("no database")

    stages = [
        Stage("bad", "Bad", (), fails),
        Stage("long", "Long", (), lambda stop: stopped.append(stop.wait(10))),
        Stage("after", "After", ("bad",), lambda _: never.append("after")),
    ]
    with pytest.raises(Transient, match="no database"):
        carry_out(stages, lambda *_: None)
    assert stopped == [True]
    assert never == []


def test_stages_that_wait_for_each_other_are_a_mistake_said_at_once() -> None:
    stages = [Stage("a", "A", ("b",), lambda _: None), Stage("b", "B", ("a",), lambda _: None)]
    with pytest.raises(ValueError, match="wait for each other: a, b"):
        carry_out(stages, lambda *_: None)


def test_somebody_who_waits_long_is_told_what_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("throughline.local_platform.stages._PATIENCE", 0.05)
    told: list[str] = []
    carry_out([Stage("slow", "The slow one", (), lambda _: time.sleep(0.2))], lambda what, _: told.append(what))
    assert told[0] == "… still at: The slow one"
    assert told[-1] == "The slow one"
