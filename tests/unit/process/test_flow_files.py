from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from throughline.connectors.contract import ObjectKind, Operation, Tier
from throughline.errors import Misconfigured
from throughline.process.flow_files import load_flow, load_flows
from throughline.process.flow_fit import check_fit

FLOWS = Path(__file__).parents[3] / "include" / "flows"
HEAD = """flow: demo
title: {en: Demo, zh: 演示}
subject: {document: sales_order, system: crm}
start: "doc.status == 'confirmed'"
steps:
"""


def written(directory: Path, steps: str, head: str = HEAD) -> Path:
    path = directory / "demo.yaml"
    path.write_text(head + steps, encoding="utf-8")
    return path


def test_every_flow_in_include_loads_and_is_readable() -> None:
    flows = load_flows(FLOWS)
    assert "order_to_delivery" in flows
    for flow in flows.values():
        assert len(flow.steps) <= 24
        assert all(step.title and step.title.zh for step in flow.steps.values())
        assert all(step.due for step in flow.steps.values() if step.effect)


def test_a_flow_reads_as_its_models(tmp_path: Path) -> None:
    flow = load_flow(written(tmp_path, "  a: {deliver: {system: erp, document: sales_order}, due: 15m}\n"))
    assert flow.steps["a"].due == timedelta(minutes=15)
    assert flow.steps["a"].kind == "deliver"
    assert flow.version == load_flow(tmp_path / "demo.yaml").version
    assert len(flow.version) == 12


MISTAKES = [
    ("  a: {deliver: {system: erp, document: sales_order}, needs: [b]}\n", 6, "needs 'b', which is no step"),
    ("  a: {deliver: {system: erp, document: sales_order}, needs: [b]}\n"
     "  b: {deliver: {system: erp, document: sales_order}, needs: [a]}\n", 6, "wait for each other in a circle: a, b"),
    ("  a: {deliver: {system: erp, document: sales_order}}\n"
     "  b: {deliver: {system: erp, document: sales_order}, per: a}\n", 7, "which is no await with 'each: true'"),
    ("  a: {deliver: {system: erp, document: poem}}\n", 6, "there is no document 'poem'"),
    ("  a: {deliver: {system: erp, document: sales_order, make: magic}}\n", 6, "no 'make' rule named 'magic'"),
    ("  a: {deliver: {system: erp, document: sales_order, make: order_closed}}\n", 6, "makes a order_update"),
    ("  a: {decide: {rule: magic}}\n", 6, "no 'decide' rule named 'magic'; there are: order_change"),
    ("  a: {await: {document: receipt, system: wms, each: true, until: {rule: magic}}}\n", 6, "no 'until' rule"),
    ("  a:\n    deliver: {system: erp, document: sales_order}\n    when: \"doc.status =\"\n", 8, "does not compile"),
    ("  a: {deliver: {system: erp, document: sales_order}, due: soon}\n", 6, "not a length of time"),
    ("  a: {deliver: {system: erp, document: sales_order}, retry: 3}\n", 6, "Extra inputs are not permitted"),
    ("  a: {deliver: {system: erp, document: sales_order}, decide: {rule: order_change}}\n", 6, "exactly one of"),
    ("  a: {await: {document: receipt, system: wms, each: true}}\n", 6, "say when enough have arrived"),
    ("  a: {await: {document: receipt, system: wms, each: true, until: {rule: received_all}}}\n"
     "  b: {await: {document: shipment, system: wms, each: true, until: {rule: fully_shipped}}}\n"
     "  c: {deliver: {system: erp, document: receipt}, per: a}\n"
     "  d: {deliver: {system: erp, document: shipment}, per: b, needs: [c]}\n", 9, "cannot need 'c', per 'a'"),
    ("  a: {await: {document: sales_order, system: crm, each: true, revisions: true}}\n"
     "  b: {deliver: {system: erp, document: sales_order}, needs: [a]}\n", 7, "changes may come as long as"),
    ("  a: [1\n", 7, "this is not YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "line", "said"), MISTAKES)
def test_a_mistake_is_said_with_file_and_line(tmp_path: Path, steps: str, line: int, said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        load_flow(written(tmp_path, steps))
    assert said in caught.value.message
    assert caught.value.where.endswith(f"demo.yaml:{line}")


def test_a_flow_that_asks_too_much_of_a_system_is_refused_with_its_line(tmp_path: Path) -> None:
    flow = load_flow(written(tmp_path, "  a: {deliver: {system: erp, document: sales_order, operation: cancel}}\n"))
    offered = {"sales_order": ObjectKind("sales_order", operations={"create": Operation("create", Tier.T1)})}
    with pytest.raises(Misconfigured, match="erp cannot cancel a sales_order; it offers create") as caught:
        check_fit(flow, {"erp": object(), "crm": object()}, lambda role: offered)
    assert caught.value.where.endswith("demo.yaml:6")
    with pytest.raises(Misconfigured, match="no system plays the role erp"):
        check_fit(flow, {"crm": object()}, lambda role: offered)
    able = {"sales_order": ObjectKind("sales_order", operations={"cancel": Operation("cancel", Tier.T1)})}
    check_fit(flow, {"erp": object(), "crm": object()}, lambda role: able)
