"""`throughline parked` and `throughline replay` over a real ledger: groups, single cases, canaries, a schedule."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from throughline.command_line.main import main
from throughline.connectors.landscape import replays_per_minute
from throughline.ledger import Ledger, migrate
from throughline.ledger.work_entries import Case, Changes, Claim, Start, StepChange
from throughline.local_platform import carrying
from throughline.local_platform.settings import PROJECT

CAUSE = "Rejected:erp:4711"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = 0
    try:
        main(arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.fixture
def ledger(postgres_dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Ledger:
    """Seven orders parked for one cause, and one for another."""
    migrate(postgres_dsn)
    monkeypatch.setenv("THROUGHLINE_LEDGER_DSN", postgres_dsn)
    monkeypatch.setenv("THROUGHLINE_STATE", str(tmp_path / "no instance here"))
    monkeypatch.setenv("COLUMNS", "200")
    ledger = Ledger(postgres_dsn, clock=lambda: datetime.now(UTC))
    with ledger.transaction() as books:
        started = books.processes.start([Start("f", "1", f"sales_order:crm:SO-{n}") for n in range(8)])
        ids = [one.process_id for one in started]
        books.processes.apply(Changes(steps=[StepChange(number, "erp_order", "", "running") for number in ids]))
        books.parked.park([
            Case(f"sales_order:crm:SO-{n}", "Rejected", CAUSE if n < 7 else "Rejected:erp:1", f"No period {n}.",
                 number, "erp_order", role="erp") for n, number in enumerate(ids)
        ])  # fmt: skip
    return ledger


class Erp:
    """Does in the ledger what a sweep would: each ready step is done, or parks again while the cause is not mended."""

    def __init__(self, ledger: Ledger, *, mended: bool = True) -> None:
        self.ledger, self.mended, self.did = ledger, mended, 0

    def __call__(self) -> None:
        with self.ledger.transaction() as books:
            claims = books.processes.claim("f", "erp_order", limit=100, holder="erp", seconds=60)
            books.steps.change(
                [StepChange(claim.process_id, "erp_order", "", "done") for claim in claims if self.mended]
            )
            books.parked.park([_again(claim) for claim in claims if not self.mended])
            books.processes.release(claims)
            self.did += len(claims)


def _again(claim: Claim) -> Case:
    return Case(claim.key, "Rejected", CAUSE, "Still no period.", claim.process_id, "erp_order", role="erp")


@pytest.fixture
def erp(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Erp:
    erp = Erp(ledger)
    monkeypatch.setattr(carrying, "carrier", lambda **_: erp)
    return erp


@pytest.mark.usefixtures("ledger")
def test_groups_name_three_examples_and_a_signature_lists_every_case(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "parked")
    assert code == 0
    assert "7 × Rejected · erp" in out
    assert "SO-0, SO-1, SO-2 … and 4 more" in out
    assert f"throughline replay --signature {CAUSE} --canary 3" in out
    group, other = json.loads(run(capsys, "parked", "--json")[1])
    assert (group["count"], group["owner_system"], other["count"]) == (7, "erp", 1)
    assert group["examples"] == [f"sales_order:crm:SO-{n}" for n in range(3)]
    assert group["oldest"] <= group["newest"]
    (single,) = json.loads(run(capsys, "parked", "--signature", CAUSE, "--json")[1])
    assert [case["reason"] for case in single["cases"]] == [f"No period {n}." for n in range(7)]
    assert "No period 6." in run(capsys, "parked", "--signature", CAUSE)[1]
    assert "Nothing is parked with this signature." in run(capsys, "parked", "--signature", "unknown")[1]


def test_canaries_arrive_and_the_rest_is_spread_over_time(
    ledger: Ledger, erp: Erp, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "replay", "--signature", CAUSE, "--canary", "3", "--per-minute", "6")
    assert (code, erp.did) == (0, 3)
    assert "7 parked; trying 3 first" in out
    assert "canary SO-0" in out
    assert "All 3 canaries arrived.\n4 parked cases go on, spread over 30 seconds." in out
    with ledger.transaction() as books:
        ready = [row.ready_at for row in books.steps.of(range(1, 20)) if row.state == "ready"]
        assert [later - ready[0] for later in ready] == [timedelta(seconds=10 * n) for n in range(4)]
        assert len(books.parked.open()) == 1
        assert {line.actor.endswith("(command line)") for line in books.audit.lines() if line.action == "replay"} == {
            True
        }
    erp()
    assert erp.did == 4, "the first at once, the others at their hour"
    assert run(capsys, "replay", "--signature", CAUSE, "--canary", "3")[0] == 1, "nothing is left to replay"


def test_without_a_number_the_slowest_system_sets_the_pace(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    with ledger.transaction() as books:
        (one,) = books.processes.list(flow="f", keys=["sales_order:crm:SO-7"])
        case = Case("sales_order:crm:SO-7", "Rejected", CAUSE, "x", one.process.id, "another", role="nobody")
        books.parked.park([case])
    told = json.loads(run(capsys, "replay", "--all", "--json")[1])
    pace = replays_per_minute(PROJECT / "include" / "systems", "erp")
    assert told["seconds"] == pytest.approx(8 * 60 / pace)


def test_a_canary_that_parks_again_stops_everything(
    ledger: Ledger, erp: Erp, capsys: pytest.CaptureFixture[str]
) -> None:
    erp.mended = False
    code, out, _ = run(capsys, "replay", "--signature", CAUSE, "--canary", "3")
    assert (code, erp.did) == (1, 3)
    assert "Stopped: 3 of 3 canaries parked again, so the cause is not mended.\nThe other 4 stay parked" in out
    with ledger.transaction() as books:
        assert len(books.parked.open(signature=CAUSE)) == 7
    code, out, _ = run(capsys, "replay", "--signature", CAUSE, "--canary", "2", "--json")
    told = json.loads(out)
    assert (code, told["passed"], told["released"], told["parked"]) == (1, False, [], 7)
    assert [canary["said"] for canary in told["canaries"]] == ["Still no period."] * 2


def test_canaries_that_do_not_arrive_in_time_let_nothing_follow(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(carrying, "carrier", lambda **_: lambda: None)
    code, out, _ = run(capsys, "replay", "--signature", CAUSE, "--canary", "1", "--wait", "0")
    assert code == 1
    assert "1 of 1 canaries have not arrived within 0 s" in out
    with ledger.transaction() as books:
        assert len(books.parked.open(signature=CAUSE)) == 6


def test_cases_can_be_listed_with_commas(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    assert "2 parked cases go on" in run(capsys, "replay", "--ids", "1,3")[1]
    with ledger.transaction() as books:
        assert [case.id for case in books.parked.open(signature=CAUSE)] == [2, 4, 5, 6, 7]
    assert run(capsys, "replay", "--ids", "one")[0] == 2
    assert run(capsys, "replay", "--ids", "2", "--all")[0] == 2


def test_the_pace_comes_from_what_the_product_declares() -> None:
    systems = PROJECT / "include" / "systems"
    assert replays_per_minute(systems, "crm") == 150, "half of the vendor's 100 calls in 20 seconds"
    assert replays_per_minute(systems, "erp") > 0
    assert replays_per_minute(systems, "nobody") == 0
