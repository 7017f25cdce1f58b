"""Judges an invoice as a whole: who sent it, whether its figures add up, and whether it may be paid now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from throughline.rules.matching.charges import Charges
from throughline.rules.matching.claims import Claim
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.folder import Folder
from throughline.rules.matching.folders import rate_of
from throughline.rules.matching.instalments import check_pay_currency, check_plan, dead_requests
from throughline.rules.matching.line_judgement import gap_reason, judge, relies_on
from throughline.rules.matching.measures import MissingFactor, MissingRate
from throughline.rules.matching.money import ZERO
from throughline.rules.matching.parties import judge_bank, judge_order_parties, judge_supplier
from throughline.rules.matching.reasons import Reason, reason
from throughline.rules.matching.settlements import Settlements
from throughline.rules.matching.settling import exchange_differences, strange_money
from throughline.rules.matching.terms import Hole
from throughline.rules.matching.totals import judge_tax, judge_totals

Check = Callable[[], Iterable[Reason]]


class InvoiceJudgement:
    """Writes the reasons and what is due into each folder."""

    def __init__(self, desk: Desk, settlements: Settlements) -> None:
        self._desk, self._settlements = desk, settlements
        self._charges = Charges(desk)
        self._blamed = _blamed(desk)

    def judge(self, folder: Folder) -> None:
        """Its lines, then itself; `due` is what is matched, with tax, less what was credited to it as a whole."""
        self.judge_header(folder)
        if folder.stopped:
            return
        for claim in folder.claims:
            if claim.line.charge is None and claim.judged:
                judge(self._desk, claim)
        self._charge(folder)
        matched = sum((claim.value for claim in folder.claims if claim.judged), ZERO)
        folder.unjudged = sum((claim.gross for claim in folder.claims if not claim.judged), ZERO)
        folder.due = max(ZERO, matched - folder.header_credit)

    def judge_header(self, folder: Folder) -> None:
        """The invoice itself. A hole in the tables or a missing rate is one more reason."""
        for check in self._checks(folder):
            try:
                found = list(check())
            except (Hole, MissingRate, MissingFactor) as gap:
                found = [gap_reason(gap, folder.ref, None, None)]
            folder.reasons += [self._desk.settle(one) for one in found]

    def _checks(self, folder: Folder) -> Iterator[Check]:
        desk, ref, invoice = self._desk, folder.ref, folder.document
        rates = [rate_of(claim.line.tax_rate, claim.version) for claim in folder.claims]
        treatments = {
            claim.version.order.tax_treatment
            for claim in folder.claims
            if claim.version and claim.version.order.tax_treatment
        }
        yield lambda: self._broken(folder)
        yield lambda: judge_supplier(desk, ref, invoice)
        yield lambda: self._parties(folder)
        yield lambda: judge_totals(desk, ref, invoice)
        if folder.claims:
            yield lambda: judge_tax(desk, ref, invoice, rates, treatments)
        yield lambda: self._future(folder)
        yield lambda: check_plan(invoice, ref)
        yield lambda: check_pay_currency(desk, folder)
        yield lambda: strange_money(folder, self._settlements)
        yield lambda: dead_requests(folder, self._settlements)
        yield lambda: exchange_differences(desk, folder, self._settlements)
        if self._settlements.paid(ref) < invoice.gross.amount - folder.credited:
            yield lambda: judge_bank(desk, ref, invoice)

    def _broken(self, folder: Folder) -> Iterator[Reason]:
        for problem in self._blamed.get(folder.ref, ()):
            yield relies_on(problem, folder.ref)
        for problem in self._desk.papers.problems.get(folder.document.supplier, ()):
            yield relies_on(problem, folder.ref)
        if folder.document.nature == "invoice" and not folder.claims:
            yield reason("nothing_invoiced", folder.ref, None)

    def _parties(self, folder: Folder) -> Iterator[Reason]:
        seen: set[Reason] = set()
        versions = [claim.version.order for claim in folder.claims if claim.version]
        if folder.document.order:
            versions += self._desk.papers.versions(folder.document.order)[-1:]
        for order in {id(order): order for order in versions}.values():
            for found in judge_order_parties(folder.ref, folder.document, order):
                if found not in seen:
                    seen.add(found)
                    yield found

    def _future(self, folder: Folder) -> Iterator[Reason]:
        days = (folder.document.invoiced_on - self._desk.as_of).days
        if days > 0:
            allowed = self._desk.terms.of(folder.document.supplier, None).limit_days("in_future")
            if days > allowed:
                on = folder.document.invoiced_on.isoformat()
                yield reason("invoice_in_future", folder.ref, None, invoiced_on=on, days=days, allowed=allowed)

    def _charge(self, folder: Folder) -> None:
        charges: list[Claim] = [claim for claim in folder.claims if claim.line.charge is not None]
        if charges:
            goods: Decimal = sum((claim.net for claim in folder.claims if claim.line.charge is None), ZERO)
            self._charges.judge(charges, folder.orders, goods)


def _blamed(desk: Desk) -> dict[str, list[Reason]]:
    """Invoices about whose payment or credit there is a document that cannot be right."""
    found: dict[str, list[Reason]] = {}
    for ref, documents in desk.papers.unsound.items():
        if documents[0].kind in ("payment", "payment_request", "purchase_invoice"):
            for document in documents:
                for named in document.references():
                    if named.startswith("purchase_invoice:"):
                        found.setdefault(named.split("#")[0], []).extend(desk.papers.problems[ref])
    return {named: list(dict.fromkeys(problems)) for named, problems in found.items()}
