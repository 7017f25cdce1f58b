from __future__ import annotations

from decimal import Decimal

import pytest

from throughline.errors import Invalid
from throughline.process.conditions import Condition


def test_a_condition_sees_documents_and_verdicts() -> None:
    condition = Condition("doc.status == 'confirmed' && verdict.change.kind in ['cancel', 'none']")
    facts = {"doc": {"status": "confirmed"}, "verdict": {"change": {"kind": "cancel"}}}
    assert condition.holds(facts)
    assert condition.variables == {"doc", "verdict"}


def test_decimals_appear_as_text_and_keep_every_digit() -> None:
    exact = Decimal("123456789012345678.91")
    assert Condition("doc.amount == '123456789012345678.91'").holds({"doc": {"amount": exact}})


def test_a_list_can_be_searched() -> None:
    condition = Condition("doc.lines.exists(line, line.item == 'item:erp:FG-100')")
    assert condition.holds({"doc": {"lines": ({"item": "item:erp:FG-100"},)}})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("doc.status = 'x'", "does not compile"),
        ("order.status == 'x'", "names order; it may name doc, item, steps, subject, told, verdict"),
        ("open(doc.path) == 'x'", "names open; it may name"),
        ("doc.a == '" + "x" * 2001 + "'", "at most 2000 characters"),
    ],
)
def test_a_wrong_condition_is_refused_when_it_is_read(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Condition(text)


@pytest.mark.parametrize("text", ["doc.absent == 'x'", "doc.status", "doc.status == 'a' || steps.x.refused"])
def test_a_condition_that_cannot_be_decided_is_invalid_and_names_itself(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        Condition(text).holds({"doc": {"status": "b"}})
    assert text in caught.value.message
