"""`throughline audit` as a person meets it: a sentence and an exit code."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from throughline.command_line.main import main
from throughline.ledger import Ledger, migrate
from throughline.ledger.entries import AuditEntry


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = 0
    try:
        main(["audit", *arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.fixture
def dsn(postgres_dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    migrate(postgres_dsn)
    monkeypatch.setenv("THROUGHLINE_LEDGER_DSN", postgres_dsn)
    monkeypatch.setenv("THROUGHLINE_STATE", str(tmp_path))
    monkeypatch.setenv("THROUGHLINE_AUDIT_SECRET", "kept by the platform")
    ledger = Ledger(postgres_dsn, clock=lambda: datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    with ledger.transaction() as books:
        books.audit.append(AuditEntry("wang", "replay", f"SO-{n}", details={"why": "已修复"}) for n in range(6))
    ledger.close()
    return postgres_dsn


def by_hand(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as database:
        for statement in ("alter table audit disable trigger all", *statements):
            database.execute(statement)


@pytest.mark.usefixtures("dsn")
def test_an_untouched_audit_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "verify") == (0, "The audit is whole: 6 lines; no head was kept elsewhere yet.\n", "")
    code, out, _ = run(capsys, "verify", "--json")
    told = json.loads(out)
    assert (code, told["whole"], told["intact_lines"], told["finding"]) == (0, True, 6, None)


def test_a_changed_line_is_named_and_the_answer_is_no(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    by_hand(dsn, "update audit set actor = 'li' where seq = 4")
    code, out, _ = run(capsys, "verify")
    assert (code, out) == (
        1,
        "The audit is not whole: line 4 was changed: its content and its seal do not belong together. "
        "The 3 before it are as they were written.\n",
    )
    code, out, _ = run(capsys, "verify", "--json")
    told = json.loads(out)
    assert (code, told["whole"], told["intact_lines"]) == (1, False, 3)
    assert (told["finding"]["kind"], told["finding"]["line"]) == ("changed", 4)


def test_an_exported_head_shows_that_the_audit_was_begun_anew(
    dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "elsewhere" / "head.json"
    code, out, _ = run(capsys, "head", "--export", str(file), "--json")
    assert (code, json.loads(out)["line"], json.loads(out)["written"]) == (0, 6, [str(file)])
    by_hand(dsn, "truncate audit", "update audit_end set seq = 0, hash = repeat('0', 64)")
    assert run(capsys, "verify")[0] == 0, "alone it cannot know"
    code, out, _ = run(capsys, "verify", "--head", str(file))
    assert (code, "the lines 1 to 6 were cut off at the end" in out) == (1, True)
    file.write_text(file.read_text().replace('"line": 6', '"line": 0'))
    code, out, _ = run(capsys, "verify", "--head", str(file))
    assert (code, "was not signed by this hub" in out) == (1, True)
    assert run(capsys, "verify", "--head", str(tmp_path / "none.json"))[0] == 1


@pytest.mark.usefixtures("dsn")
def test_todays_head_is_kept_and_found_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "head", "--keep")
    (kept,) = (tmp_path / "audit-heads").glob("*.json")
    assert (code, str(kept) in out) == (0, True)
    assert "the heads kept elsewhere agree (1)" in run(capsys, "verify")[1]


def test_without_a_secret_nothing_is_exported(
    dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "head", "--export", str(tmp_path / "head.json"))[0] == 0
    monkeypatch.delenv("THROUGHLINE_AUDIT_SECRET")
    code, _, err = run(capsys, "verify", "--head", str(tmp_path / "head.json"))
    assert (code, "signatures were not checked" in err) == (0, True)
    code, _, err = run(capsys, "head", "--export", str(tmp_path / "other.json"))
    assert (code, err.count("\n"), "THROUGHLINE_AUDIT_SECRET" in err) == (2, 1, True)


@pytest.mark.usefixtures("dsn")
def test_one_line_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", "2")
    assert code == 0
    for words in ("Line 2", "wang: replay · SO-1", "已修复", "sealed "):
        assert words in out
    line: dict[str, Any] = json.loads(run(capsys, "show", "2", "--json")[1])
    assert (line["seq"], line["actor"], line["details"]) == (2, "wang", {"why": "已修复"})
    assert run(capsys, "show", "7") == (1, "There is no line 7.\n", "")


@pytest.mark.parametrize("name", ["verify", "head", "show"])
def test_each_has_help_and_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, name, "--help")
    assert (code, "--json" in out) == (0, True)
