"""What to do with a write whose row says how far it came: the same answer for a retry, a crash and a second worker.

| the row says | T1 | T2 | T3 | T4 |
|---|---|---|---|---|
| intended, rejected | send | send | send | send |
| sent (its worker is gone) | send | find, then send | wait, find, then send | ask a person |
| in doubt | send | find, then send | wait, find, then send | ask a person |
| confirmed, resolved | nothing | nothing | nothing | nothing |

A person who was asked says "it arrived" (the row is resolved) or "send it again" (the row is intended once more).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from throughline.connectors.contract import Operation, Tier
from throughline.ledger.work_entries import Delivery


class Move(StrEnum):
    """The next thing to do with one write."""

    SEND = "send"
    FIND = "find"
    WAIT = "wait"
    ASK = "ask"
    NOTHING = "nothing"


SETTLED_WELL = ("confirmed", "resolved")
OPEN_DOUBT = ("sent", "in_doubt")
DOUBTED = "InDoubt:-:-:"
"""The signature of a write in hand of which an earlier call was never answered."""


def next_move(
    delivery: Delivery, operation: Operation, now: datetime, *, called_for: timedelta = timedelta()
) -> Move:  # fmt: skip
    """The table above; `called_for` is how long after it was marked sent a call may still be made."""
    if delivery.state in SETTLED_WELL:
        return Move.NOTHING
    if delivery.state not in OPEN_DOUBT or operation.tier is Tier.T1:
        return Move.SEND
    if operation.tier is Tier.T2:
        return Move.FIND if operation.findable else Move.SEND
    if operation.tier is Tier.T3 and operation.findable:
        return Move.WAIT if now < looked_for_from(delivery, operation, now, called_for=called_for) else Move.FIND
    return Move.ASK


def looked_for_from(
    delivery: Delivery, operation: Operation, now: datetime, *, called_for: timedelta = timedelta()
) -> datetime:
    """From when on a write that was not answered must have shown up, if it ever will (T3).

    The wait begins when the call ended: whoever heard nothing wrote that down with the doubt. A worker that died told
    nobody, and may have called as long as its lease allowed.
    """
    wait = timedelta(seconds=operation.late_execution)
    if delivery.state == "in_doubt" and delivery.not_before is not None:
        return delivery.not_before
    begun = delivery.sent_at or now
    return begun + wait + (called_for if delivery.state == "sent" else timedelta())


def asks_a_person(operation: Operation) -> bool:
    """Whether a doubt about this operation can only be settled by a person."""
    return operation.tier is Tier.T4 or (operation.tier is Tier.T3 and not operation.findable)
