"""The tolerance tables: the shipped ones load, mistakes and holes are told with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.unit.rules.matching.buying import POLICY, S1, bill_line, invoice, judged, order, policy, receipt
from throughline.errors import Misconfigured
from throughline.rules.matching import CODES, State, load_policy
from throughline.rules.matching.terms import TermsBook

SHIPPED = Path(__file__).parents[4] / "include" / "matching" / "policy.yaml"


def test_the_shipped_tables_load_and_pay_a_plain_invoice() -> None:
    rules = load_policy(SHIPPED)
    assert TermsBook(rules).of(S1, "raw_material").way == 4
    assert TermsBook(rules).of(S1, "whatever").way == 3
    outcome = judged(order(), receipt("R1", 100), invoice("I1", bill_line(100)), rules=rules)
    assert outcome.of("I1").state == State.CLEAN


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('    percent: "2"\n', "", "default.price.percent: is missing"),
        ("  way: 3 ", "  # ", "default.way: is missing"),
        ("  date: {before_order: 0, in_future: 0,", "  date: {before_order: 0,", "default.date.in_future: is missing"),
        ("  way: 3 ", "  way: 5 ", "default.way"),
        ('percent: "2"', "percent: 2.5", "write 2.5 in quotes"),
        ('percent: "2"', 'percent: "-2"', "'-2' is not a figure"),
        ('percent: "2"', 'percent: "NaN"', "'NaN' is not a figure"),
        ("{CNY: \"5\",", "{Yuan: \"5\",", "default.price.absolute.Yuan"),
        ("charges:  ", "chargs:  ", "chargs"),
        ("owners: {}", "owners: {price_over: [boss]}", "owners.price_over"),
    ],
)  # fmt: skip
def test_a_mistake_or_a_hole_is_told_with_file_and_line(tmp_path: Path, was: str, becomes: str, said: str) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    assert was in text
    broken = tmp_path / "policy.yaml"
    broken.write_text(text.replace(was, becomes, 1), encoding="utf-8")
    with pytest.raises(Misconfigured) as caught:
        load_policy(broken)
    assert said in caught.value.message
    assert caught.value.where.startswith(f"{broken}:")
    assert int(caught.value.where.rpartition(":")[2]) > 1


def test_no_tag_of_yaml_builds_an_object(tmp_path: Path) -> None:
    broken = tmp_path / "policy.yaml"
    broken.write_text("default: !!python/object/apply:os.system ['true']\n", encoding="utf-8")
    with pytest.raises(Misconfigured):
        load_policy(broken)


@pytest.mark.parametrize(
    ("table", "changes", "place"),
    [
        ("price", {"absolute": {"USD": "1"}}, "default.price.absolute.CNY"),
        ("price", {"percent": None}, "default.price.percent"),
        ("amount", {"absolute": {"USD": "1"}}, "default.amount.absolute.CNY"),
        ("quantity", {"percent": None}, "default.quantity.percent"),
        ("date", {"before_order": None}, "default.date.before_order"),
    ],
)
def test_a_hole_met_while_matching_names_its_place_and_pays_nothing(
    table: str, changes: dict[str, Any], place: str
) -> None:
    default = {**POLICY["default"], table: {**POLICY["default"][table], **changes}}
    bill = invoice("I1", bill_line(90, "10.10"), gross="1027.20")  # a little dear, a cent too much, part received
    goods = receipt("R1", 80)
    verdict = judged(order(), goods, bill, rules=policy(default=default)).of("I1")
    hole = next(reason for reason in verdict.reasons if reason.code == "tolerance_missing")
    assert (hole.values["place"], hole.owners, verdict.payable) == (place, ("finance",), 0)


def test_a_table_with_a_hole_pays_nothing_even_where_nothing_differs() -> None:
    default = {**POLICY["default"], "price": {"percent": "2", "absolute": {"USD": "1"}}}
    verdict = judged(order(), receipt("R1", 100), invoice("I1", bill_line(100)), rules=policy(default=default)).of("I1")
    assert (verdict.state, verdict.codes, verdict.payable) == (State.EXCEPTION, ("tolerance_missing",), 0)


def test_a_way_nobody_declared_pays_nothing() -> None:
    default = {name: value for name, value in POLICY["default"].items() if name != "way"}
    verdict = judged(order(), receipt("R1", 100), invoice("I1", bill_line(100)), rules=policy(default=default)).of("I1")
    assert (verdict.codes, verdict.payable) == (("tolerance_missing",), 0)


def test_every_sentence_is_there_in_both_languages_and_its_figures_are_named() -> None:
    assert {code: (bool(said.en), bool(said.zh)) for code, said in CODES.items() if not (said.en and said.zh)} == {}
    for code, said in CODES.items():
        assert set(_figures(said.zh)) <= {*_figures(said.en), "said_zh"}, code
        assert said.owners, code


def _figures(sentence: str) -> list[str]:
    return [part.split("}")[0] for part in sentence.split("{")[1:]]


def test_the_shipped_file_is_plain_yaml() -> None:
    assert set(YAML(typ="safe").load(SHIPPED.read_text(encoding="utf-8"))) >= {"default", "categories", "charges"}
