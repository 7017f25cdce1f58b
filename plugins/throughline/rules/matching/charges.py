"""Freight, packaging and the like: what the order plans, and what is allowed beyond it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from throughline.rules.matching.claims import Claim
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.line_judgement import gap_reason
from throughline.rules.matching.money import ZERO, rounded
from throughline.rules.matching.reasons import State, reason
from throughline.rules.matching.terms import Hole, charge_bound


class Charges:
    """Judges charge lines, invoice after invoice; a planned charge is used up once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._used: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)

    def judge(self, claims: Sequence[Claim], orders: Sequence[str], goods: Decimal) -> None:
        """All charge lines of one invoice; `goods` is the net value of its other lines."""
        beyond: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for claim in claims:
            self._judge(claim, orders, goods, beyond)

    def _judge(self, claim: Claim, orders: Sequence[str], goods: Decimal, beyond: dict[str, Decimal]) -> None:
        code, currency = claim.line.charge or "", claim.document.currency
        bound = charge_bound(self._desk.policy, code)
        if bound is None:
            self._say(claim, "charge_unknown", charge=code)
            return
        planned = self._planned(claim, orders)
        extra = claim.net - planned
        try:
            allowed = max(ZERO, bound.allowed(goods, currency) - beyond[code])
        except Hole as hole:
            found = gap_reason(hole, claim.invoice, claim.line.line, None)
            claim.reasons.append(self._desk.settle(found))
            claim.judged, claim.value = False, claim.gross
            return
        beyond[code] += extra
        told = {
            "amount": claim.net,
            "currency": currency,
            "charge": code,
            "planned": planned,
            "allowed": _shown(allowed),
        }
        claim.value = claim.gross
        if extra > allowed:
            state = self._say(claim, "charge_over", **told)
            if state is not State.CLEAN:
                claim.value = rounded(claim.gross * (planned + allowed) / claim.net, currency)
        elif extra > ZERO:
            self._say(claim, "charge_within", **told)

    def _planned(self, claim: Claim, orders: Sequence[str]) -> Decimal:
        """What of the charge the orders plan and no invoice has used yet."""
        taken = ZERO
        for ref in orders:
            versions = self._desk.papers.versions(ref)
            if not versions or versions[-1].currency != claim.document.currency:
                continue
            plan = sum((part.amount.amount for part in versions[-1].charges if part.code == claim.line.charge), ZERO)
            key = (ref, claim.line.charge or "")
            part = min(claim.net - taken, max(ZERO, plan - self._used[key]))
            self._used[key] += part
            taken += part
        return taken

    def _say(self, claim: Claim, code: str, **data: object) -> State:
        found = self._desk.settle(reason(code, claim.invoice, claim.line.line, **data))
        claim.reasons.append(found)
        return found.state


def _shown(amount: Decimal) -> Decimal | str:
    return amount if amount.is_finite() else "∞"
