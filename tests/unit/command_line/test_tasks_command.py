"""`throughline tasks` and `throughline delegate` over a real ledger and the plant's own organisation."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from throughline.command_line.main import main
from throughline.ledger import Ledger, migrate
from throughline.local_platform.settings import PROJECT
from throughline.people.asking import Ask, TaskRules
from throughline.people.desk import Desk
from throughline.people.organisation_files import load_people
from throughline.people.words import Title


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = 0
    try:
        main(arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def question(key: str = "PR-1", **more: Any) -> Ask:
    rules = TaskRules(ask=("position:purchasing_manager",), title=Title(en="Order this?", zh="是否订购?"), **more)
    return Ask(
        "approve", rules, "procure_to_pay", key, "sign_off", f"purchase_requisition:oa:{key}", "v1", requester="li.na"
    )


@pytest.fixture
def ledger(postgres_dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Ledger:
    migrate(postgres_dsn)
    monkeypatch.setenv("THROUGHLINE_LEDGER_DSN", postgres_dsn)
    monkeypatch.setenv("THROUGHLINE_STATE", str(tmp_path / "no instance here"))
    monkeypatch.setenv("THROUGHLINE_INCLUDE", str(PROJECT / "include"))
    ledger = Ledger(postgres_dsn, clock=lambda: datetime.now(UTC))
    desk = Desk(load_people(PROJECT / "include" / "people"))
    with ledger.transaction() as books:
        desk.open(books, [question(), question("PR-2")])
    return ledger


def test_what_waits_is_listed_and_answered(capsys: pytest.CaptureFixture[str], ledger: Ledger) -> None:
    code, printed, _ = run(capsys, "tasks", "--person", "wang.lei", "--json")
    told = json.loads(printed)
    assert (code, [(entry["subject"], entry["waits_for"]) for entry in told]) == (
        0, [("purchase_requisition:oa:PR-1", ["wang.lei"]), ("purchase_requisition:oa:PR-2", ["wang.lei"])],
    )  # fmt: skip
    assert "Nothing waits for chen.jie." in run(capsys, "tasks", "--person", "chen.jie")[1]
    first = str(told[0]["id"])
    code, _, complaint = run(capsys, "tasks", "answer", first, "--as", "li.na", "--verdict", "approved")
    assert (code, "nobody answers their own request" in complaint) == (2, True)
    code, _, complaint = run(capsys, "tasks", "answer", first, "--as", "wang.lei", "--verdict", "rejected")
    assert (code, "say why" in complaint) == (2, True)
    code, printed, _ = run(capsys, "tasks", "answer", first, "--as", "wang.lei", "--verdict", "approved")
    assert (code, "now approved" in printed) == (0, True)
    with ledger.transaction() as books:
        [line] = [line for line in books.audit.lines() if line.action == "answered"]
    assert line.actor == "wang.lei"
    assert line.details["via"].endswith("(command line)")
    assert "PR-2" in run(capsys, "tasks")[1]


def test_a_delegation_from_the_command_line_counts_until_its_last_day(
    capsys: pytest.CaptureFixture[str], ledger: Ledger
) -> None:
    today = datetime.now(UTC).date() + timedelta(days=1)
    span = ("--from", (today - timedelta(days=2)).isoformat(), "--until", (today + timedelta(days=2)).isoformat())
    code, _, complaint = run(capsys, "delegate", "wang.lei", "zhao.yun", *span, "--as", "chen.jie")
    assert (code, "may not delegate for" in complaint) == (2, True)
    code, printed, _ = run(capsys, "delegate", "wang.lei", "zhao.yun", *span, "--flow", "procure_to_pay", "--json")
    assert (code, json.loads(printed)["flows"]) == (0, ["procure_to_pay"])
    entry = json.loads(run(capsys, "tasks", "--person", "zhao.yun", "--json")[1])[0]
    assert set(entry["waits_for"]) == {"wang.lei", "zhao.yun"}
    code, _, _ = run(capsys, "tasks", "answer", str(entry["id"]), "--as", "zhao.yun", "--verdict", "approved")
    assert code == 0
    with ledger.transaction() as books:
        assert [line.details["by"] for line in books.audit.lines() if line.action == "answered"] == [
            "zhao.yun for wang.lei"
        ]


def test_urging_sweeping_and_checking(capsys: pytest.CaptureFixture[str], ledger: Ledger) -> None:
    assert run(capsys, "tasks", "urge", "1", "--as", "li.na")[0] == 0
    code, _, complaint = run(capsys, "tasks", "urge", "1", "--as", "li.na")
    assert (code, "half an hour" in complaint) == (2, True)
    assert json.loads(run(capsys, "tasks", "sweep", "--json")[1])["tasks"] == 0
    code, printed, _ = run(capsys, "tasks", "check")
    assert code == 0
    assert "vacant: quality_manager" in printed


def test_a_broken_organisation_is_one_sentence_with_its_line(
    capsys: pytest.CaptureFixture[str], ledger: Ledger, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    people = tmp_path / "include" / "people"
    (people / "calendars").mkdir(parents=True)
    (people / "calendars" / "office.yaml").write_text("calendar: office\n")
    monkeypatch.setenv("THROUGHLINE_INCLUDE", str(tmp_path / "include"))
    code, _, complaint = run(capsys, "tasks", "check")
    assert code == 2
    assert "office.yaml:1" in complaint
