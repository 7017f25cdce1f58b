"""Letters to the customer and to our own sales desk, in Chinese and English; each has its own number, sent once."""

from __future__ import annotations

from collections.abc import Mapping

from throughline.canonical import Customer, Item, Notice, SalesOrder, Shipment
from throughline.errors import Invalid
from throughline.rules.dossier import Dossier
from throughline.rules.order_comparison import compare_lines
from throughline.rules.progress import line_progress, order_status
from throughline.rules.registry import rule
from throughline.rules.units import base_unit, plain

SALES_DESK = "desk:sales"
"""Our own sales people; the mail connection knows their address."""


@rule("shipment_notice", kind="make", makes="notice")
def shipment_notice(subject: SalesOrder, item: Shipment, dossier: Dossier) -> Notice:
    """Tells the customer what has left, with which carrier, and whether more follows."""
    rows = "\n".join(
        f"  {_name(line.item, dossier)}  {plain(line.quantity.value)} {line.quantity.unit}" for line in item.lines
    )
    last = order_status(subject, dossier) == "shipped"
    carrier = f"{item.carrier or '-'} {item.tracking_number or ''}".strip()
    ending = (
        ("订单已全部发货。", "This completes your order.") if last else ("其余将另行发货。", "The rest will follow.")
    )
    body = (
        f"尊敬的客户,您的订单 {_their_number(subject)} 已发货:\n{rows}\n承运:{carrier}\n{ending[0]}\n\n"
        f"Dear customer, goods of your order {_their_number(subject)} have left:\n{rows}\n"
        f"Carrier: {carrier}\n{ending[1]}\n"
    )
    return Notice(
        number=f"{item.number}-notice",
        about=dossier.item_id or dossier.key,
        recipient=_address(subject, dossier),
        subject=f"发货通知 Shipment {item.number} · {_their_number(subject)}",
        body=body,
    )


@rule("change_notice", kind="make", makes="notice")
def change_notice(subject: SalesOrder, item: SalesOrder, dossier: Dossier) -> Notice | None:
    """Tells the customer that a change was accepted; of a cancellation also that it was refused, and why."""
    verdict = next((found for found in dossier.verdicts.values() if "outcome" in found), None)
    applied = verdict is not None and verdict["outcome"] == "apply" and not dossier.refusals
    if verdict is None or verdict["kind"] == "none" or not (applied or verdict["kind"] == "cancel"):
        return None
    if not applied:
        return _cancel_refused(subject, item, verdict["sentence"], dossier)
    changed = [delta for delta in compare_lines(subject, item, dossier) if delta.before != delta.after]
    rows = "\n".join(
        f"  {_name(delta.item, dossier)}: {plain(delta.before)} → {plain(delta.after)} {delta.unit}"
        for delta in changed
    )
    return _about_change(subject, item, f"{verdict['sentence']['zh']}\n{verdict['sentence']['en']}\n{rows}\n", dossier)


def _cancel_refused(subject: SalesOrder, item: SalesOrder, sentence: Mapping[str, str], dossier: Dossier) -> Notice:
    """The order goes on although it was cancelled: what was decided, or which system refused, and what is offered."""
    number = _their_number(subject)
    chinese, english = sentence["zh"], sentence["en"]
    if dossier.refusals:
        chinese = f"订单 {number}:相关系统拒绝,未能取消。"
        english = f"Order {number} could not be cancelled: refused by the system concerned."
    offer = () if "return is offered" in english else ("到货后可办理退货。", "A return is offered after delivery.")
    return _about_change(subject, item, "\n".join((chinese, english, *offer, "")), dossier)


@rule("return_needed_notice", kind="make", makes="notice")
def return_needed_notice(subject: SalesOrder, dossier: Dossier) -> Notice:
    """Tells our sales desk that a cancelled order goes on, because goods have left: a return is to be agreed.

    The CRM takes no word about a cancelled order, so this letter is the only way to tell.
    """
    rows = "\n".join(
        f"  {line.line}: {plain(line.shipped)} / {plain(line.ordered)} {base_unit(line.item, dossier)}"
        for line in line_progress(subject, dossier)
    )
    piece = dossier.item_id.rpartition("@")[2]
    body = (
        f"订单 {subject.number} 已在 CRM 取消,但取消未被接受:货物已发出或将发出。请与客户商定退货。\n"
        f"已发 / 订购:\n{rows}\n"
        "该订单后续发货只记入 ERP,CRM 不再生成发货单。\n\n"
        f"Order {subject.number} was cancelled in the CRM, and the cancellation could not be carried out: goods are on "
        f"their way or will be. Please agree a return with the customer.\nSent / ordered:\n{rows}\n"
        "What still leaves for it is booked in the ERP; the CRM gets no more delivery notes of this order.\n"
    )
    return Notice(
        number=f"{subject.number}-return-{piece}",
        about=dossier.key,
        recipient=SALES_DESK,
        subject=f"需办理退货 Return needed · {subject.number}",
        body=body,
    )


def _about_change(subject: SalesOrder, item: SalesOrder, body: str, dossier: Dossier) -> Notice:
    return Notice(
        number=f"{subject.number}-change-{dossier.item_id.rpartition('@')[2]}-notice",
        about=dossier.key,
        recipient=_address(item, dossier),
        subject=f"订单变更 Order change · {_their_number(subject)}",
        body=body,
    )


def _their_number(order: SalesOrder) -> str:
    return order.customer_order_number or order.number


def _name(item_ref: str, dossier: Dossier) -> str:
    item = dossier.get(item_ref, Item)
    return f"{item.number} {item.name}" if item else item_ref.rpartition(":")[2]


def _address(order: SalesOrder, dossier: Dossier) -> str:
    customer = dossier.get(order.customer, Customer)
    address = order.contact_email or (customer.email if customer else None)
    if not address:
        raise Invalid(f"order {order.number} names nobody to write to: add a contact e-mail", field="contact_email")
    return address
