"""The demo watches until all have arrived, and does not wait for what is parked."""

from __future__ import annotations

from typing import Any

import pytest

from throughline.command_line import demo_progress
from throughline.command_line.mending import Wrong


def path(state: str, *steps: tuple[str, str]) -> dict[str, Any]:
    return {"state": state, "steps": [{"name": name, "state": one} for name, one in steps]}


def test_parked_orders_are_not_waited_for_but_moving_ones_are(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(demo_progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(demo_progress, "what_is_wrong", list)
    stuck = demo_progress._Stuck(demo_progress._Mending(quiet=True))
    parked, moving = path("running", ("erp_order", "parked")), path("running", ("erp_order", "running"))
    for _ in range(3):
        assert not stuck.now([parked, moving])
        now[0] += 30
    assert not stuck.now([parked, path("finished")])
    now[0] += 19
    assert not stuck.now([parked])
    now[0] += 2
    assert stuck.now([parked])


def test_what_must_be_mended_is_said_once_and_ends_the_waiting_when_nothing_moves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    wrong = [Wrong("include/mappings/x.yaml:8", "Broken table", "broken", "include/mappings/x.yaml:8: what is this?")]
    monkeypatch.setattr(demo_progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(demo_progress, "what_is_wrong", lambda: wrong)
    stuck = demo_progress._Stuck(demo_progress._Mending(quiet=False))
    for done in ("erp_order", "order_accepted"):
        now[0] += 15
        assert not stuck.now([path("running", (done, "done"))])
    now[0] += 30
    assert stuck.now([path("running", ("order_accepted", "done"))])
    assert capsys.readouterr().err == "To be mended: Broken table: include/mappings/x.yaml:8: what is this?\n"
    wrong.clear()
    now[0] += 30
    assert not stuck.now([path("running", ("order_accepted", "done"))])


def test_plain_lines_say_what_changed_and_only_that(capsys: pytest.CaptureFixture[str]) -> None:
    show = demo_progress._lines(demo_progress.console())
    order = path("running", ("erp_order", "done"), ("shipments", "ready"))
    show(1.0, {"SO-1": order})
    show(2.0, {"SO-1": order})
    show(3.0, {"SO-1": path("finished", ("erp_order", "done"))})
    assert capsys.readouterr().out.splitlines() == [
        "   1.0 s  SO-1  running, 1/2 steps, now at shipments",
        "   3.0 s  SO-1  finished, 1/1 steps",
    ]
