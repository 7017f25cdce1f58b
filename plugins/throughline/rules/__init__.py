"""What the company decides and derives, as pure named functions over canonical documents.

A flow names a rule; this room knows what it means. Rules see documents and nothing else: no clock, no network, no
ledger. Importing this room registers every rule, so `rule_named` finds them all.
"""

from throughline.rules import (
    change_followup,
    notices,
    order_change,
    order_news,
    postings,
    supply,
    top_up,
    warehouse,
)
from throughline.rules.dossier import Act, Dossier, Linked
from throughline.rules.registry import Rule, RuleKind, rule, rule_named, rules_of

__all__ = [
    "Act",
    "Dossier",
    "Linked",
    "Rule",
    "RuleKind",
    "change_followup",
    "notices",
    "order_change",
    "order_news",
    "postings",
    "rule",
    "rule_named",
    "rules_of",
    "supply",
    "top_up",
    "warehouse",
]
