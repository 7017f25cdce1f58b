"""Every mistake in a table is told with its file and line, all of them at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from throughline.errors import Misconfigured
from throughline.mapping import Codes, Table, load_tables

HEAD = "product: flux\ndocument: shipment\nkey: {id: no}\n"
GOOD = (
    HEAD
    + """read:
  fields:
    number: no
    status: {default: shipped}
    outbound: {from: ob, lookup: {kind: outbound_order, by: number}}
    lines:
      each: rows
      fields:
        line: n
        item: {from: sku, lookup: item}
        quantity: {from: qty, unit: item}
"""
)

Load = Callable[[str], Table]


def test_the_table_the_mistakes_are_made_in_is_right(table_of: Load) -> None:
    assert table_of(GOOD).reads
    assert not table_of(GOOD).writes


MISTAKES = [
    # what is changed, by what, on which line it is told, what is said
    ("    number: no", "    number: {from: no, transform: upper}", 6, "transform: is not a word a table knows here"),
    ("    number: no", "    numbr: no", 6, "numbr: shipment has no such field here (did you mean number?)"),
    ("    number: no", "    carrier: c", 5, "the required field number is missing"),
    ("    number: no\n", "    number: no\n    number: other\n", 7, "stands here twice"),
    ("status: {default: shipped}", "status: {default: flown}", 7, "flown is not a status of shipment"),
    ("status: {default: shipped}", "status: {from: s, values: states}", 7, "there is no code list codes/states.yaml"),
    ("    number: no", "    carrier: {from: c, values: {A: x, B: 3}}\n    number: no", 6, "3 must be a word"),
    ("status: {default: shipped}", "tracking_number: t", 5, "the required field status is missing"),
    ("kind: outbound_order", "kind: outbound", 8, "outbound is not a kind of document"),
    ("by: number}", "by: name}", 8, "by: Input should be 'id', 'number' or 'reference'"),
    (", lookup: {kind: outbound_order, by: number}", "", 8, "names another document: say how with `lookup`"),
    ("      each: rows\n", "", 9, "a list of lines needs `each`"),
    ("        line: n", "        lien: n", 12, "lien: shipment has no such field here (did you mean line?)"),
    ("        line: n\n", "", 11, "the required field line is missing"),
    ("lookup: item}", "lookup: {kind: item, by: id, else: x}}", 13, "else: is not a word a table knows here"),
    ("from: sku", "from: [sku, line]", 13, "only a line by number is named by two fields"),
    ("unit: item}", "unit: crate}", 14, "crate is not a unit in codes/units.yaml"),
    (", unit: item}", "}", 14, "a quantity field needs its `unit`"),
    ("unit: item}", "as: date, unit: item}", 14, "date does not fit a quantity field: use one of decimal"),
    ("unit: item}", "as: {kind: decimal, max: 3}, unit: item}", 14, "max means nothing for decimal"),
    ("unit: item}", "unit: item, default: 1.5}", 14, "write 1.5 in quotes, so that it stays exactly that"),
    ("unit: item}", "values: units, unit: item}", 14, "values: means nothing for a quantity field"),
    ("from: qty", "from: 'qty..x'", 14, "is not a path"),
    ("        item: {from: sku, lookup: item}\n", "", 13, "the item's own unit needs the field item beside it"),
    ("key: {id: no}\n", "", 1, "a table that reads says where their own id stands"),
    ("document: shipment", "document: parcel", 2, "parcel is not a kind of document"),
    ("product: flux\n", "", 1, "product: Field required"),
    ("read:", "raed:", 4, "raed: is not a word a table knows here"),
    ("    number: no", "    number: {from: no, as: {kind: text, max: 0}}", 6, "greater than 0"),
    ("    number: no", "    number: {from: no, as: money}", 6, "as.kind: Input should be"),
    ("    number: no", "    shipped_at: {from: t, as: {kind: datetime, zone: Asia/Peking}}\n    number: no", 6,
     "Asia/Peking is not a time zone"),
    ("    number: no", "    shipped_at: {from: t, as: {kind: datetime, format: '%Q'}}\n    number: no", 6,
     "%Q is not a date format"),
    ("    number: no", "    number: [unclosed", 7, "this is not YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "said"), MISTAKES, ids=[mistake[3][:40] for mistake in MISTAKES])
def test_a_mistake_is_told_with_its_line(
    table_of: Load, tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    assert old in GOOD
    with pytest.raises(Misconfigured) as caught:
        table_of(GOOD.replace(old, new, 1))
    assert said in caught.value.message
    where = [
        caught.value.where,
        *(f"table.yaml:{part.split(':')[0]}" for part in caught.value.message.split("; line ")[1:]),
    ]
    assert any(place.endswith(f"table.yaml:{line}") for place in where), caught.value.message
    assert caught.value.where.startswith(str(tmp_path))


def test_all_mistakes_are_told_at_once_in_order(table_of: Load) -> None:
    text = GOOD.replace("number: no", "number: {from: no, as: date}").replace("unit: item", "unit: crate")
    with pytest.raises(Misconfigured) as caught:
        table_of(text)
    assert caught.value.where.endswith("table.yaml:6")
    assert "; line 14: " in caught.value.message
    assert caught.value.details["problems"] == 2


def test_a_writing_table_is_checked_too(table_of: Load) -> None:
    head = "product: flux\ndocument: receipt_notice\nwrite:\n  fields:\n    number: docNo\n"
    assert table_of(head).writes
    with pytest.raises(Misconfigured, match=r"table.yaml:7: operations.cancel.only.1: lines is not written"):
        table_of(head + "operations:\n  cancel: {only: [number, lines]}\n")
    with pytest.raises(Misconfigured, match=r"table.yaml:6: write.fields.report: names another document"):
        table_of(head + "    report: r\n")


def test_a_file_without_fields_or_that_is_no_table_is_refused(table_of: Load) -> None:
    for text in ("product: flux\ndocument: shipment\n", "", "- a\n", "42\n", "product: flux\ndocument: [shipment]\n"):
        with pytest.raises(Misconfigured):
            table_of(text)


def test_yaml_that_would_lose_exactness_is_refused(table_of: Load) -> None:
    for default in ("0755", "1_000", "1e3", ".inf", "0x1F", "!!binary aGk="):
        with pytest.raises(Misconfigured, match=r"in quotes|not YAML|table.yaml:6"):
            table_of(GOOD.replace("number: no", f"number: {{from: no, default: {default}}}"))


def test_an_endless_file_is_refused(table_of: Load) -> None:
    with pytest.raises(Misconfigured, match="nested too deeply"):
        table_of("a: &a\n  b: *a\n")


def test_a_table_that_lies_in_the_wrong_place_is_refused(tmp_path: Path, codes: Codes) -> None:
    home = tmp_path / "black_lake" / "tables"
    home.mkdir(parents=True)
    (home / "shipment.yaml").write_text(GOOD)
    with pytest.raises(Misconfigured, match="this table is for flux/shipment"):
        load_tables(tmp_path, codes)


def test_a_plant_may_put_its_own_table_in_the_place_of_the_products(tmp_path: Path, codes: Codes) -> None:
    home = tmp_path / "products" / "flux" / "tables"
    own = tmp_path / "mappings" / "flux"
    home.mkdir(parents=True)
    own.mkdir(parents=True)
    (home / "shipment.yaml").write_text(GOOD)
    (own / "shipment.yaml").write_text(GOOD.replace("number: no", "number: {from: no, as: upper}"))
    (usual,) = load_tables(tmp_path / "products", codes)
    (replaced,) = load_tables(tmp_path / "products", codes, tmp_path / "mappings")
    assert (usual.path.parent, replaced.path.parent) == (home, own)
    assert usual.version != replaced.version
