"""What real systems really send: every value either arrives exactly or is refused in a clear sentence."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.mapping.conftest import OWNERS, PRODUCTS, ROOT, ZONES, Everybody
from throughline.canonical import SalesOrder
from throughline.errors import Invalid, Unknown
from throughline.mapping import Codes, Table, Translator, load_tables

LINE: dict[str, Any] = {
    "_id": "l1", "order_id": "o1", "line_no__c": "10", "product_id": "p1", "quantity": "10", "unit__c": "carton",
    "sales_price": "1200.00", "delivery_date": 1795968000000, "last_modified_time": 1763900000000,
}  # fmt: skip
ORDER: dict[str, Any] = {
    "_id": "o1", "name": "0001000123", "account_id": "a1", "account_id__r": "青岛重工集团", "order_time": 1763900000000,
    "delivery_date": None, "life_status": "normal", "order_status": "confirmed", "mc_currency": "CNY",
    "customer_po__c": " PO 77 ", "ship_to_add": "港口路 1 号", "remark": "", "version": "1", "lines": [LINE],
}  # fmt: skip


@pytest.fixture
def crm(translator: Translator, registry: Everybody) -> Callable[..., SalesOrder]:
    registry.know("crm", "customer", "a1", "customer:crm:C-1001")
    registry.know("crm", "item", "p1", "item:erp:FG-100")

    def read(**changes: Any) -> SalesOrder:
        line = {
            **LINE,
            **{name: changes.pop(name) for name in list(changes) if name in LINE and name != "delivery_date"},
        }
        found = translator.read("fxiaoke", "crm", "sales_order", {**ORDER, "lines": [line], **changes})
        assert isinstance(found, SalesOrder)
        return found

    return read


def test_leading_zeros_stay(crm: Callable[..., SalesOrder]) -> None:
    order = crm()
    assert order.number == "0001000123"
    assert order.customer_order_number == "PO 77"
    assert order.remark is None
    assert order.requested_on is None


def test_a_number_that_came_as_a_number_has_lost_its_zeros_and_is_refused(crm: Callable[..., SalesOrder]) -> None:
    with pytest.raises(Invalid, match=r"field number \(their name\): '1000123' is not text"):
        crm(name=1000123)


def test_38_digits_stay(crm: Callable[..., SalesOrder]) -> None:
    digits = "12345678901234567890123456789012345678"
    assert crm(quantity=digits).lines[0].quantity.value == Decimal(digits)
    fine = "0." + digits
    assert str(crm(sales_price=fine).lines[0].unit_price.amount) == fine
    assert crm(quantity=Decimal(f"{digits}.5")).lines[0].quantity.value == Decimal(f"{digits}.5")


@pytest.mark.parametrize(
    ("quantity", "said"),
    [
        ("１０", "'１０' is not a number: its digits are not plain 0-9"),
        ("１0.5", "full-width"),
        ("٣", "full-width"),
        ("10 ", "blanks before or after"),
        ("1,200", "comma"),
        ("1_000", "is not a number"),
        ("1e5", "is not a number"),
        ("0x10", "is not a number"),
        ("NaN", "is not a number"),
        ("Infinity", "is not a number"),
        (Decimal("NaN"), "is not a number"),
        (Decimal("sNaN"), "is not a number"),
        (Decimal("-Infinity"), "is not a number"),
        (Decimal("1E+400000000"), "more than 38 digits"),
        (Decimal("1E-400000000"), "more than 38 digits"),
        pytest.param(10**5000, "a number of very many digits is not an exact number", id="huge"),
        ("1" * 39, "more than 38 digits"),
        (1.5, "is not an exact number"),
        (True, "is not an exact number"),
        (["10"], "a list is not an exact number"),
        ({}, "a record is not an exact number"),
        (None, "is empty and is needed"),
        ("", "is empty and is needed"),
        ("十", "is not a number"),
    ],
)
def test_what_is_not_an_exact_number_is_refused(crm: Callable[..., SalesOrder], quantity: Any, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        crm(quantity=quantity)
    assert said in caught.value.message
    assert "field lines[0].quantity (their quantity)" in caught.value.message
    assert "fxiaoke/tables/sales_order.yaml:" in caught.value.message
    assert caught.value.details["field"] == "lines[0].quantity"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "SO-1 "}, "field number (their name): 'SO-1 ' has blanks before or after it"),
        ({"name": "ＳＯ-1"}, "full-width"),
        ({"name": "SO－1"}, "full-width"),
        ({"name": "SO\u200b-1"}, "invisible"),
        ({"name": "SO\n1"}, "control characters|invisible"),
        ({"name": "SO\x001"}, "control characters"),
        ({"name": "\ud83d"}, "broken by a wrong character encoding"),
        ({"name": "SO-\ufffd"}, "broken by a wrong character encoding"),
        ({"customer_po__c": "锟斤拷锟斤拷"}, "broken by a wrong character encoding"),
        ({"remark": "a\x00b"}, "control characters"),
        ({"contact_email__c": "a@b.example\nBcc: x@y.example"}, "line break"),
        ({"life_status": "paused"}, "'paused' is not in the values of this field"),
        ({"life_status": ["normal"]}, "a list is not in the values of this field"),
        ({"mc_currency": "金币"}, "field currency (their mc_currency): '金币' is not in the code list currencies"),
        ({"unit__c": "大箱"}, "'大箱' in unit__c is not one of this product's units"),
        ({"unit__c": None}, "has no unit: unit__c is empty"),
        ({"order_time": "2026-11-23"}, "is not a moment in milliseconds"),
        ({"order_time": 1763900000}, "are they seconds?"),
        ({"order_time": True}, "is not a moment in milliseconds"),
        ({"order_time": 10**30}, "between 1980 and 2200"),
        ({"lines": None}, "field lines (their lines): it is missing"),
        ({"lines": {"a": 1}}, "is not a list"),
        ({"lines": [None]}, "lines[0]"),
        ({"lines": [LINE, LINE]}, "field lines[1].line (their lines): '10' is the number of more than one line"),
        ({"customer_po__c": "x" * 5000}, "does not fit: String should have at most 4000 characters"),
        ({"account_id": None}, "field customer (their account_id): it is empty and is needed"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    crm: Callable[..., SalesOrder], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid) as caught:
        crm(**changes)
    assert any(part in caught.value.message for part in said.split("|")), caught.value.message
    assert "sales_order.yaml:" in caught.value.message


def test_a_customer_nobody_has_heard_of_is_awaited(crm: Callable[..., SalesOrder]) -> None:
    with pytest.raises(Unknown, match="'a9' is a customer of crm that no system has told us about yet") as caught:
        crm(account_id="a9")
    assert caught.value.awaited == "crm/customer/a9"


def test_what_looks_secret_is_not_shown(table_of: Callable[[str], Table], codes: Codes) -> None:
    table = table_of("product: x\ndocument: customer\nkey: {id: id}\nread: {fields: {number: no, name: api_token}}\n")
    translator = Translator([table], codes, OWNERS, Everybody())
    with pytest.raises(Invalid) as caught:
        translator.read("x", "crm", "customer", {"id": "1", "no": "1", "api_token": "s3cr3t-value "})
    assert "s3cr3t" not in caught.value.message
    assert "s3cr3t" not in str(caught.value.details)
    assert "'•••' has blanks before or after it" in caught.value.message


def test_the_same_mistake_has_the_same_signature(crm: Callable[..., SalesOrder]) -> None:
    signatures = set()
    for value in ("１０", "２０ it's", "３"):
        with pytest.raises(Invalid) as caught:
            crm(quantity=value)
        signatures.add(caught.value.signature)
    assert len(signatures) == 1


def test_chinese_words_for_codes_and_units_are_understood(crm: Callable[..., SalesOrder]) -> None:
    order = crm(mc_currency="人民币", unit__c="箱")
    assert (order.currency, order.lines[0].quantity.unit) == ("CNY", "carton")
    assert order.lines[0].unit_price is not None
    assert order.lines[0].unit_price.currency == "CNY"


def test_characters_that_gbk_cannot_hold_stay(crm: Callable[..., SalesOrder]) -> None:
    address = crm(ship_to_add="䶮𠮷€ 街 5 号 \t").ship_to
    assert address is not None
    assert address.street == "䶮𠮷€ 街 5 号"


def test_ten_thousand_lines_are_one_document(crm: Callable[..., SalesOrder]) -> None:
    rows = [{**LINE, "_id": f"l{n}", "line_no__c": str(n)} for n in range(1, 10_001)]
    order = crm(lines=rows)
    assert [line.line for line in order.lines] == [str(n) for n in range(1, 10_001)]
    with pytest.raises(Invalid, match=r"lines\[10000\].line"):
        crm(lines=[*rows, rows[0]])


def test_a_time_no_clock_showed_is_refused(translator: Translator) -> None:
    receipt = {"docNo": "RN-1", "WMSReceiptNo": "RC1", "status": "99", "details": []}
    with pytest.raises(Invalid, match="never was on a clock in Asia/Shanghai"):
        translator.read("flux", "wms", "receipt", {**receipt, "receivedTime": "1986-05-04 02:30:00"})
    for wrong in ("0000-00-00 00:00:00", "2026-02-30 10:00:00", "2026-11-23T10:00:00", "20261123100000", 1763900000000):
        with pytest.raises(Invalid, match="field received_at"):
            translator.read("flux", "wms", "receipt", {**receipt, "receivedTime": wrong})


CODES = Codes.load(ROOT / "include" / "codes")
READERS = [table for table in load_tables(PRODUCTS, CODES) if table.reads]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=True, allow_infinity=True)
    | st.floats() | st.sampled_from(["pcs", "10", "FG-100", "2026-11-23 10:00:00", "Y", "99", "normal"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@pytest.mark.parametrize("table", READERS, ids=lambda table: f"{table.product}-{table.document}")
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_no_record_breaks_the_translator(table: Table, data: st.DataObject) -> None:
    """Whatever stands in a record, the answer is a document or `Invalid`, and the record is left as it was."""
    names = sorted(_paths(table))
    raw = data.draw(st.dictionaries(st.sampled_from(names), ANYTHING, max_size=len(names)))
    lined = next((spec for spec in table.read_fields().values() if spec.each), None)
    if lined is not None and data.draw(st.booleans()):
        inner = sorted({path.partition(".")[0] for spec in lined.fields.values() for path in spec.source})
        raw[lined.each or ""] = data.draw(st.lists(st.dictionaries(st.sampled_from(inner), ANYTHING), max_size=3))
    before = copy.deepcopy(raw)
    translator = Translator([table], CODES, OWNERS, Everybody(), zones=ZONES)
    (found,) = translator.read_many(table.product, "crm", table.document, [raw])
    assert found is not None
    assert repr(raw) == repr(before)
    with contextlib.suppress(Invalid):
        assert translator.read_identities(table.product, "crm", table.document, raw)


def _paths(table: Table) -> set[str]:
    specs = table.read_fields().values()
    found = {path for spec in specs for path in [*spec.source, *([spec.each] if spec.each else [])]}
    found |= {path for spec in specs if not spec.each for below in spec.fields.values() for path in below.source}
    return {path.removeprefix("/").partition(".")[0] for path in found} | {
        (table.spec.key.id if table.spec.key else "id")
    }
