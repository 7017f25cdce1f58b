"""Whether enough has arrived: the conditions that end a flow's waiting."""

from __future__ import annotations

from throughline.canonical import SalesOrder
from throughline.rules.dossier import Dossier
from throughline.rules.progress import line_progress, produced_by_item, received_by_item
from throughline.rules.registry import rule
from throughline.rules.units import ZERO


@rule("supply_planned", kind="until")
def supply_planned(subject: SalesOrder, dossier: Dossier) -> bool:
    """Every line the company makes itself is covered by work orders."""
    return all(line.planned >= line.ordered for line in line_progress(subject, dossier) if line.made)


@rule("production_complete", kind="until")
def production_complete(subject: SalesOrder, dossier: Dossier) -> bool:
    """For every line the company makes itself, as many good pieces were reported as are ordered."""
    return all(line.produced >= line.ordered for line in line_progress(subject, dossier) if line.made)


@rule("received_all", kind="until")
def received_all(subject: SalesOrder, dossier: Dossier) -> bool:
    """Production is complete, and the warehouse has put away everything that was reported good."""
    if not production_complete(subject, dossier):
        return False
    received = received_by_item(dossier)
    return all(received.get(ref, ZERO) >= amount for ref, amount in produced_by_item(dossier).items())


@rule("fully_shipped", kind="until")
def fully_shipped(subject: SalesOrder, dossier: Dossier) -> bool:
    """Every line has left in full, counted in quantities: the shipment called the last may overtake an earlier one."""
    return all(line.shipped >= line.ordered for line in line_progress(subject, dossier))
