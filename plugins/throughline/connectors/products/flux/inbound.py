"""What FLUX tells us by itself: receipts (`confirmASNData`) and shipments (`confirmSOData`), signed like our calls.

It repeats a message until we answer with flag 1. A repeat of the same content has the same id; a changed or reversed
one under the same number has another, so nothing it ever says is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from throughline.connectors.contract import Captured, Connection
from throughline.connectors.exact_json import NotJson, read_json, write_json
from throughline.connectors.inbound import NotSigned
from throughline.connectors.products.flux.signer import TIME, ZONE, signed_by
from throughline.errors import Invalid

_WINDOW = timedelta(minutes=5)
_MOST_FIELDS = 50
_KINDS = {
    "confirmASNData": ("receipt", "WMSReceiptNo", "receivedTime"),
    "confirmSOData": ("shipment", "DeliveryNo", "shippedTime"),
}
"""method -> the document it is, where its number is, and where its moment is"""


def verify(
    connection: Connection, headers: Mapping[str, str], body: bytes, query: Mapping[str, str], *, now: datetime
) -> None:
    """Nothing when FLUX really sent this just now; `NotSigned` otherwise, `Invalid` when it cannot be read at all."""
    del headers
    fields = _fields(body, query)
    if not signed_by(connection, fields.get("data", ""), fields.get("sign", "")):
        raise NotSigned("the signature does not fit the data", system=connection.name, code="S003")
    if fields.get("appkey") != connection.login:
        raise NotSigned("the appkey is not ours", system=connection.name, code="S002")
    told = _moment(fields.get("timestamp", ""))
    if told is None or abs(now - told) > _WINDOW:
        raise NotSigned("the timestamp is not within five minutes of now", system=connection.name, code="S006")


def identify(headers: Mapping[str, str], body: bytes, query: Mapping[str, str]) -> tuple[str, str]:
    """The kind of message, and an id that is the same exactly for the same content."""
    del headers
    fields = _fields(body, query)
    method, data = fields.get("method", ""), fields.get("data", "")
    _, number, _ = _known(method)
    numbers = [str(document[number]) for document in _documents(method, data)]
    content = hashlib.sha256(data.encode()).hexdigest()[:24]
    return method, f"{method}:{numbers[0]}{f'+{len(numbers) - 1}' if numbers[1:] else ''}:{content}"


def accepted() -> tuple[str, bytes]:
    """The answer FLUX takes for: they have it."""
    return _envelope("0000", "1", "ok")


def refused(reason: str) -> tuple[str, bytes]:
    """The answer FLUX takes for: send it again."""
    return _envelope("0001", "0", reason)


def parse(message_kind: str, body: bytes) -> list[Captured]:
    """The documents of a stored message."""
    document, number, moment = _known(message_kind)
    data = _fields(body, {}).get("data", "")
    return [
        Captured(
            document=document, their_id=str(told[number]), number=str(told[number]), raw=told,
            revision=str(told.get("status") or ""), changed_at=_moment(str(told.get(moment) or "")),
        )
        for told in _documents(message_kind, data)
    ]  # fmt: skip


def _fields(body: bytes, query: Mapping[str, str]) -> dict[str, str]:
    """The fields of a message: a form, or the data as the body with the rest in the address."""
    try:
        text = body.decode("utf-8")
        if text.lstrip().startswith("{"):
            return {**query, "data": text}
        form = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        form = {}
    if not form:
        raise Invalid("the body is not a form in UTF-8")
    return form


def _known(method: str) -> tuple[str, str, str]:
    if method not in _KINDS:
        raise Invalid(f"the method is none of {', '.join(sorted(_KINDS))}", field="method")
    return _KINDS[method]


def _documents(method: str, data: str) -> list[Mapping[str, Any]]:
    try:
        told = read_json(data)["xmldata"]["data"]
    except (NotJson, KeyError, TypeError) as error:
        raise Invalid(f"data is not JSON with xmldata.data ({error})", field="data") from None
    documents = told if isinstance(told, list) else [told]
    number = _KINDS[method][1]
    if not documents or not all(isinstance(document, Mapping) and document.get(number) for document in documents):
        raise Invalid(f"data holds a document without {number}", field=number)
    return documents


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, TIME).replace(tzinfo=ZONE).astimezone(UTC)
    except ValueError:
        return None


def _envelope(code: str, flag: str, text: str) -> tuple[str, bytes]:
    answer = {"returnCode": code, "returnFlag": flag, "returnDesc": text, "resultInfo": []}
    return "application/json", write_json({"Response": {"return": answer}})
