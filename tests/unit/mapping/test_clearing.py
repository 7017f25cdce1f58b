"""What a change takes away is taken away in the target; what was never there is left to the people who filled it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.mapping.conftest import OWNERS, Everybody
from throughline.canonical import Address, Quantity, SalesOrder, SalesOrderLine
from throughline.errors import Misconfigured
from throughline.mapping import Codes, Table, Translator

TABLE = """
product: x
document: sales_order
write:
  fields:
    number: no
    remark: remark
    customer_order_number: {from: po, empty: leave}
    contact_email: {from: mail, empty: blank}
    requested_on: {from: day, as: date, empty: clear}
    ship_to:
      fields:
        recipient: to.name
        street: to.street
        city: to.city
    lines:
      each: rows
      fields:
        line: n
        item: {from: item, lookup: {kind: item, by: number}}
        quantity: {from: qty, unit: {from: unit}}
        requested_on: {from: day, as: date}
"""


def line(number: str, **more: Any) -> SalesOrderLine:
    quantity = Quantity(value=Decimal(2), unit="pcs")
    return SalesOrderLine(line=number, item="item:erp:FG-1", quantity=quantity, **more)


def order(**more: Any) -> SalesOrder:
    lines = more.pop("lines", (line("10"),))
    return SalesOrder(number="SO-1", status="confirmed", customer="customer:crm:C-1", lines=lines, **more)


FULL = order(
    remark="with care", customer_order_number="PO-7", contact_email="a@b.example", requested_on="2026-12-01",
    ship_to=Address(recipient="Wang", street="Road 1", city="Qingdao"), lines=(line("10", requested_on="2026-12-01"),),
)  # fmt: skip


@pytest.fixture
def write(table_of: Callable[[str], Table], codes: Codes) -> Callable[..., dict[str, Any]]:
    there = Translator([table_of(TABLE)], codes, OWNERS, Everybody())
    return lambda doc, **how: there.write("x", "r", "sales_order", doc, **how)


def test_creating_leaves_out_what_is_empty(write: Callable[..., dict[str, Any]]) -> None:
    assert write(order()) == {
        "no": "SO-1", "mail": "", "day": None, "rows": [{"n": "10", "item": "FG-1", "qty": Decimal(2), "unit": "pcs"}],
    }  # fmt: skip


def test_a_change_clears_what_held_something_before(write: Callable[..., dict[str, Any]]) -> None:
    told = write(order(), operation="change", before=FULL)
    assert told["remark"] is None
    assert told["to"] == {"name": None, "street": None, "city": None}
    assert told["rows"][0]["day"] is None
    assert "po" not in told
    assert (told["mail"], told["day"]) == ("", None)


def test_a_change_leaves_alone_what_was_empty_before(write: Callable[..., dict[str, Any]]) -> None:
    for before in (order(), None):
        told = write(order(), operation="change", before=before)
        assert not {"remark", "po", "to"} & set(told)
        assert "day" not in told["rows"][0]


def test_part_of_an_address_is_cleared_and_the_rest_stays(write: Callable[..., dict[str, Any]]) -> None:
    after = FULL.model_copy(update={"ship_to": Address(recipient="Li", street="Road 2")})
    assert write(after, operation="change", before=FULL)["to"] == {"name": "Li", "street": "Road 2", "city": None}


def test_lines_are_told_apart_by_their_number(write: Callable[..., dict[str, Any]]) -> None:
    after = order(lines=(line("20"), line("10")))
    told = write(after, operation="change", before=FULL)
    assert [row.get("day", "left out") for row in told["rows"]] == ["left out", None]


def test_another_operation_clears_nothing_by_itself(write: Callable[..., dict[str, Any]]) -> None:
    assert "remark" not in write(order(), operation="cancel", before=FULL)


@pytest.mark.parametrize(
    ("word", "said"),
    [("empty: never", r"table\.yaml:\d+: .*'clear', 'blank' or 'leave'"), ("as: date, empty: blank", "only a text")],
)
def test_a_wrong_word_is_told_with_its_line(word: str, said: str, table_of: Callable[[str], Table]) -> None:
    with pytest.raises(Misconfigured, match=said):
        table_of(TABLE.replace("as: date, empty: clear", word))


def test_lists_know_no_such_word(table_of: Callable[[str], Table]) -> None:
    with pytest.raises(Misconfigured, match="means nothing"):
        table_of(TABLE.replace("each: rows", "each: rows\n      empty: clear"))
