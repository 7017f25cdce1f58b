"""`throughline` over a real ledger: help, shapes of `--json`, and errors that are one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from throughline.command_line.main import main
from throughline.connectors.contract import Captured
from throughline.ledger import Ledger, migrate
from throughline.ledger.entries import Identity, Translation, Waiting
from throughline.ledger.work_entries import Case, Changes, Confirmation, Intent, Link, Start, StepChange

KEY = "sales_order:crm:SO-1"
NAMES = ("up", "down", "status", "demo", "trace", "processes", "parked", "replay", "audit")


class Clock:
    """Half a second passes with every look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=0.5)
        return self.now


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """One command in this process: its exit code and what it printed."""
    code = 0
    try:
        main(arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.fixture
def ledger(postgres_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """One order: captured, delivered to the ERP, parked on its way to the MES."""
    migrate(postgres_dsn)
    monkeypatch.setenv("THROUGHLINE_LEDGER_DSN", postgres_dsn)
    monkeypatch.setenv("COLUMNS", "200")
    ledger = Ledger(postgres_dsn, clock=Clock())
    with ledger.transaction() as books:
        raw = Captured("sales_order", "65a1", {"name": "SO-1"}, number="SO-1", revision="1")
        (stored,) = books.records.store("crm", [raw])
        books.records.translated([Translation(stored.version_id, KEY, {"status": "confirmed", "quantity": "10"}, "v1")])
        books.identities.register(
            [Identity("crm", "sales_order", "65a1", KEY, "SO-1"), Identity("erp", "sales_order", "12", KEY, "S00012")]
        )
        (started,) = books.processes.start([Start("order_to_delivery", "v1", KEY, "crm")])
    process = started.process_id
    with ledger.transaction() as books:
        books.processes.apply(Changes(links=[Link(process, KEY, "sales_order", "crm")]))
        books.processes.apply(Changes(steps=[StepChange(process, "erp_order", "", "ready")]))
    with ledger.transaction() as books:
        assert books.processes.claim("order_to_delivery", "erp_order", limit=1, holder="a test", seconds=60)
    with ledger.transaction() as books:
        intent = Intent(
            "k1", process, "erp_order", "", "erp", "sales_order", "create", KEY, "T3", "SO-1", {"n": "SO-1"}
        )
        (intended,) = books.deliveries.intend([intent])
    with ledger.transaction() as books:
        books.deliveries.sent([intended.delivery.id])
    with ledger.transaction() as books:
        books.deliveries.confirmed([Confirmation(intended.delivery.id, "12", "S00012")])
        done = StepChange(process, "erp_order", "", "done")
        books.processes.apply(Changes(steps=[done, StepChange(process, "mes_work_order", "WO-7", "running")]))
        books.parked.park(
            [Case(KEY, "Rejected", "Rejected:mes:40011", "The MES does not know FG-100.", process, "mes_work_order",
                  "WO-7", role="mes")]
        )  # fmt: skip
    ledger.close()
    return ledger


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, out, err = run(capsys, *arguments)
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.mark.usefixtures("ledger")
def test_processes_have_the_promised_shape(capsys: pytest.CaptureFixture[str]) -> None:
    (process,) = told(capsys, "processes", "--json")
    assert {name: process[name] for name in ("flow", "key", "finished_at")} == {
        "flow": "order_to_delivery", "key": KEY, "finished_at": None,
    }  # fmt: skip
    assert datetime.fromisoformat(process["started_at"]).tzinfo is not None
    first, second = process["steps"]
    assert (first["name"], first["state"], first["attempts"]) == ("erp_order", "done", 1)
    assert first["seconds"] > 0
    assert (second["name"], second["item"], second["state"], second["seconds"]) == (
        "mes_work_order", "WO-7", "parked", None,
    )  # fmt: skip
    assert told(capsys, "processes", "--json", "--flow", "another") == []


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("number", ["SO-1", "65a1", "S00012", "12", KEY])
def test_trace_finds_a_document_by_any_number_of_any_system(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = told(capsys, "trace", number, "--json")
    assert (path["number"], path["key"], path["flow"]) == (number, KEY, "order_to_delivery")
    assert {step["name"] for step in path["steps"]} == {"erp_order", "mes_work_order"}
    (document,) = path["documents"]
    assert (document["canonical_id"], document["system"], document["status"]) == (KEY, "crm", "confirmed")
    assert {(one["system"], one["their_id"]) for one in path["identities"]} == {("crm", "65a1"), ("erp", "12")}
    (delivery,) = path["deliveries"]
    assert (delivery["system"], delivery["state"], delivery["number"]) == ("erp", "confirmed", "S00012")


@pytest.mark.usefixtures("ledger")
def test_trace_draws_the_path_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "trace", "SO-1")
    assert code == 0
    for words in (KEY, "erp_order", "sales_order create confirmed → S00012", "mes_work_order [WO-7]",
                  "The MES does not know FG-100.", "crm: SO-1 (id 65a1) confirmed"):  # fmt: skip
        assert words in out


def test_trace_shows_what_was_told_and_is_not_understood_yet(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    with ledger.transaction() as books:
        (stored,) = books.records.store("crm", [Captured("sales_order", "77b", {"name": "SO-77"}, number="SO-77")])
        books.records.waiting([Waiting(stored.version_id, "crm/customer/C-9", "Customer C-9 is not known.", "s")])
    code, out, _ = run(capsys, "trace", "SO-77")
    assert code == 0
    for words in ("SO-77: told, and not understood yet", "waits for crm/customer/C-9", "Customer C-9 is not known."):
        assert words in out
    (told_once,) = told(capsys, "trace", "77b", "--json")["told"]
    assert (told_once["state"], told_once["awaited"]) == ("waiting", "crm/customer/C-9")


@pytest.mark.usefixtures("ledger")
def test_a_number_nobody_knows_is_a_no(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "trace", "SO-404")
    assert code == 1
    assert "No system has told us of SO-404" in out
    code, out, _ = run(capsys, "trace", "SO-1", "SO-404", "--json")
    assert (code, [one.get("error") for one in json.loads(out)]) == (1, [None, "not known"])


@pytest.mark.usefixtures("ledger")
def test_parked_is_grouped_by_cause_and_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    (group,) = told(capsys, "parked", "--json")
    assert (group["signature"], group["owner_system"], group["count"]) == ("Rejected:mes:40011", "mes", 1)
    assert group["cases"][0]["subject"] == KEY
    assert "throughline replay --signature Rejected:mes:40011" in run(capsys, "parked")[1]
    (case,) = told(capsys, "replay", "--signature", "Rejected:mes:40011", "--json")["released"]
    assert case["step"] == "mes_work_order"
    assert run(capsys, "replay", "--all")[0] == 1
    assert "Nothing is parked." in run(capsys, "parked")[1]


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("choice", [["--all"], ["--key", KEY], None])
def test_replay_can_be_told_what_in_several_ways(choice: list[str] | None, capsys: pytest.CaptureFixture[str]) -> None:
    (group,) = told(capsys, "parked", "--json")
    chosen = choice or [str(group["cases"][0]["id"])]
    assert "1 parked case goes on." in run(capsys, "replay", *chosen)[1]


def test_replay_must_be_told_exactly_one_thing(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "replay", "--all", "--key", KEY)
    assert (code, err) == (2, "throughline: choose one of: IDs, --signature, --key, --all\n")


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_and_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, name, "--help")
    assert code == 0
    assert "--json" in out


def test_help_answers_without_loading_the_hub() -> None:
    program = (
        "import sys; from throughline.command_line.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'airflow', 'psycopg', 'rich', 'httpx', 'supervisor', 'throughline.ledger'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for name in NAMES:
        assert f"\n  {name} " in done.stdout


def test_where_nothing_was_started_the_error_is_one_sentence(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("THROUGHLINE_LEDGER_DSN", raising=False)
    monkeypatch.setenv("THROUGHLINE_STATE", str(tmp_path / "empty"))
    code, out, err = run(capsys, "processes")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "nothing was ever started here" in err
    code, out, _ = run(capsys, "processes", "--json")
    assert (code, list(json.loads(out))) == (2, ["error"])
    assert run(capsys, "status")[0] == 1
    assert run(capsys, "down")[0] == 0


def test_a_ledger_that_does_not_answer_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("THROUGHLINE_LEDGER_DSN", "postgresql://postgres:geheim@127.0.0.1:1/ledger")
    code, _, err = run(capsys, "parked")
    assert (code, err.count("\n")) == (2, 1)
    assert "the ledger does not answer" in err
    code, _, err = run(capsys, "parked", "--debug")
    assert "Traceback" in err
    assert "geheim" not in err


def test_an_unknown_command_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "trance")
    assert (code, err) == (2, "throughline: No such command 'trance'.\n")
