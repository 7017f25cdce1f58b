"""Reached, not yet, or never: statuses move along a lattice."""

from __future__ import annotations

import pytest

from throughline.errors import Misconfigured
from throughline.orchestration.reaching import Reach, check_statuses, reach


@pytest.mark.parametrize(
    ("status", "wanted", "expected"),
    [
        (None, {"shipped"}, Reach.NOT_YET),
        ("confirmed", {"shipped"}, Reach.NOT_YET),
        ("shipped", {"shipped"}, Reach.REACHED),
        ("closed", {"shipped"}, Reach.REACHED),
        ("cancelled", {"shipped"}, Reach.NEVER),
        ("cancelled", {"shipped", "cancelled"}, Reach.REACHED),
        ("confirmed", {"cancelled"}, Reach.NOT_YET),
        ("draft", {"confirmed", "rejected"}, Reach.NOT_YET),
        ("rejected", {"confirmed", "rejected"}, Reach.REACHED),
    ],
)
def test_a_sales_order_on_its_way(status: str | None, wanted: set[str], expected: Reach) -> None:
    assert reach("sales_order", status, frozenset(wanted)) is expected


def test_a_kind_without_a_lattice_reaches_only_what_is_named() -> None:
    assert reach("notice", "sent", frozenset({"sent"})) is Reach.REACHED
    assert reach("notice", "created", frozenset({"sent"})) is Reach.NOT_YET


def test_waiting_for_a_status_that_does_not_exist_is_refused_with_its_name() -> None:
    with pytest.raises(Misconfigured, match="becomes shiped"):
        check_statuses("sales_order", frozenset({"shiped"}))
    with pytest.raises(Misconfigured, match="nothing"):
        check_statuses("sales_order", frozenset())
    check_statuses("sales_order", frozenset({"shipped", "cancelled"}))
