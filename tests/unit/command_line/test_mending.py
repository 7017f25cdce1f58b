"""`throughline status` names what a person must mend: files with their line, what waits for them, wrong secrets."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from throughline.command_line.main import main
from throughline.command_line.mending import what_is_wrong
from throughline.connectors.contract import Captured
from throughline.connectors.places import PRODUCTS
from throughline.ledger import Ledger, migrate
from throughline.local_platform.settings import PROJECT
from throughline.process.declarations import broken_files


@pytest.fixture
def include(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The plant's own files, in order, to be broken."""
    for folder in ("systems", "flows", "codes", "mappings"):
        shutil.copytree(PROJECT / "include" / folder, tmp_path / "include" / folder)
    monkeypatch.setenv("THROUGHLINE_INCLUDE", str(tmp_path / "include"))
    monkeypatch.setenv("THROUGHLINE_STATE", str(tmp_path / "never started"))
    monkeypatch.delenv("THROUGHLINE_LEDGER_DSN", raising=False)
    return tmp_path / "include"


def broken(include: Path) -> list[tuple[str, str]]:
    return [(one.kind, one.where.removeprefix(f"{include}/")) for one in broken_files(include, (PRODUCTS,))]


def test_files_in_order_are_not_mentioned(include: Path) -> None:
    assert broken(include) == []
    assert what_is_wrong() == []


def test_a_file_that_breaks_or_is_mended_is_noticed(include: Path) -> None:
    table = include / "mappings" / "flux" / "receipt.yaml"
    table.parent.mkdir()
    assert what_is_wrong() == []
    table.write_text("product: flux\n")
    assert [one.state for one in what_is_wrong()] == ["broken"]
    table.unlink()
    assert what_is_wrong() == []


def test_every_kind_of_broken_file_is_named_with_its_line(include: Path) -> None:
    (include / "mappings" / "flux").mkdir()
    (include / "mappings" / "flux" / "receipt.yaml").write_text("product: flux\ndocument: receipt\nkeys: {}\n")
    (include / "systems" / "mes.yaml").write_text("role: mes\nproduct: unheard_of\nconnection: mes\n")
    flow = include / "flows" / "order_to_delivery.yaml"
    flow.write_text(flow.read_text().replace("due: 15m", "due: soon", 1))
    (include / "codes" / "currencies.yaml").write_text("words:\n  CNY: [\n")
    found = dict(broken(include))
    line = flow.read_text().splitlines().index("    due: soon") + 1
    assert found["table"] == "mappings/flux/receipt.yaml:3"
    assert found["system"] == "systems/mes.yaml:2"
    assert found["flow"] == f"include/flows/order_to_delivery.yaml:{line}"
    assert found["code list"].startswith("codes/currencies.yaml:")
    assert len(broken(include)) == 4, "a broken list is named once, not again for each table that uses it"


def test_what_two_files_say_together_is_checked_too(include: Path) -> None:
    (include / "systems" / "wms.yaml").write_text("role: wms\nproduct: flux\nconnection: wms\nowns: [item]\n")
    assert broken(include) == [("system", "systems/wms.yaml:4")]


def test_status_says_what_the_tasks_met_and_what_waits(
    include: Path, postgres_dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(postgres_dsn)
    monkeypatch.setenv("THROUGHLINE_LEDGER_DSN", postgres_dsn)
    ledger = Ledger(postgres_dsn, clock=lambda: datetime.now(UTC))
    with ledger.transaction() as books:
        (stored,) = books.records.store("erp", [Captured("work_order", "1", {"x": 1}, number="WO-1")])
        until = books.now + timedelta(minutes=1)
        books.records.put_off([stored.version_id], until, "include/mappings/x.yaml:8: what is this?", "Misconfigured:x")
        for _ in range(3):
            books.troubles.note(
                "reading crm", "connection crm: check login and password", "Misconfigured:crm", role="crm"
            )
        books.troubles.note("reading mes", "connection mes: no address", "Misconfigured:mes", role="mes")
        books.troubles.over("reading mes")
    with pytest.raises(SystemExit) as ended:
        main(["status"])
    out = capsys.readouterr().out
    assert ended.value.code == 1
    assert "Held work_order of erp: 1 wait since" in out
    assert "include/mappings/x.yaml:8: what is this?" in out
    assert "Reading crm: connection crm: check login and password (since" in out
    assert "3 times" in out
    assert "no address" not in out
    with pytest.raises(SystemExit):
        main(["status", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert [(one["state"], one["healthy"]) for one in told] == [("held", False), ("misconfigured", False)]
    ledger.close()


def test_a_trouble_nobody_met_again_for_long_is_over(postgres_dsn: str) -> None:
    migrate(postgres_dsn)
    now = [datetime(2026, 11, 23, 8, tzinfo=UTC)]
    ledger = Ledger(postgres_dsn, clock=lambda: now[0])
    with ledger.transaction() as books:
        books.troubles.note("reading crm", "no login", "s")
    now[0] += timedelta(minutes=59)
    with ledger.transaction() as books:
        assert len(books.troubles.lasting()) == 1
        assert books.troubles.forget() == 0
    now[0] += timedelta(minutes=2)
    with ledger.transaction() as books:
        assert books.troubles.lasting() == []
        assert books.troubles.forget() == 1
    ledger.close()
