"""May an order still be changed: the same wish is answered differently as the order goes on.

| wish | before release | in production | after goods issue |
|---|---|---|---|
| cancel | apply | apply: the shop floor stops at a gate, what was made goes to stock | refuse, offer a return |
| less | apply | apply down to what is made, else refuse | apply down to what has left or is made, else refuse |
| more | apply | apply as a supplement, never by raising a running order | apply while something is still to be sent |
| lines | apply | apply when nothing of the lines taken away is made | the same |
| address, date | apply | apply | refuse |
"""

from __future__ import annotations

from typing import Any, Literal

from throughline.canonical import SalesOrder, Shipment
from throughline.rules.change_sentences import sentence_for
from throughline.rules.dossier import Dossier
from throughline.rules.order_comparison import ChangeKind, LineDelta, change_kind, compare_lines
from throughline.rules.progress import line_progress
from throughline.rules.registry import rule
from throughline.rules.units import ZERO

Stage = Literal["before_release", "in_production", "after_goods_issue"]


@rule("order_change", kind="decide")
def order_change(subject: SalesOrder, item: SalesOrder, dossier: Dossier) -> dict[str, Any]:
    """What a new revision of an order means, whether it may be carried out now, and the sentence to answer with."""
    deltas = compare_lines(subject, item, dossier)
    kind = change_kind(subject, item, deltas)
    stage = stage_of(dossier)
    outcome = "apply" if may_change(kind, stage, deltas, subject, dossier) else "refuse"
    return {
        "kind": kind,
        "stage": stage,
        "outcome": outcome,
        "lines": [delta.as_text() for delta in deltas if delta.change != "kept"],
        "raised": outcome == "apply" and any(delta.after > delta.before for delta in deltas),
        "lowered": outcome == "apply" and any(_after(delta) < delta.before for delta in deltas),
        "reship": outcome == "apply" and kind not in ("none", "cancel"),
        "made": any(delta.floor > ZERO for delta in deltas),
        "sentence": sentence_for(kind, stage, outcome, item.number, deltas),
    }


def stage_of(dossier: Dossier) -> Stage:
    """How far the order is: goods have left, the shop floor has an order, or neither."""
    if any(shipment.status in ("shipped", "delivered") for _, shipment in dossier.of(Shipment)):
        return "after_goods_issue"
    return "in_production" if dossier.was_carried("mes", "work_order") else "before_release"


def may_change(kind: ChangeKind, stage: Stage, deltas: list[LineDelta], subject: SalesOrder, dossier: Dossier) -> bool:
    """The table above as a yes or no."""
    if kind == "none":
        return True
    if stage == "after_goods_issue" and (kind in ("cancel", "address", "date") or _all_gone(subject, dossier)):
        return False
    return kind == "cancel" or all(_after(delta) >= delta.floor for delta in deltas if delta.change != "kept")


def _after(delta: LineDelta) -> Any:
    """What stays of the old item on this line: nothing when the line now names another item."""
    return ZERO if delta.change == "item" else delta.after


def _all_gone(subject: SalesOrder, dossier: Dossier) -> bool:
    return all(line.shipped >= line.ordered for line in line_progress(subject, dossier))
