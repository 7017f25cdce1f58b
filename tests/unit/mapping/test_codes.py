"""Code lists: one word means one thing, and a list that says otherwise does not load."""

from __future__ import annotations

from pathlib import Path

import pytest

from throughline.errors import Misconfigured
from throughline.mapping import Codes, Table


def codes_from(directory: Path, **files: str) -> Codes:
    for name, text in files.items():
        (directory / f"{name}.yaml").write_text(text, encoding="utf-8")
    return Codes.load(directory)


def test_a_product_speaks_its_own_words_and_those_of_all(codes: Codes) -> None:
    currencies = codes.lists["currencies"]
    assert currencies.reading("kingdee_cloud")["PRE001"] == "CNY"
    assert currencies.reading("kingdee_cloud")["人民币"] == "CNY"
    assert "PRE001" not in currencies.reading("fxiaoke")
    assert currencies.writing("kingdee_cloud")["CNY"] == "PRE001"
    assert currencies.writing("fxiaoke")["CNY"] == "CNY"
    assert codes.lists["units"].reading("flux")["CS"] == "carton"


def test_norway_is_a_country(codes: Codes) -> None:
    assert codes.lists["countries"].reading("fxiaoke")["NO"] == "NO"


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("words:\n  A: {any: [x]}\n  B: {any: [x]}\n", 3, "x already means A there"),
        ("words:\n  A: {any: []}\n", 2, "has no word in any product"),
        ("words:\n  A: [x]\n", 2, "should be a valid dictionary"),
        ("words:\n  A: {any: [1]}\n", 2, "should be a valid string"),
        ("wrods: {}\n", 1, "Field required"),
        ("words:\n  A: {any: [x]}\n  A: {any: [y]}\n", 3, "stands here twice"),
    ],
)
def test_a_mistake_in_a_list_is_told_with_its_line(tmp_path: Path, text: str, where: int, said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        codes_from(tmp_path, colours=text)
    assert said in caught.value.message
    assert caught.value.where.endswith(f"colours.yaml:{where}")


def test_a_unit_can_only_be_a_part_of_a_unit(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"units.yaml:2: units.g.of: is not a unit of this file"):
        codes_from(tmp_path, units='units:\n  g: {of: kg, holds: "0.001", words: {any: [g]}}\n')


def test_a_units_measure_does_not_go_round_in_circles(tmp_path: Path) -> None:
    circle = "units:\n  a: {of: b, words: {any: [a]}}\n  b: {of: a, words: {any: [b]}}\n"
    with pytest.raises(Misconfigured, match=r"units.yaml:2: units.a.of: goes round in a circle"):
        codes_from(tmp_path, units=circle)


def test_the_version_of_a_mapping_moves_with_its_codes_and_only_with_them(tmp_path: Path) -> None:
    table = tmp_path / "item.yaml"
    table.write_text(
        "product: x\ndocument: item\nkey: {id: i}\n"
        "read: {fields: {number: n, name: m, unit: {from: u, values: units}}}\n"
    )
    units = "units:\n  pcs: {words: {any: [pcs]}}\n"
    (tmp_path / "codes").mkdir()
    first = Table.load(table, codes_from(tmp_path / "codes", units=units)).version
    assert (
        Table.load(table, codes_from(tmp_path / "codes", units=units, colours="words:\n  A: {any: [x]}\n")).version
        == first
    )
    assert (
        Table.load(table, codes_from(tmp_path / "codes", units=units + "  kg: {words: {any: [kg]}}\n")).version != first
    )
