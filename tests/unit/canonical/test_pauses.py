"""A blocked invoice goes on once its block is over, and old news does not end the block."""

from __future__ import annotations

import pytest

from throughline.canonical import LATTICES


@pytest.mark.parametrize(
    ("current", "news", "moves"),
    [
        ("captured", "blocked", True),
        ("approved", "disputed", True),
        ("paid", "blocked", False),
        ("blocked", "captured", False),
        ("blocked", "matched", True),
        ("blocked", "blocked", False),
        ("duplicate_suspected", "validated", True),
        ("exception", "credited", True),
        ("reversed", "blocked", False),
    ],
)
def test_a_pause_is_entered_and_left(current: str, news: str, moves: bool) -> None:
    assert LATTICES["purchase_invoice"].knows(news)
    assert LATTICES["purchase_invoice"].moves(current, news) is moves
