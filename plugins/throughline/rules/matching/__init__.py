"""The match engine of procure to pay: which invoice lines are ordered, received and accepted, and what may be paid.

One call: `match(documents, policy, as_of=…)`. It knows no clock, no network and no ledger: the same set of documents
gives the same verdicts, in whatever order they arrived. Written for the guide docs/guides/matching.md.
"""

from throughline.rules.matching.engine import match
from throughline.rules.matching.policy import Policy, load_policy
from throughline.rules.matching.reasons import CODES, Reason, State
from throughline.rules.matching.verdicts import (
    LineVerdict,
    OrderLineReport,
    Outcome,
    Position,
    Proposal,
    Take,
    Verdict,
)

__all__ = [
    "CODES",
    "LineVerdict",
    "OrderLineReport",
    "Outcome",
    "Policy",
    "Position",
    "Proposal",
    "Reason",
    "State",
    "Take",
    "Verdict",
    "load_policy",
    "match",
]
