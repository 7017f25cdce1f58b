"""What the hub has done in Roundup: a request made through a one-shot address, news written by the newest ETag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from throughline.connectors.contract import Carried
from throughline.connectors.mechanisms.http.verbs import Session


async def make_request(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """A request with our number, submitted; its address creates once, so one attempt that arrives twice makes one."""
    del key
    found = await find_request(session, reference)
    if found is not None:
        return found
    values = {**payload, "external_id": reference, "title": f"采购申请 {reference}", "status": "submitted"}
    link = (await session.call("one_shot", {}, writes=False))["data"]["link"]
    body = await session.call("create", {"token": str(link).rsplit("/", 1)[1], "values": values}, writes=True)
    return Carried(str(body["data"]["id"]), reference)


async def find_request(session: Session, reference: str) -> Carried | None:
    """The request with our number, the oldest if somebody keyed it in twice."""
    body = await session.call("numbered", {"number": reference}, writes=False)
    rows = body["data"]["collection"]
    return Carried(str(rows[0]["id"]), reference) if rows else None


async def tell(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Write news into a request; if somebody changed it meanwhile, nothing is written and it is tried again."""
    del reference, key
    seen = await session.call("one", {"id": payload["id"]}, writes=False)
    values = {name: value for name, value in payload.items() if name != "id"}
    await session.call(
        "change", {"id": payload["id"], "values": {**values, "@etag": seen["data"]["@etag"]}}, writes=True
    )
    return Carried(str(payload["id"]))


async def close(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Write the last news and close the request; one that is closed is left as it is."""
    seen = await session.call("one", {"id": payload["id"]}, writes=False)
    if seen["data"]["attributes"]["status"].get("name") == "closed":
        return Carried(str(payload["id"]))
    return await tell(session, {**payload, "status": "closed"}, reference=reference, key=key)
