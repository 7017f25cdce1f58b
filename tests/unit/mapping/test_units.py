"""Units: exact by the item's own factors, and a remainder is told as a planner would say it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.mapping.conftest import ROOT
from throughline.mapping import Codes
from throughline.mapping.complaints import Complaint

UNITS = Codes.load(ROOT / "include" / "codes").units
ITEM = "item:erp:FG-100"
FACTORS = ("pcs", {"carton": Decimal(4), "pallet": Decimal(48)})


def convert(value: str, unit: str, to: str, factors: tuple[str, dict[str, Decimal]] | None = FACTORS) -> str:
    return str(UNITS.convert(Decimal(value), unit, to, ITEM, factors))


def test_cartons_are_as_many_pieces_as_this_item_has_in_a_carton() -> None:
    assert convert("10", "carton", "pcs") == "40"
    assert convert("40", "pcs", "carton") == "10"
    assert convert("2", "pallet", "carton") == "24"
    assert convert("2.5", "carton", "pcs") == "10"


def test_a_remainder_is_said_in_a_planners_words() -> None:
    with pytest.raises(Complaint) as caught:
        convert("10", "pcs", "carton")
    assert caught.value.sentence == (
        "pcs of FG-100 do not fill whole carton: one carton holds 4 pcs, so 2 carton and 2 pcs are left over"
    )
    with pytest.raises(Complaint, match="one carton is 4 pcs"):
        convert("2.3", "carton", "pcs")


def test_a_unit_the_item_does_not_have_is_told_with_those_it_has() -> None:
    with pytest.raises(Complaint, match="FG-100 has no factor for set: its units are pcs, carton, pallet"):
        convert("1", "set", "pcs")
    with pytest.raises(Complaint, match="has no factor for kg"):
        convert("1", "kg", "pcs")


def test_measures_relate_without_any_item() -> None:
    assert convert("1500", "g", "kg", None) == "1.5"
    assert convert("0.001", "t", "g", None) == "1000"
    assert convert("2.5", "m", "mm", None) == "2500"
    assert UNITS.converts_alone("g", "t")
    assert not UNITS.converts_alone("g", "m")


def test_an_items_base_unit_may_be_a_measure() -> None:
    coil = ("kg", {"carton": Decimal("25.5")})
    assert convert("2", "carton", "kg", coil) == "51"
    assert convert("51000", "g", "carton", coil) == "2"


@given(st.decimals(min_value=0, max_value=10**30, places=0), st.integers(min_value=1, max_value=10**6))
def test_there_and_back_is_exact_for_any_amount_and_factor(value: Decimal, factor: int) -> None:
    factors = ("pcs", {"carton": Decimal(factor)})
    pieces = UNITS.convert(value, "carton", "pcs", ITEM, factors)
    assert pieces == int(value) * factor
    assert UNITS.convert(pieces, "pcs", "carton", ITEM, factors) == value


@given(st.integers(min_value=0, max_value=10**12), st.integers(min_value=2, max_value=10**4))
def test_what_does_not_fill_cartons_is_never_rounded(pieces: int, factor: int) -> None:
    factors = ("pcs", {"carton": Decimal(factor)})
    if pieces % factor:
        with pytest.raises(Complaint, match=f"{pieces // factor} carton and {pieces % factor} pcs are left over"):
            UNITS.convert(Decimal(pieces), "pcs", "carton", ITEM, factors)
    else:
        assert UNITS.convert(Decimal(pieces), "pcs", "carton", ITEM, factors) == pieces // factor
