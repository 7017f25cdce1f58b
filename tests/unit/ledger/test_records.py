"""A document is kept once per content, exactly, and only news become current."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from throughline.connectors.contract import Captured
from throughline.errors import Invalid
from throughline.ledger import Ledger
from throughline.ledger.entries import Failure, Minted, Translation, Waiting


def at(hour: int) -> datetime:
    return datetime(2026, 11, 1, hour, tzinfo=UTC)


def order(raw: dict[str, Any], *, changed: int | None = None, their_id: str = "a1", deleted: bool = False) -> Captured:
    moment = at(changed) if changed is not None else None
    return Captured("sales_order", their_id, raw, number="SO-1", changed_at=moment, deleted=deleted)


def store(ledger: Ledger, *captured: Captured) -> list[tuple[bool, bool]]:
    with ledger.transaction() as books:
        return [(row.new, row.current) for row in books.records.store("crm", captured)]


def translate_all(ledger: Ledger, **told: Any) -> list[bool]:
    with ledger.transaction() as books:
        answers = books.records.translated(
            [
                Translation(version.version_id, "sales_order:crm:SO-1", told or version.raw, "m1")
                for version in books.records.pending("crm")
            ]
        )
    return [answer.changed for answer in answers]


def current(ledger: Ledger) -> Any:
    with ledger.transaction() as books:
        (document,) = books.records.current(["sales_order:crm:SO-1"])
    return document.canonical


def test_the_same_content_is_kept_once(ledger: Ledger) -> None:
    assert store(ledger, order({"a": 1, "b": 2})) == [(True, True)]
    assert store(ledger, order({"b": 2, "a": 1})) == [(False, True)]
    assert store(ledger, order({"a": 2}), order({"a": 2}), order({"a": 1, "b": 2})) == [
        (True, True), (False, True), (True, True),
    ]  # fmt: skip
    assert translate_all(ledger) == [True, True, True]
    assert current(ledger) == {"a": 1, "b": 2}


def test_numbers_survive_digit_for_digit(ledger: Ledger, ledger_dsn: str) -> None:
    raw = json.loads(
        '{"price": 0.10, "long": 123456789012345678.910, "big": 12345678901234567890}', parse_float=Decimal
    )
    store(ledger, order(raw))
    with ledger.transaction() as books:
        (version,) = books.records.pending()
    assert version.raw == raw
    assert str(version.raw["price"]) == "0.10"
    assert str(version.raw["long"]) == "123456789012345678.910"
    with psycopg.connect(ledger_dsn) as database:
        assert database.execute("select body->>'price' from payloads").fetchone() == ("0.10",)


@pytest.mark.parametrize("value", ["a\x00b", Decimal("NaN"), float("inf"), "\ud800"])
def test_what_no_document_may_hold_is_refused(ledger: Ledger, value: Any) -> None:
    with pytest.raises(Invalid):
        store(ledger, order({"name": value}))


def test_a_backslash_before_u0000_is_only_text(ledger: Ledger) -> None:
    store(ledger, order({"name": "C:\\u0000"}))
    translate_all(ledger)
    assert current(ledger) == {"name": "C:\\u0000"}


def test_old_news_from_a_backfill_stays_history(ledger: Ledger) -> None:
    store(ledger, order({"v": 2}, changed=5))
    translate_all(ledger)
    assert store(ledger, order({"v": 1}, changed=3)) == [(True, False)]
    assert store(ledger, order({"v": 1}, changed=3)) == [(False, False)]
    assert translate_all(ledger) == []
    assert current(ledger) == {"v": 2}
    with ledger.transaction() as books:
        assert [v.state for v in books.records.versions(["sales_order:crm:SO-1"])] == ["translated", "superseded"]


def test_late_news_is_told_apart_inside_one_call_and_kept_once(ledger: Ledger) -> None:
    page = (order({"v": 1}, changed=3), order({"v": 2}, changed=5), order({"v": 0}, changed=2))
    assert store(ledger, *page) == [(True, True), (True, True), (True, False)]
    assert store(ledger, order({"v": 3}, changed=6), *page) == [(True, True), *[(False, False)] * 3]


def test_an_echo_of_our_own_write_is_no_change(ledger: Ledger) -> None:
    store(ledger, order({"v": 1}))
    assert translate_all(ledger, quantity="1") == [True]
    store(ledger, order({"v": 1, "hub_field": "ERP-9"}))
    assert translate_all(ledger, quantity="1") == [False]
    with ledger.transaction() as books:
        (document,) = books.records.current(["sales_order:crm:SO-1"], "crm")
        latest = books.records.versions(["sales_order:crm:SO-1"])[-1]
    assert latest.current
    assert document.version_id == latest.version_id


def test_an_earlier_version_translated_later_does_not_become_current(ledger: Ledger) -> None:
    store(ledger, order({"v": 1}), order({"v": 2}))
    with ledger.transaction() as books:
        first, second = books.records.pending()
        books.records.translated([Translation(second.version_id, "sales_order:crm:SO-1", {"v": 2})])
        (answer,) = books.records.translated([Translation(first.version_id, "sales_order:crm:SO-1", {"v": 1})])
    assert (answer.changed, answer.current) == (False, False)
    assert current(ledger) == {"v": 2}


def test_news_and_a_late_word_of_the_same_record_in_one_batch_keep_the_news(ledger: Ledger) -> None:
    """Found by `throughline faults --seed 68`: the warehouse's "shipped" and its late "picked" came in one batch."""
    store(ledger, order({"v": 1}), order({"v": 2}))
    with ledger.transaction() as books:
        first, second = books.records.pending()
        answers = books.records.translated([
            Translation(first.version_id, "sales_order:crm:SO-1", {"status": "shipped"}),
            Translation(second.version_id, "sales_order:crm:SO-1", None),
        ])  # fmt: skip
    assert [answer.changed for answer in answers] == [True, False]
    assert current(ledger) == {"status": "shipped"}


