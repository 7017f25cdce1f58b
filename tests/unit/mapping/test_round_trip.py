"""Whatever a table can carry survives the way there and back, for every field of every table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.mapping.conftest import OWNERS, PRODUCTS, ROOT, ZONES, Everybody
from tests.unit.mapping.strategies import documents
from throughline.mapping import Codes, Table, Translator, load_tables
from throughline.mapping.paths import putter
from throughline.mapping.vocabulary import FieldSpec, Key, TableSpec

CODES = Codes.load(ROOT / "include" / "codes")
TABLES = load_tables(PRODUCTS, CODES)
CHECKED = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def both_ways(table: Table) -> Table | None:
    """The same table with every field in both directions, or None when it could not be read (it lacks a number)."""
    fields = table.read_fields() if table.reads else table.write_fields()[0]
    spec = TableSpec(product=table.product, document=table.document, key=table.spec.key or Key(id="their_id"))
    turned = Table(table.product, table.document, table.path, spec.model_copy(update={"fields": fields}), table.codes)
    bench = turned.bench({}, "UTC")
    turned.reader(bench)
    return None if bench.problems else turned


TURNED = [turned for turned in map(both_ways, TABLES) if turned is not None]
TWO_WAY = [table for table in TABLES if table.reads and table.writes]


def translator(table: Table) -> Translator:
    return Translator([table], CODES, OWNERS, Everybody(), zones=ZONES)


def role_of(table: Table) -> str:
    return {
        "fxiaoke": "crm", "black_lake": "mes", "flux": "wms", "smtp": "mail", "tryton_wms": "wms",
        "weaver_ecology": "oa", "seeyon": "oa", "roundup": "oa", "xieke_srm": "srm", "kingdee_cloud": "finance",
    }.get(table.product, "erp")  # fmt: skip


@pytest.mark.parametrize("table", TURNED, ids=lambda table: f"{table.product}-{table.document}")
@given(data=st.data())
@CHECKED
def test_every_field_spells_the_same_in_both_directions(table: Table, data: st.DataObject) -> None:
    doc = data.draw(documents(table, table.spec.fields))
    there = translator(table)
    payload = there.write(table.product, role_of(table), table.document, doc)
    assert there.read(table.product, role_of(table), table.document, payload) == doc


@pytest.mark.parametrize("table", TURNED, ids=lambda table: f"{table.product}-{table.document}")
@given(data=st.data())
@CHECKED
def test_a_change_that_clears_fields_is_read_back_as_it_was_meant(table: Table, data: st.DataObject) -> None:
    before, after = data.draw(documents(table, table.spec.fields)), data.draw(documents(table, table.spec.fields))
    there, role = translator(table), role_of(table)
    payload = there.write(table.product, role, table.document, after, operation="change", before=before)
    assert there.read(table.product, role, table.document, payload) == after
    created = there.write(table.product, role, table.document, after)
    assert _without_nothing(payload) == _without_nothing(created), "but for what is cleared, a change says the same"


def _without_nothing(tree: Any) -> Any:
    if isinstance(tree, dict):
        kept = {name: _without_nothing(value) for name, value in tree.items() if value is not None}
        return {name: value for name, value in kept.items() if value != {}}
    return [_without_nothing(each) for each in tree] if isinstance(tree, list) else tree


@pytest.mark.parametrize("table", TWO_WAY, ids=lambda table: f"{table.product}-{table.document}")
@given(data=st.data())
@CHECKED
def test_what_a_table_writes_it_reads_back(table: Table, data: st.DataObject) -> None:
    """The target answers with fields we did not write (its status); those are added as it would."""
    shared = table.spec.fields
    doc = data.draw(documents(table, shared))
    there = translator(_only_shared(table))
    payload = there.write(table.product, role_of(table), table.document, doc)
    told = _answered(table, payload, {name: spec for name, spec in table.read_fields().items() if name not in shared})
    assert there.read(table.product, role_of(table), table.document, payload) == doc.model_copy(update=told)


def _only_shared(table: Table) -> Table:
    spec = table.spec.model_copy(update={"write": None, "operations": {}})
    return Table(table.product, table.document, table.path, spec, table.codes)


def _answered(table: Table, payload: dict[str, Any], fields: dict[str, FieldSpec]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, spec in fields.items():
        if isinstance(spec.values, dict):
            word, told[name] = next(iter(spec.values.items()))
            putter(spec.source[0])(payload, payload, word)
        elif spec.default is not None:
            told[name] = spec.default
    return told


def test_the_property_covers_all_tables_but_those_without_a_number() -> None:
    left = {(table.product, table.document) for table in TABLES} - {(t.product, t.document) for t in TURNED}
    assert left <= {
        ("fxiaoke", "order_update"),
        ("fxiaoke", "shipment"),
        ("smtp", "notice"),
        ("dingtalk_robot", "notice"),
        ("wecom_robot", "notice"),
        ("feishu_robot", "notice"),
        ("sms_gateway", "notice"),
        ("weaver_ecology", "order_update"),
        ("roundup", "order_update"),
        ("seeyon", "order_update"),
        ("xieke_srm", "purchase_requisition"),
        ("kingdee_cloud", "payment_request"),
    } | {found for found in left if found[0].startswith("tryton")}
    assert len(TURNED) >= 10


def test_a_table_says_nothing_of_a_product_it_is_not_for() -> None:
    for table in TABLES:
        assert table.path.parent.parent.name == table.product
        assert re.fullmatch(r"[0-9a-f]{16}", table.version)
        assert Path(table.path).stem == table.document
