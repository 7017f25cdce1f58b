"""What the hub has done in the OA: a request started, news written into one, one passed on to its archive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from throughline.connectors.contract import Carried
from throughline.connectors.mechanisms.http.verbs import Session
from throughline.errors import Rejected

_TITLE = "采购申请【{}】"
"""The brackets end the number: the OA looks for a part of a title, and PR-1 is a part of PR-10."""
ARCHIVED = "3"


async def start_requisition(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """A request with our number in its title and form; e-cology itself would start as many as it is asked to."""
    del key
    found = await find_requisition(session, reference)
    if found is not None:
        return found
    form = payload["form"]
    table = session.connection.extra["detail_table"]
    records = [{"recordOrder": 0, "workflowRequestTableFields": as_fields(row)} for row in form.get("dt1", [])]
    values = {
        "title": _TITLE.format(reference),
        "main": as_fields(form["main"]),
        "details": [{"tableDBName": table, "workflowRequestTableRecords": records}],
    }
    body = await session.call("start", values, writes=True)
    return Carried(str(body["data"]["requestid"]), reference)


async def find_requisition(session: Session, reference: str) -> Carried | None:
    """The request whose title is exactly ours; the OA itself only looks for a part of a title."""
    title = _TITLE.format(reference)
    rows = await session.call("titled", {"title": title}, writes=False)
    exact = [row for row in rows if row["requestName"] == title]
    return Carried(str(exact[-1]["requestId"]), reference) if exact else None


async def tell(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Write news into the form of a request that waits for us."""
    del reference, key
    values = {"id": payload["requestId"], "main": as_fields(payload["form"]["main"]), "how": {"src": "save"}}
    await session.call("submit", values, writes=True)
    return Carried(str(payload["requestId"]))


async def close(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Write the last news and pass the request on to its archive; one that lies there is left as it is."""
    del reference, key
    told = await session.call("status", {"id": payload["requestId"]}, writes=False)
    if str(told["data"]["currentNodeType"]) != ARCHIVED:
        values = {"id": payload["requestId"], "main": as_fields(payload["form"]["main"]), "how": {"src": "submit"}}
        await session.call("submit", values, writes=True)
        told = await session.call("status", {"id": payload["requestId"]}, writes=False)
    if str(told["data"]["currentNodeType"]) != ARCHIVED:
        raise Rejected(f"request {payload['requestId']} was passed on and is not archived", system=session.role)
    return Carried(str(payload["requestId"]))


def as_fields(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A record as e-cology takes it: a list of names with their values."""
    return [{"fieldName": name, "fieldValue": value} for name, value in values.items()]
