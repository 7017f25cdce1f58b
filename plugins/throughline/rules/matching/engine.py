"""The match: from a set of documents to a verdict for every invoice.

1. Lay out the documents by id; set aside what cannot be right.
2. Open a folder for every invoice; take credit notes off them; find suspected duplicates.
3. Write receipts, returns, reversals and inspections into their order lines.
4. Share the goods out over the invoices, order line by order line.
5. Judge lines, charges, totals, tax, parties, bank accounts.
6. Take off prepayments, keep retentions back, split what is due into instalments, compare with what is already paid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Context, Decimal, localcontext

from throughline.canonical import CanonicalDocument, PurchaseInvoice
from throughline.rules.dossier import Linked
from throughline.rules.matching.allocation import allocate
from throughline.rules.matching.answers import credit_verdict, line_verdict, unsound_verdict
from throughline.rules.matching.balances import Balances
from throughline.rules.matching.credits import Claims, Credit, apply_credits
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.duplicates import Candidate, families, printed, suspicions
from throughline.rules.matching.folder import Folder
from throughline.rules.matching.folders import open_folders
from throughline.rules.matching.goods import Goods
from throughline.rules.matching.instalments import parts_of, positions, residuals
from throughline.rules.matching.invoice_judgement import InvoiceJudgement
from throughline.rules.matching.money import ZERO
from throughline.rules.matching.netting import proposals
from throughline.rules.matching.order_book import OrderBook
from throughline.rules.matching.order_reports import order_reports, requisition_findings
from throughline.rules.matching.papers import sorted_papers
from throughline.rules.matching.policy import Policy
from throughline.rules.matching.prepayments import Prepayments
from throughline.rules.matching.reasons import Reason, State, reason
from throughline.rules.matching.settlements import Settlements
from throughline.rules.matching.settling import discount, excess, retain
from throughline.rules.matching.terms import Hole
from throughline.rules.matching.verdicts import Outcome, Verdict


def match(documents: Iterable[CanonicalDocument | Linked], policy: Policy, *, as_of: date) -> Outcome:
    """Match everything known on a day; the same documents always give the same verdicts, in whatever order they come.

    Documents are canonical ones, alone or with their canonical id (`Linked`). Alone they get the id of the role that
    usually owns them: orders, items and suppliers `erp`, receipts and inspections `wms`, invoices, payments and rates
    `finance`, requests and releases `hub`. Give it everything that hangs together: orders with all versions, receipts,
    invoices, credit notes, requests, payments, items, suppliers.
    """
    with localcontext(Context(prec=60)):
        desk = Desk(sorted_papers(documents), policy, as_of)
        return _Match(desk).outcome()


class _Match:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._settlements = Settlements(desk.papers)
        self._book = OrderBook(desk)
        self._folders = open_folders(desk, self._book, self._settlements)
        self._families = families(desk)
        self._credits: list[Credit] = []
        self._doubled: dict[str, Reason] = {}
        self._judgement = InvoiceJudgement(desk, self._settlements)
        self._prepayments = Prepayments(desk, self._settlements)

    def outcome(self) -> Outcome:
        self._credit()
        self._stop()
        goods = Goods(self._desk, self._book)
        goods.write()
        self._share_out()
        for folder in self._folders.values():
            if folder.document.nature == "invoice":
                self._judgement.judge(folder)
        self._advance()
        balances = Balances(self._credits, self._settlements.used)
        verdicts = {ref: self._verdict(folder, balances) for ref, folder in self._folders.items()}
        for credit in self._credits:
            verdicts[credit.ref] = credit_verdict(self._desk, credit, self._doubled.get(credit.ref), balances)
        self._add_unsound(verdicts)
        return Outcome(
            invoices={ref: verdicts[ref] for ref in sorted(verdicts)},
            orders=order_reports(self._desk, self._book),
            findings=self._findings(goods),
            proposals=proposals(verdicts.values(), balances.left),
        )

    def _credit(self) -> None:
        """Credit notes that were sent twice count once; those that were reversed count nothing."""
        notes = [(ref, note) for ref, note in self._desk.papers.all(PurchaseInvoice) if note.nature == "credit_note"]
        candidates = [self._candidate(ref, note, (), beyond=False) for ref, note in notes if note.status != "reversed"]
        self._doubled = suspicions(self._desk, candidates)
        counted = [(ref, note) for ref, note in notes if note.status != "reversed" and not self._is_double(ref)]
        claims = Claims(
            {ref: folder.claims for ref, folder in self._folders.items()},
            {ref: folder.document for ref, folder in self._folders.items()},
        )
        self._credits = apply_credits(counted, claims)
        left_out = {ref for ref, _ in notes} - {ref for ref, _ in counted}
        self._credits += [Credit(ref, note, open=ZERO) for ref, note in notes if ref in left_out]
        for credit in self._credits:
            for ref, amount in credit.applied.items():
                self._folders[ref].credited += amount
        for ref, folder in self._folders.items():
            folder.header_credit = claims.headers.get(ref, ZERO)

    def _is_double(self, ref: str) -> bool:
        found = self._doubled.get(ref)
        return found is not None and found.state is State.DUPLICATE_SUSPECTED

    def _stop(self) -> None:
        """Reversed invoices and suspected duplicates take part in nothing."""
        candidates = []
        for ref, folder in self._folders.items():
            if folder.document.status == "reversed":
                self._halt(folder, reason("invoice_reversed", ref))
            elif folder.credited < folder.document.gross.amount or not folder.credited:
                lines = tuple(sorted((c.line.order_line, str(c.quantity)) for c in folder.claims if c.line.order_line))
                beyond = any(c.version and 2 * c.quantity > c.version.ordered for c in folder.claims)
                candidates.append(self._candidate(ref, folder.document, lines, beyond=beyond, rank=folder.rank))
        for ref, found in suspicions(self._desk, candidates).items():
            if found.state is State.DUPLICATE_SUSPECTED:
                self._halt(self._folders[ref], found)
            else:
                self._folders[ref].reasons.append(found)

    def _halt(self, folder: Folder, why: Reason) -> None:
        folder.stopped = True
        folder.reasons.append(why)
        for claim in folder.claims:
            claim.counts = False

    def _candidate(
        self,
        ref: str,
        invoice: PurchaseInvoice,
        lines: tuple[tuple[str, str], ...],
        *,
        beyond: bool,
        rank: tuple[bool, date, str, str] | None = None,
    ) -> Candidate:
        rank = rank or (True, invoice.invoiced_on, invoice.supplier_number, ref)
        group = self._families.get(invoice.supplier, invoice.supplier)
        return Candidate(ref, invoice, group, printed(invoice.supplier_number), rank, lines, beyond)

    def _share_out(self) -> None:
        for line in self._book.known():
            if line.claims:
                try:
                    way = line.terms.way
                except Hole:
                    continue
                allocate(line, way)

    def _advance(self) -> None:
        """Prepayments are judged after the invoices, then taken off them in the order in which they are served."""
        charged: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for folder in self._folders.values():
            if folder.document.nature == "invoice" and folder.orders:
                charged[folder.orders[0]] += self._settlements.engaged(folder.ref)
        for folder in self._folders.values():
            if folder.document.nature == "prepayment":
                self._judgement.judge_header(folder)
                self._prepayments.judge(folder, charged)
                self._prepayments.offer(folder)

    def _verdict(self, folder: Folder, balances: Balances) -> Verdict:
        until = None
        if folder.document.nature == "invoice":
            until = retain(self._desk, folder)
            engaged = self._settlements.engaged(folder.ref)
            if folder.state is State.CLEAN or engaged:
                self._prepayments.take(folder, max(ZERO, folder.due - folder.retained - engaged))
        parts = parts_of(self._desk, folder, until)
        found, claim, open_credit = excess(folder, self._settlements, balances)
        found += residuals(folder, parts, self._settlements)
        notes, urgent = discount(self._desk, folder)
        folder.reasons += [self._desk.settle(one) for one in (*found, *notes)]
        invoice, state = folder.document, folder.state
        days = self._desk.policy.waiting.remind_days
        return Verdict(
            invoice=folder.ref,
            number=invoice.number,
            supplier_number=invoice.supplier_number,
            nature=invoice.nature,
            company=invoice.company,
            supplier=invoice.supplier,
            currency=invoice.currency,
            state=state,
            lines=tuple(line_verdict(one) for one in folder.claims) if invoice.nature == "invoice" else (),
            own_reasons=tuple(folder.reasons),
            gross=invoice.gross.amount,
            credited=folder.credited,
            matched=folder.due,
            prepaid=folder.prepaid,
            retained=folder.retained,
            requested=sum((one.requested for one in self._settlements.of(folder.ref).values()), ZERO),
            paid=self._settlements.paid(folder.ref),
            claim=claim,
            open_credit=open_credit,
            positions=tuple(positions(self._desk, folder, parts, self._settlements)),
            urgent=urgent,
            remind_on=invoice.invoiced_on + timedelta(days=days) if state is State.WAITING else None,
        )

    def _add_unsound(self, verdicts: dict[str, Verdict]) -> None:
        for ref, documents in self._desk.papers.unsound.items():
            first = documents[0]
            if isinstance(first, PurchaseInvoice):
                problems = tuple(self._desk.settle(one) for one in self._desk.papers.problems[ref])
                verdicts[ref] = unsound_verdict(ref, first, problems, self._settlements)

    def _findings(self, goods: Goods) -> tuple[Reason, ...]:
        problems = [one for found in self._desk.papers.problems.values() for one in found]
        found = [*problems, *goods.findings, *requisition_findings(self._desk)]
        settled = (self._desk.settle(one) for one in found)
        return tuple(sorted(settled, key=lambda one: (one.about, one.line or "", one.code, one.data)))
