"""News told back to the system that took the order: accepted, how far, closed, and the answer to a change."""

from __future__ import annotations

from throughline.canonical import OrderUpdate, SalesOrder, reference
from throughline.rules.dossier import Dossier
from throughline.rules.progress import is_cancelled, line_progress, order_status
from throughline.rules.registry import rule
from throughline.rules.units import plain

ERP = "erp"


@rule("order_accepted", kind="make", makes="order_update")
def order_accepted(subject: SalesOrder, dossier: Dossier) -> OrderUpdate:
    """Tells sales that the ERP has the order, and under which number."""
    number = dossier.numbers.get((ERP, dossier.key))
    told = number or subject.number
    return OrderUpdate(
        number=f"{subject.number}-accepted",
        status="accepted",
        order=dossier.key,
        erp_number=number,
        message=f"Accepted by the ERP as {told}. / ERP 已接受,单号 {told}。",
    )


@rule("order_progress", kind="make", makes="order_update")
def order_progress(subject: SalesOrder, dossier: Dossier) -> OrderUpdate:
    """Tells sales how far the order has come, line by line."""
    status = order_status(subject, dossier)
    told = "; ".join(
        f"{line.line}: {plain(line.shipped)}/{plain(line.ordered)} shipped, {plain(line.produced)} made"
        for line in line_progress(subject, dossier)
    )
    piece = dossier.item_id.rpartition(":")[2] or status
    return OrderUpdate(
        number=f"{subject.number}-progress-{piece}",
        status=status,
        order=dossier.key,
        erp_number=dossier.numbers.get((ERP, dossier.key)),
        message=told,
    )


@rule("order_closed", kind="make", makes="order_update")
def order_closed(subject: SalesOrder, dossier: Dossier) -> OrderUpdate:
    """Tells sales that everything ordered has left and the order is closed, or that it ended cancelled."""
    cancelled = is_cancelled(subject)
    return OrderUpdate(
        number=f"{subject.number}-closed",
        status="cancelled" if cancelled else "closed",
        order=dossier.key,
        erp_number=dossier.numbers.get((ERP, dossier.key)),
        message="Cancelled; what was made lies in stock. / 已取消,已完工部分转库存。"
        if cancelled
        else "Shipped in full and closed. / 已全部发货并关闭。",
    )


@rule("change_answer", kind="make", makes="order_update")
def change_answer(subject: SalesOrder, dossier: Dossier) -> OrderUpdate:
    """Tells sales whether a change was accepted or refused, and why."""
    verdict = next((found for found in dossier.verdicts.values() if "outcome" in found), {})
    sentence = verdict.get("sentence", {})
    message = f"{sentence.get('en', '')} / {sentence.get('zh', '')}"
    if dossier.refusals:
        reasons = "; ".join(f"{step}: {reason}" for step, reason in sorted(dossier.refusals.items()))
        message = f"Change not carried out, refused by the system concerned. / 变更未执行,相关系统拒绝。 {reasons}"
    applied = verdict.get("outcome") == "apply" and not dossier.refusals
    return OrderUpdate(
        number=f"{subject.number}-change-{dossier.item_id.rpartition('@')[2]}",
        status=_standing(subject, dossier, cancelled=applied and verdict.get("kind") == "cancel"),
        order=dossier.key,
        erp_number=dossier.numbers.get((ERP, dossier.key)),
        message=message[:4000],
    )


def _standing(subject: SalesOrder, dossier: Dossier, *, cancelled: bool) -> str:
    """How the order stands when a change is answered; sales, once told that it is closed, hears nothing earlier."""
    if cancelled:
        return "cancelled"
    told = reference(OrderUpdate.kind, "hub", f"{subject.number}-closed")
    return "closed" if told in dossier.was_carried("crm", OrderUpdate.kind) else order_status(subject, dossier)
