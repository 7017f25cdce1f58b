"""What the hub has done in Seeyon: a flow started, news written into its form, the last work item finished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from throughline.connectors.contract import Carried
from throughline.connectors.exact_json import read_json
from throughline.connectors.mechanisms.http.verbs import Session

_SUBJECT = "采购申请【{}】"
FINISHED = 0


async def start_flow(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """A flow with our number in its subject; Seeyon itself would start as many as it is asked to."""
    del key
    found = await find_flow(session, reference)
    if found is not None:
        return found
    extra, form = session.connection.extra, payload["form"]
    data = {extra["form_main"]: form["main"], extra["form_son"]: form.get("rows", [])}
    body = await session.call("start", {"subject": _SUBJECT.format(reference), "data": data}, writes=True)
    inside: Any = read_json(str(body["data"]["app_bussiness_data"]).encode())
    return Carried(str(inside["summaryId"]), reference)


async def find_flow(session: Session, reference: str) -> Carried | None:
    """The flow whose subject is exactly ours."""
    subject = _SUBJECT.format(reference)
    rows = (await session.call("subjects", {"subject": subject}, writes=False))["data"]
    exact = [row for row in rows if row["subject"] == subject]
    return Carried(str(exact[-1]["summaryId"]), reference) if exact else None


async def tell(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Write news into the form of a flow that waits for us."""
    del reference, key
    data = {session.connection.extra["form_main"]: payload["form"]["main"]}
    await session.call("update", {"flow": payload["summaryId"], "data": data}, writes=True)
    return Carried(str(payload["summaryId"]))


async def close(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Write the last news and finish the flow; one that is finished is left as it is."""
    state = await session.call("state", {"flow": payload["summaryId"]}, writes=False)
    if state != FINISHED:
        await tell(session, payload, reference=reference, key=key)
        await session.call("finish", {"flow": payload["summaryId"]}, writes=True)
    return Carried(str(payload["summaryId"]))
