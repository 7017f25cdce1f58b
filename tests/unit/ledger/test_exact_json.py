"""Whatever JSON comes, it goes out with the same digits and has one spelling."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from throughline.errors import Invalid
from throughline.ledger.exact_json import content_hash, dumps, loads

TEXT = some.text(some.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
FRACTION = some.decimals(allow_nan=False, allow_infinity=False).filter(lambda d: any(c in str(d) for c in ".E"))
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | TEXT | FRACTION,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_what_goes_in_comes_out(value: Any) -> None:
    again = loads(dumps(value))
    assert again == value
    assert dumps(again) == dumps(value)


@given(some.dictionaries(TEXT, JSON, max_size=5))
def test_the_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    assert content_hash(dict(reversed(value.items()))) == content_hash(value)


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", {"a": Decimal("sNaN")}, float("nan"), "a\\\x00"])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(Invalid):
        dumps(value)
