"""Every word of the vocabulary, each in a small table of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.mapping.conftest import OWNERS, Everybody
from throughline.canonical import (
    CanonicalDocument,
    Customer,
    Item,
    Money,
    OutboundOrder,
    Quantity,
    SalesOrder,
    SalesOrderLine,
)
from throughline.errors import Invalid, Misconfigured
from throughline.mapping import Codes, Table, Translator

Load = Callable[[str], Table]
Both = tuple[Callable[[dict[str, Any]], Any], Callable[[CanonicalDocument], dict[str, Any]]]


@pytest.fixture
def both(table_of: Load, codes: Codes, registry: Everybody) -> Callable[..., Both]:
    """Reading and writing with a table of these fields."""

    def make(document: str, fields: str, more: str = "", zone: str = "Asia/Shanghai") -> Both:
        table = table_of(f"product: x\ndocument: {document}\nkey: {{id: id}}\nfields:\n  number: no\n{fields}\n{more}")
        there = Translator([table], codes, OWNERS, registry, zones={"r": zone} if zone else {})
        return (
            lambda raw: there.read("x", "r", document, {"no": "1", **raw}),
            lambda doc: there.write("x", "r", document, doc),
        )

    return make


def customer(**fields: Any) -> Customer:
    return Customer(**{"number": "1", "name": "n", **fields})


@pytest.mark.parametrize(
    ("kind", "raw", "ours", "written"),
    [
        ("text", "a b", "a b", "a b"),
        ("line", " 青岛（总部） ", "青岛（总部）", "青岛（总部）"),
        ("trimmed", " a\nb \n", "a\nb", "a\nb"),
        ("upper", " ab-1", "AB-1", "AB-1"),
        ("int", 42, "42", 42),
        ("int", "42", "42", 42),
        ("list_first", ["1000"], "1000", ["1000"]),
        ("{kind: text, prefix: 'sale.line,'}", "sale.line,7", "7", "sale.line,7"),
    ],
)
def test_kinds_of_text(both: Callable[..., Both], kind: str, raw: Any, ours: str, written: Any) -> None:
    read, write = both("customer", f"  name: {{from: n, as: {kind}}}")
    assert read({"n": raw}).name == ours
    assert write(customer(name=ours)) == {"no": "1", "n": written}


@pytest.mark.parametrize(
    ("kind", "raw"),
    [("int", "042"), ("int", "4.0"), ("int", True), ("int", 10**400), ("list_first", ["a", "b"]), ("list_first", "a"),
     ("line", "a\nb"), ("text", " a"), ("upper", "ａ"), ("line", "\x00"), ("text", ["a"])],
)  # fmt: skip
def test_text_that_is_none(both: Callable[..., Both], kind: str, raw: Any) -> None:
    read, _ = both("customer", f"  name: {{from: n, as: {kind}}}")
    with pytest.raises(Invalid, match=r"customer of x, field name \(their n\)"):
        read({"n": raw})


def test_nothing_is_nothing_however_it_is_said(both: Callable[..., Both]) -> None:
    read, write = both(
        "customer", "  name: n\n  email: {from: e, as: trimmed}\n  tax_number: {from: t, as: list_first}"
    )
    for nothing in (None, "", "  "):
        assert read({"n": "n", "e": nothing, "t": []}) == customer()
    assert write(customer()) == {"no": "1", "n": "n"}


def test_another_prefix_is_nothing(both: Callable[..., Both]) -> None:
    read, _ = both("customer", "  name: n\n  tax_number: {from: t, as: {kind: text, prefix: 'vat:'}}")
    assert read({"n": "n", "t": "vat:9"}).tax_number == "9"
    assert read({"n": "n", "t": "ein:9"}).tax_number is None


def test_values_in_the_table(both: Callable[..., Both]) -> None:
    read, write = both(
        "customer", "  name: n\n  status: {from: s, values: {1: active, 2: active, 9: blocked, '*': archived}}"
    )
    assert [read({"n": "n", "s": word}).status for word in (1, 2, 9, "what", Decimal(9))] == [
        "active", "active", "blocked", "archived", "blocked"
    ]  # fmt: skip
    assert [write(customer(status=status))["s"] for status in ("active", "blocked")] == [1, 9]
    with pytest.raises(Invalid, match=r"field status .*'archived' has no word in this product"):
        write(customer(status="archived"))


def test_values_after_a_spelling(both: Callable[..., Both]) -> None:
    read, write = both("customer", "  name: n\n  status: {from: s, as: int, values: {1: active, 9: blocked}}")
    assert [read({"n": "n", "s": word}).status for word in (1, "1", 9)] == ["active", "active", "blocked"]
    assert write(customer(status="blocked"))["s"] == 9


def test_a_default_stands_in_only_for_nothing(both: Callable[..., Both]) -> None:
    read, _ = both("customer", "  name: n\n  status: {from: s, values: {A: active}, default: blocked}")
    assert [read({"n": "n", **raw}).status for raw in ({"s": "A"}, {}, {"s": None})] == ["active", "blocked", "blocked"]
    with pytest.raises(Invalid, match="'B' is not in the values"):
        read({"n": "n", "s": "B"})


def test_the_first_of_several_fields_is_read_and_all_are_written(both: Callable[..., Both]) -> None:
    read, write = both("customer", "  name: {from: [full.name, n], as: line}")
    assert read({"full": {"name": "long"}, "n": "short"}).name == "long"
    assert read({"n": "short"}).name == "short"
    assert write(customer(name="x")) == {"no": "1", "full": {"name": "x"}, "n": "x"}


@pytest.mark.parametrize(
    ("spec", "raw", "day"),
    [
        ("d", "2026-12-01", date(2026, 12, 1)),
        ("{from: d, as: {kind: date, format: '%Y%m%d'}}", "20261201", date(2026, 12, 1)),
        ("{from: d, as: ms}", 1796054400000, date(2026, 12, 1)),
        ("{from: d, as: datetime}", "2026-12-01T00:00:00", date(2026, 12, 1)),
        ("{from: d, as: {kind: datetime, format: '%d.%m.%Y %H:%M'}}", "01.12.2026 00:00", date(2026, 12, 1)),
    ],
)
def test_a_day_stays_a_day(both: Callable[..., Both], spec: str, raw: Any, day: date) -> None:
    head = "  status: {default: draft}\n  customer: {from: c, lookup: {by: reference}}\n"
    read, write = both("sales_order", f"{head}  requested_on: {spec}")
    order = read({"c": "customer:crm:C-1", "d": raw})
    assert order.requested_on == day
    assert write(order)["d"] == raw


@pytest.mark.parametrize(
    ("kind", "raw", "written"),
    [
        ("datetime", "2026-12-01T08:00:00+08:00", "2026-12-01T08:00:00+08:00"),
        ("datetime", "2026-12-01T00:00:00Z", "2026-12-01T08:00:00+08:00"),
        ("datetime", "2026-12-01T08:00:00", "2026-12-01T08:00:00+08:00"),
        ("{kind: datetime, zone: UTC}", "2026-12-01T00:00:00", "2026-12-01T00:00:00+00:00"),
        ("{kind: datetime, format: '%Y-%m-%d %H:%M:%S'}", "2026-12-01 08:00:00", "2026-12-01 08:00:00"),
        ("ms", 1796083200000, 1796083200000),
        ("ms", "1796083200000", 1796083200000),
    ],
)
def test_a_moment_has_a_zone(both: Callable[..., Both], kind: str, raw: Any, written: Any) -> None:
    read, write = both("sales_order", "  status: {default: draft}\n  customer: {from: c, lookup: {by: reference}}\n"
                       f"  ordered_at: {{from: t, as: {kind}}}")  # fmt: skip
    order = read({"c": "customer:crm:C-1", "t": raw})
    assert order.ordered_at == datetime(2026, 12, 1, tzinfo=UTC)
    assert write(order)["t"] == written


def test_local_times_need_a_zone(both: Callable[..., Both]) -> None:
    head = "  status: {default: draft}\n  customer: {from: c, lookup: {by: reference}}\n"
    read, _ = both("sales_order", head + "  requested_on: {from: d, as: ms}", zone="")
    with pytest.raises(Misconfigured, match="has local times, and neither the table nor the system's file says"):
        read({"c": "customer:crm:C-1"})
    read, _ = both("sales_order", head + "  ordered_at: {from: d, as: ms}", zone="")
    assert read({"c": "customer:crm:C-1"}).ordered_at is None


HEAD = "  status: {default: draft}\n  customer: {from: c, lookup: {by: reference}}\n"
ORDER = HEAD + "  currency: {from: cur, default: CNY}\n"
LINES = ORDER + "  lines: {each: rows, fields: {line: n, item: {from: i, lookup: {kind: item, by: number}}, "


def order(quantity: str = "1", unit: str = "pcs", price: str | None = None, currency: str = "CNY") -> SalesOrder:
    money = None if price is None else Money(amount=Decimal(price), currency=currency)
    line = SalesOrderLine(
        line="1", item="item:erp:I", quantity=Quantity(value=Decimal(quantity), unit=unit), unit_price=money
    )
    return SalesOrder(number="1", status="draft", customer="customer:crm:C-1", lines=(line,))


@pytest.mark.parametrize(
    ("spec", "unit", "written"),
    [
        ("{from: q, unit: pcs}", "pcs", {"q": Decimal(8)}),
        ("{from: q, unit: item, as: int}", "pcs", {"q": 8}),
        ("{from: q, unit: carton, as: decimal_text}", "carton", {"q": "2"}),
        ("{from: q, unit: {from: u}, as: decimal_text}", "carton", {"q": "2", "u": "carton"}),
        ("{from: q, unit: {from: u, to: item}, as: decimal_text}", "pcs", {"q": "8", "u": "pcs"}),
        ("{from: q, unit: {from: /u, to: pcs}}", "pcs", {"q": Decimal(8)}),
    ],
)
def test_units(both: Callable[..., Both], spec: str, unit: str, written: dict[str, Any]) -> None:
    read, write = both("sales_order", f"{LINES}quantity: {spec}}}}}")
    payload = write(order("2", "carton"))
    assert payload["rows"] == [{"n": "1", "i": "I", **written}]
    assert read(payload).lines[0].quantity == Quantity(value=Decimal("2" if unit == "carton" else "8"), unit=unit)


def test_a_unit_may_have_a_default(both: Callable[..., Both]) -> None:
    read, _ = both("sales_order", LINES + "quantity: {from: q, unit: {from: u, default: pcs}}}}")
    found = read({"c": "customer:crm:C-1", "rows": [{"n": "1", "i": "I", "q": 3}]})
    assert found.lines[0].quantity == Quantity(value=Decimal(3), unit="pcs")


@pytest.mark.parametrize(
    ("unit", "written"),
    [("currency", {}), ("CNY", {}), ("{from: w}", {"w": "CNY"}), ("{from: w, values: currencies}", {"w": "CNY"})],
)
def test_money(both: Callable[..., Both], unit: str, written: dict[str, Any]) -> None:
    spec = f"quantity: {{from: q, unit: pcs}}, unit_price: {{from: p, as: decimal_text, unit: {unit}}}}}}}"
    read, write = both("sales_order", LINES + spec)
    payload = write(order(price="12.50"))
    assert payload["rows"] == [{"n": "1", "i": "I", "q": Decimal(1), "p": "12.50", **written}]
    assert read(payload) == order(price="12.50")
    if unit in ("currency", "CNY"):
        with pytest.raises(Invalid, match="is in USD where CNY is expected"):
            write(order(price="12.50", currency="USD"))


def test_a_target_with_few_decimals_is_never_rounded_for(both: Callable[..., Both]) -> None:
    spec = "quantity: {from: q, unit: pcs}, unit_price: {from: p, as: {kind: decimal, decimals: 2}, unit: CNY}}}"
    _, write = both("sales_order", LINES + spec)
    assert write(order(price="12.500"))["rows"][0]["p"] == Decimal("12.500")
    with pytest.raises(Invalid, match=r"lines\[0\].unit_price .*'12.505' has 3 digits after the point .* room for 2"):
        write(order(price="12.505"))


def test_factors_as_a_list_and_as_fields(both: Callable[..., Both]) -> None:
    item = Item(number="1", name="n", unit="pcs", factors={"carton": Decimal(4), "pallet": Decimal("48")})
    head = "  name: n\n  unit: {from: u, values: units}\n"
    read, write = both("item", head + "  factors: {each: uoms, fields: {unit: symbol, holds: factor}}")
    payload = write(item)
    assert payload["uoms"] == [{"symbol": "carton", "factor": Decimal(4)}, {"symbol": "pallet", "factor": Decimal(48)}]
    assert read(payload) == item
    with pytest.raises(Invalid, match="more than zero"):
        read({**payload, "uoms": [{"symbol": "carton", "factor": 0}]})
    read, write = both("item", head + "  factors: {fields: {carton: per_carton, pallet: {from: per_pallet, as: int}}}")
    payload = write(item)
    assert (payload["per_carton"], payload["per_pallet"]) == (Decimal(4), 48)
    assert read(payload) == item
    assert read({"n": "n", "u": "pcs"}).factors == {}


def test_lookups_by_id_number_and_reference(both: Callable[..., Both], registry: Everybody) -> None:
    registry.know("r", "customer", "77", "customer:crm:C-1")
    for spec, written in (
        ("{from: c, lookup: customer}", "77"),
        ("{from: c, lookup: customer, as: int}", 77),
        ("{from: c, lookup: {kind: customer, by: number}}", "C-1"),
        ("{from: c, lookup: {by: reference}}", "customer:crm:C-1"),
    ):
        read, write = both("sales_order", f"  status: {{default: draft}}\n  customer: {spec}")
        doc = SalesOrder(number="1", status="draft", customer="customer:crm:C-1")
        assert write(doc)["c"] == written
        assert read({"c": written}) == doc
    assert read({"c": "customer:crm:C-1"}) == doc
    with pytest.raises(Invalid, match="'C-1' is not a canonical reference"):
        read({"c": "C-1"})


def test_an_id_may_be_a_number_or_text(both: Callable[..., Both], registry: Everybody) -> None:
    registry.know("r", "customer", "77", "customer:crm:C-1")
    read, _ = both("sales_order", "  status: {default: draft}\n  customer: {from: c, lookup: customer}")
    assert read({"c": 77}) == read({"c": "77"})


def test_odd_numbers_are_named_and_found_again(both: Callable[..., Both]) -> None:
    spec = "  customer: {from: c, lookup: {kind: customer, by: number}}\n  status: {default: draft}"
    read, write = both("sales_order", spec)
    doc = read({"c": "50%#1"})
    assert doc.customer == "customer:crm:50%25%231"
    assert write(doc)["c"] == "50%#1"


def test_one_direction_may_say_more(both: Callable[..., Both]) -> None:
    read, write = both(
        "customer", "  name: n",
        "read: {fields: {email: mail}}\n"
        "write: {fields: {name: {as: {kind: line, max: 3}}}, constant: {type: C, a.b: 1}}\n",
    )  # fmt: skip
    assert read({"n": "n", "mail": "a@b.example"}).email == "a@b.example"
    assert write(customer(email="a@b.example")) == {"type": "C", "a": {"b": 1}, "no": "1", "n": "n"}
    with pytest.raises(Invalid, match="4 characters and there is room for 3"):
        write(customer(name="long"))


def test_an_operation_may_say_less_or_more(table_of: Load, codes: Codes) -> None:
    table = table_of(
        "product: x\ndocument: outbound_order\nwrite:\n  constant: {type: SO}\n  fields:\n    number: no\n"
        "    customer_name: {from: who, as: line}\n"
        "operations:\n  change: {constant: {action: UPDATE}}\n  cancel: {only: [number], constant: {why: changed}}\n"
    )
    there = Translator([table], codes, OWNERS, Everybody())
    doc = OutboundOrder(number="1", order="sales_order:crm:SO-1", customer_name="n")
    create, change, cancel = (
        there.write("x", "r", "outbound_order", doc, operation=op) for op in ("create", "change", "cancel")
    )
    assert create == {"type": "SO", "no": "1", "who": "n"}
    assert change == {**create, "action": "UPDATE"}
    assert cancel == {"no": "1", "why": "changed"}


def test_two_fields_that_disagree_about_one_of_theirs_are_refused(both: Callable[..., Both]) -> None:
    _, write = both("customer", "  name: n\n  email: n")
    assert write(customer(name="a@b.example", email="a@b.example"))["n"] == "a@b.example"
    with pytest.raises(Invalid, match="'b' does not agree with 'a', which another field says there"):
        write(customer(name="a", email="b"))


def test_their_own_number_beside_their_id(table_of: Load, codes: Codes) -> None:
    table = table_of("product: x\ndocument: customer\nkey: {id: i, number: no}\nread: {fields: {number: n, name: m}}\n")
    there = Translator([Table.load(table.path, codes)], codes, OWNERS, Everybody())
    for told, known_as in (({"no": "S-7"}, "S-7"), ({"no": None}, "C-1"), ({}, "C-1")):
        (identity,) = there.read_identities("x", "r", "customer", {"i": 5, "n": "C-1", "m": "m", **told})
        assert (identity.their_id, identity.canonical_id, identity.number) == ("5", "customer:crm:C-1", known_as)


def test_a_table_reads_only_or_writes_only(table_of: Load, codes: Codes) -> None:
    reading = table_of("product: x\ndocument: customer\nkey: {id: i}\nread: {fields: {number: n, name: m}}\n")
    writing = Table.load(reading.path, codes)
    assert (reading.reads, reading.writes) == (writing.reads, writing.writes) == (True, False)
    there = Translator([reading], codes, OWNERS, Everybody())
    with pytest.raises(Misconfigured, match="this table does not write customer"):
        there.write("x", "r", "customer", customer())
