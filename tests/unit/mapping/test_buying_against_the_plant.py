"""The tables of buying, through the real connectors, with the emulated systems: what they tell we can read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.contracts.conftest import Site, start_site  # noqa: F401  # the fixture is used by its name
from tests.contracts.specimens import SPECIMENS, Specimen, finance, make_answer, tick
from tests.unit.mapping.conftest import Everybody
from throughline.canonical import Money, PurchaseInvoice, PurchaseRequisition, SupplierConfirmation
from throughline.mapping import Translator

Started = Callable[[Specimen], Site]


@pytest.fixture
def told(start_site: Started, translator: Translator, registry: Everybody) -> Callable[..., Any]:  # noqa: F811
    """What a system tells of a kind, as canonical documents by number, after something was made there."""

    async def tell(product: str, kind: str, *make: Callable[[Site], Any]) -> dict[str, Any]:
        (specimen,) = (one for one in SPECIMENS if one.product == product)
        site = start_site(specimen)
        site.desk.post("/_plant/reset").raise_for_status()
        for one in make:
            one(site)
        async with site.connector() as connector:
            records = [record async for page in connector.changes(kind, None) for record in page.records]
        found = [translator.read(product, specimen.role, kind, dict(record.raw)) for record in records]
        return {document.number: document for document in found}

    return tell


def made_by_specimen(product: str, kind: str, number: str) -> Callable[[Site], Any]:
    (specimen,) = (one for one in SPECIMENS if one.product == product)
    (polled,) = (one for one in specimen.polled if one.document == kind)
    return lambda site: polled.make(site, number)


@pytest.mark.parametrize("product", ["weaver_ecology", "seeyon"])
async def test_a_requisition_of_each_oa_reads_the_same(told: Callable[..., Any], product: str) -> None:
    documents = await told(
        product, "purchase_requisition", made_by_specimen(product, "purchase_requisition", "PR-1")
    )  # fmt: skip
    requisition = documents["PR-1"]
    assert isinstance(requisition, PurchaseRequisition)
    assert (requisition.status, requisition.currency) == ("submitted", "CNY")
    (line,) = requisition.lines
    assert (line.line, line.item, str(line.quantity.value), line.quantity.unit) == (
        "10",
        "item:erp:RM-001",
        "20",
        "pcs",
    )
    assert line.estimated_price == Money(amount=Decimal("12.00"), currency="CNY")


async def test_a_supplier_confirmation_names_the_lines_of_its_order(told: Callable[..., Any]) -> None:
    documents = await told("xieke_srm", "supplier_confirmation", lambda site: make_answer(site, "PO-1"))
    confirmation = documents["PO-1-A1"]
    assert isinstance(confirmation, SupplierConfirmation)
    assert (confirmation.status, confirmation.order) == ("confirmed", "purchase_order:erp:PO-1")
    (line,) = confirmation.lines
    assert (line.order_line, str(line.quantity.value)) == ("purchase_order:erp:PO-1#10", "20")
    assert (line.unit_price, line.due_on) == (Money(amount=Decimal("12.00"), currency="CNY"), date(2026, 12, 1))


async def test_an_invoice_and_its_payment_and_the_suppliers_bank(told: Callable[..., Any]) -> None:
    def key_in(site: Site) -> None:
        tick(site)
        line = {"item": "RM-001", "quantity": "20", "price": "12.00", "order": "PO-1", "order_line": 10}
        finance(site).key_in("V-2001", "INV-0441", [line, {"price": "5.00", "charge": "freight"}], number="AP-1")
        finance(site).key_in("V-2001", "CN-1", [line], number="AP-2", audit=False, F_TL_Nature="credit_note",
                             F_TL_Credits="AP-1")  # fmt: skip
        finance(site).pay("PRQ-1", invoice="AP-1", amount="276.85", number="PAY-1", bank="D")

    invoices = await told("kingdee_cloud", "purchase_invoice", key_in)
    invoice = invoices["AP-1"]
    assert isinstance(invoice, PurchaseInvoice)
    assert (invoice.status, invoice.supplier, invoice.supplier_number) == (
        "validated",
        "supplier:erp:V-2001",
        "INV-0441",
    )
    assert (invoice.net.amount, invoice.tax.amount, invoice.gross.amount) == (245, Decimal("31.85"), Decimal("276.85"))
    goods, freight = invoice.lines
    assert (goods.order_line, goods.item, goods.amount.amount) == ("purchase_order:erp:PO-1#10", "item:erp:RM-001", 240)
    assert (freight.order_line, freight.charge) == (None, "freight")
    credit = invoices["AP-2"]
    assert (credit.status, credit.nature, credit.credits) == (
        "captured",
        "credit_note",
        "purchase_invoice:finance:AP-1",
    )
    payment = (await told("kingdee_cloud", "payment", key_in))["PAY-1"]
    assert (payment.status, payment.invoice, payment.instalment) == ("rejected", "purchase_invoice:finance:AP-1", "1")
    assert payment.request == "payment_request:hub:PRQ-1"
    suppliers = await told("kingdee_cloud", "supplier", tick)
    assert suppliers["V-2001"].bank_account == "331001002001"
