"""Old contents go by the month and old messages lose their bodies; what is needed stays, and nothing old is news."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from throughline.connectors.contract import Captured
from throughline.ledger import Ledger, admit_hub
from throughline.ledger.entries import Failure, Translation
from throughline.ledger.work_entries import Changes, Link, ProcessChange, Start

KEY = "sales_order:crm:{}"


def order(number: str) -> Captured:
    return Captured("sales_order", number, {"name": number}, number=number)


def told(ledger: Ledger, number: str) -> int:
    with ledger.transaction() as books:
        (row,) = books.records.store("crm", [order(number)])
        if row.new:
            books.records.translated([Translation(row.version_id, KEY.format(number), {"number": number})])
        return row.version_id if row.new else 0


def contents(ledger: Ledger, *versions: int) -> list[Any]:
    with ledger.transaction() as books:
        return [content.raw for content in books.records.contents(versions)]


def months(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as database:
        rows = database.execute("select relname from pg_class where relname ~ '^payloads_[0-9]' and relkind = 'r'")
        return sorted(row[0] for row in rows)


def test_a_month_of_contents_goes_and_what_is_needed_stays(ledger: Ledger, ledger_dsn: str, clock: Any) -> None:
    ledger.ensure_months()
    over, under_way = told(ledger, "SO-1"), told(ledger, "SO-2")
    with ledger.transaction() as books:
        (stuck,) = books.records.store("crm", [order("SO-3")])
        books.records.failed([Failure(stuck.version_id, "No currency.", "Invalid:crm")])
        for number in ("SO-1", "SO-2"):
            (started,) = books.processes.start([Start("f", "1", KEY.format(number), "crm")])
            books.processes.apply(Changes(links=[Link(started.process_id, KEY.format(number), "sales_order", "crm")]))
            if number == "SO-1":
                books.processes.apply(Changes(processes=[ProcessChange(started.process_id, "finished")]))
    clock.pass_(days=40)
    ledger.ensure_months()
    recent = told(ledger, "SO-4")
    clock.pass_(days=370)
    with ledger.transaction() as books:
        assert books.retention.drop_contents(clock().replace(year=2026)) == []
        assert books.retention.drop_contents(clock.now.replace(year=2026, month=12)) == ["payloads_2026_11"]
        assert books.retention.drop_contents(clock.now.replace(year=2026, month=12)) == []
    assert "payloads_2026_11" not in months(ledger_dsn)
    assert contents(ledger, over, under_way, stuck.version_id, recent) == [
        None, {"name": "SO-2"}, {"name": "SO-3"}, {"name": "SO-4"}]  # fmt: skip
    assert told(ledger, "SO-1") == 0, "its hash stays: told again it is no news"
    with ledger.transaction() as books:
        (current,) = books.records.current([KEY.format("SO-1")])
        assert current.canonical == {"number": "SO-1"}
        (case,) = books.parked.open()
        books.parked.replay(ids=[case.id], by="hannah")
        assert [version.raw for version in books.records.pending()] == [{"name": "SO-3"}]


def test_what_came_before_its_month_was_made_goes_too(ledger: Ledger, clock: Any) -> None:
    stray = told(ledger, "SO-1")
    clock.pass_(days=500)
    with ledger.transaction() as books:
        assert books.retention.drop_contents(clock.now) == []
    assert contents(ledger, stray) == [None]


def test_messages_lose_their_bodies_and_are_still_recognised(ledger: Ledger, clock: Any) -> None:
    def push(number: str) -> bool:
        with ledger.transaction() as books:
            return books.inbox.store("wms", "shipment", number, {"x-sign": "abc"}, b"<xml/>")

    assert push("1")
    assert push("2")
    assert push("3")
    with ledger.transaction() as books:
        first, second, _ = books.inbox.unread()
        books.inbox.read([first.message_row, second.message_row], problems={second.message_row: "not XML"})
    clock.pass_(days=31)
    with ledger.transaction() as books:
        assert books.retention.empty_messages(clock.now) == 1
        assert books.retention.empty_messages(clock.now) == 0
        assert [message.body for message in books.inbox.unread()] == [b"<xml/>"]
    assert not push("1"), "a message told again after its body went is no news"


def test_only_months_of_contents_can_be_dropped(ledger_dsn: str) -> None:
    with psycopg.connect(ledger_dsn) as database, pytest.raises(psycopg.Error, match="no month of contents"):
        database.execute("select drop_payload_month('audit')")


def test_the_hubs_own_user_may_let_contents_go(ledger_dsn: str, clock: Any) -> None:
    admit_hub(ledger_dsn, "hub_of_retention", "hub's password")
    ledger = Ledger(ledger_dsn.replace("//postgres@", "//hub_of_retention@"), clock=clock)
    ledger.ensure_months()
    stray = told(ledger, "SO-1")
    clock.pass_(days=500)
    with ledger.transaction() as books:
        assert "payloads_2026_11" in books.retention.drop_contents(clock.now)
        assert books.retention.empty_messages(clock.now) == 0
    assert contents(ledger, stray) == [None]
    ledger.close()
