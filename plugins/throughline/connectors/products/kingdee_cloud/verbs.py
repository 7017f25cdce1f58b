"""A pay application carried through Kingdee's three calls (save, submit, audit), and one that is recalled.

Each step looks where the bill stands, so a repetition goes on where the last try stopped; the bill's number is ours and
is accepted once.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from throughline.connectors.contract import Carried
from throughline.connectors.mechanisms.http.consequences import AlreadyThere, NotThere
from throughline.connectors.mechanisms.http.verbs import Session
from throughline.errors import InDoubt, Rejected

FORM = "CN_PAYAPPLY"
_SUBMITTED, _AUDITED = "B", "C"
_CANCELLED = "B"


async def request_payment(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """A pay application under our number, saved, submitted and audited."""
    del key
    bill = await _view(session, reference)
    if bill is None:
        model = {**payload, "FPAYAPPLYENTRY": [{"FAPPLYAMOUNTFOR": payload["FPAYAMOUNTFOR_H"]}]}
        with suppress(AlreadyThere):  # ours, from a try whose answer was lost
            await session.call("save", {"form": FORM, "model": model}, writes=True)
        bill = await _the(session, reference)
    if bill.get("CancelStatus") == _CANCELLED:
        raise Rejected(f"pay application {reference} was recalled", system=session.role)
    if bill["DocumentStatus"] not in (_SUBMITTED, _AUDITED):
        bill = await _step(session, "submit", reference)
    if bill["DocumentStatus"] == _SUBMITTED:
        bill = await _step(session, "audit", reference)
    return _carried(bill)


async def find_request(session: Session, reference: str) -> Carried | None:
    """The pay application with our number, once it is audited: half of the way does not count."""
    bill = await _view(session, reference)
    return _carried(bill) if bill is not None and bill["DocumentStatus"] == _AUDITED else None


async def recall(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Take a pay application back: no longer audited, then cancelled. Recalled twice is recalled once."""
    del payload, key
    bill = await _the(session, reference)
    if bill.get("CancelStatus") == _CANCELLED:
        return _carried(bill)
    if bill.get("TL_PayStatus") == "paid":
        raise Rejected(f"pay application {reference} is paid already", system=session.role)
    if bill["DocumentStatus"] == _SUBMITTED:
        bill = await _step(session, "withdraw", reference)
    if bill["DocumentStatus"] == _AUDITED:
        bill = await _step(session, "reopen", reference)
    return _carried(await _step(session, "cancel", reference))


async def _step(session: Session, name: str, number: str) -> Mapping[str, Any]:
    await session.call(name, {"form": FORM, "numbers": [number]}, writes=True)
    return await _the(session, number)


async def _view(session: Session, number: str) -> Mapping[str, Any] | None:
    try:
        body = await session.call("view", {"form": FORM, "number": number}, writes=False)
    except NotThere:
        return None
    found: Mapping[str, Any] = body["Result"]["Result"]
    return found


async def _the(session: Session, number: str) -> Mapping[str, Any]:
    bill = await _view(session, number)
    if bill is None and session.written:
        raise InDoubt(f"{session.role} took pay application {number} and does not show it", system=session.role)
    if bill is None:
        raise Rejected(f"{session.role} has no pay application {number}", system=session.role)
    return bill


def _carried(bill: Mapping[str, Any]) -> Carried:
    return Carried(str(bill["Id"]), str(bill["BillNo"]), {}, {"state": bill["DocumentStatus"]})