def test_deletion_is_a_version(ledger: Ledger) -> None:
    store(ledger, order({"v": 1}))
    translate_all(ledger)
    assert store(ledger, order({"v": 1}, deleted=True)) == [(True, True)]
    with ledger.transaction() as books:
        (version,) = books.records.pending()
        (answer,) = books.records.translated([Translation(version.version_id, "sales_order:crm:SO-1", None)])
        (document,) = books.records.current(["sales_order:crm:SO-1"])
    assert answer.changed
    assert document.deleted
    assert document.canonical == {"v": 1}


def test_documents_of_the_hub_are_minted_once(ledger: Ledger) -> None:
    minted = Minted("receipt_notice:hub:RN-1", "receipt_notice", "RN-1", {"number": "RN-1"})
    for _ in range(2):
        with ledger.transaction() as books:
            books.records.mint([minted])
    with ledger.transaction() as books:
        assert [d.role for d in books.records.current(["receipt_notice:hub:RN-1"])] == ["hub"]
        (version,) = books.records.versions(["receipt_notice:hub:RN-1"])
        (content,) = books.records.contents([version.version_id])
    assert content.canonical == {"number": "RN-1"}


def test_what_is_told_and_not_understood_is_found_by_its_number_or_id(ledger: Ledger) -> None:
    with ledger.transaction() as books:
        told = [Captured("sales_order", f"id-{name}", {"n": name}, name) for name in ("SO-W", "SO-F", "SO-T")]
        waits, fails, fine = books.records.store("crm", told)
        books.records.waiting([Waiting(waits.version_id, "crm/customer/C-9", "customer C-9 is unknown", "s")])
        books.records.failed([Failure(fails.version_id, "no such unit", "s", "Invalid")])
        books.records.translated([Translation(fine.version_id, "sales_order:crm:SO-T", {"number": "SO-T"})])
    with ledger.transaction() as books:
        (found,) = books.records.told("SO-W")
        assert (found.state, found.awaited, found.their_id) == ("waiting", "crm/customer/C-9", "id-SO-W")
        (found,) = books.records.told("id-SO-F")
        assert (found.state, found.reason) == ("failed", "no such unit")
        assert books.records.told("SO-T") == books.records.told("SO-X") == []
