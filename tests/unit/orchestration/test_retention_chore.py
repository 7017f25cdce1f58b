"""The nightly chore keeps to what the plant declares in `include/retention.yaml`, and says which line is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from throughline.errors import Misconfigured
from throughline.ledger import Ledger, migrate
from throughline.orchestration.builders.housekeeping import housekeeping_dag
from throughline.orchestration.operators.chores import RetentionOperator
from throughline.process.retention_rules import retention_in

ROOT = Path(__file__).parents[3]


def test_the_usual_and_the_declared_days(tmp_path: Path) -> None:
    usual = retention_in(tmp_path)
    assert (usual.payload_days, usual.inbox_days) == (400, 30)
    assert retention_in(ROOT / "include") == usual
    (tmp_path / "retention.yaml").write_text("payload_days: 800\n")
    assert retention_in(tmp_path).payload_days == 800


@pytest.mark.parametrize("text", ["payload_days: 10\n", "inbox_days: 0\n", "inbox_weeks: 3\n"])
def test_a_wrong_rule_is_refused_with_its_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "retention.yaml").write_text(f"# ours\n{text}")
    with pytest.raises(Misconfigured, match=r"retention\.yaml:2"):
        retention_in(tmp_path)


def test_the_chore_is_one_of_the_night_and_does_what_is_declared(
    postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(postgres_dsn)
    monkeypatch.setenv("THROUGHLINE_INCLUDE", str(tmp_path))
    now = [datetime(2026, 11, 23, 8, tzinfo=UTC)]
    ledger = Ledger(postgres_dsn, clock=lambda: now[0])
    with ledger.transaction() as books:
        books.inbox.store("wms", "shipment", "1", {}, b"<xml/>")
        (message,) = books.inbox.unread()
        books.inbox.read([message.message_row])
    ledger.ensure_months()
    chore = housekeeping_dag().get_task("let_old_contents_go")
    assert isinstance(chore, RetentionOperator)
    (tmp_path / "retention.yaml").write_text("payload_days: 60\ninbox_days: 400\n")
    now[0] = datetime(2027, 3, 15, tzinfo=UTC)
    assert chore.tidy(ledger, {}) == {"months": ["payloads_2026_11", "payloads_2026_12"], "messages": 0}
    (tmp_path / "retention.yaml").unlink()
    assert chore.tidy(ledger, {}) == {"months": [], "messages": 1}
    ledger.close()
