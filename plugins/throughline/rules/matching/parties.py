"""Checks who invoices: the supplier's state, and a bank account changed shortly before payment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from throughline.canonical import PurchaseInvoice, PurchaseOrder, Supplier
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.reasons import Reason, reason


def judge_supplier(desk: Desk, about: str, invoice: PurchaseInvoice) -> Iterator[Reason]:
    """Known, active, with a valid certificate."""
    supplier = desk.papers.get(invoice.supplier, Supplier)
    if supplier is None:
        yield reason("supplier_unknown", about, None, supplier=invoice.supplier)
        return
    if supplier.status != "active":
        yield reason("supplier_blocked", about, None, supplier=invoice.supplier, status=supplier.status)
    until = supplier.certificate_until
    if until is not None and until < desk.as_of:
        yield reason("certificate_expired", about, None, supplier=invoice.supplier, until=until.isoformat())


def judge_order_parties(about: str, invoice: PurchaseInvoice, order: PurchaseOrder) -> Iterator[Reason]:
    """The invoice comes from whom we ordered from, and is made out to who ordered."""
    if invoice.supplier != order.supplier:
        yield reason("supplier_differs", about, None, supplier=invoice.supplier, ordered_from=order.supplier)
    if invoice.company and order.company and invoice.company != order.company:
        yield reason("company_differs", about, None, company=invoice.company, ordered_by=order.company)


def judge_bank(desk: Desk, about: str, invoice: PurchaseInvoice) -> Iterator[Reason]:
    """Held until a second person called back. What an invoice prints is compared and never paid to."""
    supplier = desk.papers.get(invoice.supplier, Supplier)
    if supplier is None:
        return
    known = supplier.bank_account
    if invoice.bank_account and _plain(invoice.bank_account) != _plain(known or ""):
        yield reason("bank_differs", about, None, printed=invoice.bank_account)
    changed = supplier.bank_changed_on
    if changed is None or changed + timedelta(days=desk.policy.bank_hold_days) < desk.as_of:
        return
    if not _called_back(supplier):
        by = supplier.bank_changed_by or "(unknown)"
        yield reason("bank_changed", about, None, changed_on=changed.isoformat(), changed_by=by)


def _called_back(supplier: Supplier) -> bool:
    """Confirmed on or after the change, by somebody who is known not to have made it."""
    by, on = supplier.bank_confirmed_by, supplier.bank_confirmed_on
    if not by or on is None or supplier.bank_changed_on is None or on < supplier.bank_changed_on:
        return False
    return supplier.bank_changed_by is not None and supplier.bank_changed_by != by


def _plain(account: str) -> str:
    return "".join(account.split()).upper()
