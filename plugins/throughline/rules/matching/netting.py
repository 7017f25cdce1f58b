"""Puts together what to pay each supplier: clean instalments, less open credits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from throughline.rules.matching.money import ZERO
from throughline.rules.matching.reasons import State
from throughline.rules.matching.verdicts import Proposal, Verdict

Party = tuple[str | None, str, str]


def proposals(verdicts: Iterable[Verdict], credits_left: dict[str, Decimal]) -> tuple[Proposal, ...]:
    """One proposal for each company, supplier and currency with something to pay or to set off.

    `credits_left`: open amount of each credit note that may be set off.
    """
    by_party: dict[Party, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_party[verdict.company, verdict.supplier, verdict.currency].append(verdict)
    made = (
        _proposal(party, by_party[party], credits_left)
        for party in sorted(by_party, key=lambda p: (p[0] or "", *p[1:]))
    )
    return tuple(one for one in made if one is not None)


def _proposal(party: Party, verdicts: list[Verdict], credits_left: dict[str, Decimal]) -> Proposal | None:
    rows = [
        (position.due_on, verdict.invoice, position.number, position.payable)
        for verdict in verdicts
        if verdict.state is State.CLEAN
        for position in verdict.positions
        if position.payable
    ]
    rows.sort(key=lambda row: (row[0] is None, row[0] or 0, row[1], row[2]))
    total = sum((row[3] for row in rows), ZERO)
    used, left = [], total
    open_credits = sorted((v.invoice, credits_left.get(v.invoice, ZERO)) for v in verdicts if v.nature == "credit_note")
    for ref, there in open_credits:
        part = min(there, left)
        if part > ZERO:
            used.append((ref, part))
            left -= part
    remaining = sum((there for _, there in open_credits), ZERO) - (total - left)
    if not rows and not remaining:
        return None
    positions = tuple((invoice, number, amount) for _, invoice, number, amount in rows)
    return Proposal(*party, positions, tuple(used), left, remaining)
