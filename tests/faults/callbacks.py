"""The warehouse calls the hub back, the way FLUX does: signed forms, repeated until the hub says that it has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import Any
from urllib.parse import urlencode

from tests.faults import exact_json
from tests.faults.history import History
from tests.faults.plant import Plant
from throughline.connectors.contract import Connection
from throughline.connectors.products.flux.signer import TIME, ZONE, signature

Application = Callable[..., Any]
MOMENTS = {"confirmASNData": "receivedTime", "confirmSOData": "shippedTime"}


class Caller:
    """Sends each message until it is accepted; sometimes twice, sometimes before an earlier one."""

    def __init__(
        self, plant: Plant, connection: Connection, door: Callable[[], Application | None], now: Callable[[], datetime],
        history: History,
    ) -> None:  # fmt: skip
        self._plant, self._connection, self._door, self._now, self._history = plant, connection, door, now, history
        self._rng = Random(f"callbacks {plant.scenario.seed}")
        self._rough = plant.scenario.rough_callbacks
        self._tasks: set[asyncio.Task[None]] = set()
        plant.call_back = self.send

    def send(self, method: str, document: dict[str, Any]) -> None:
        told = {**document, MOMENTS[method]: self._now().astimezone(ZONE).strftime(TIME)}
        number = str(told.get("WMSReceiptNo") or told["DeliveryNo"])
        self._history.note("wms", "tells", method=method, number=number, body=told)
        data = exact_json.write({"xmldata": {"data": [told]}}).decode()
        delays = [self._rng.uniform(0, 15) if self._rough and self._rng.random() < 0.5 else 0.05]
        if self._rough and self._rng.random() < 0.4:
            delays.append(self._rng.uniform(0, 90))
        for delay in delays:
            self._plant.busy += 1
            task = asyncio.get_running_loop().create_task(self._until_accepted(method, number, data, delay))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _until_accepted(self, method: str, number: str, data: str, delay: float) -> None:
        await asyncio.sleep(delay)
        while not await self._once(method, number, data):
            await asyncio.sleep(self._rng.uniform(5, 20))
        self._plant.busy -= 1

    async def _once(self, method: str, number: str, data: str) -> bool:
        """One try; true when the answer says that the hub has it."""
        form = {
            "method": method, "data": data, "appkey": self._connection.login,
            "timestamp": self._now().astimezone(ZONE).strftime(TIME),
            "sign": signature(self._connection.password, data),
        }  # fmt: skip
        application = self._door()
        if application is None:
            return False
        try:
            async with asyncio.timeout(3):
                status, answer = await post(application, "/inbound/wms", urlencode(form).encode())
        except (TimeoutError, ConnectionError):
            return False
        if self._rough and self._rng.random() < 0.1:
            return False  # the answer was lost on its way
        said = exact_json.read(answer)["Response"]["return"] if status == 200 else {}
        accepted = status == 200 and said.get("returnFlag") == "1"
        self._history.note("wms", "is answered", method=method, number=number, status=status, accepted=accepted)
        return accepted


async def post(application: Application, path: str, body: bytes) -> tuple[int, bytes]:
    """One request to an ASGI application; whatever breaks it looks like a broken connection."""
    sent: dict[str, Any] = {"status": 500, "body": b""}
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Mapping[str, Any]:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            sent["status"] = message["status"]
        else:
            sent["body"] += message.get("body", b"")

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "scheme": "http", "client": ("wms", 1),
        "server": ("hub", 80),
        "headers": [(b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"%d" % len(body))],
    }  # fmt: skip
    try:
        await application(scope, receive, send)
    except (Exception, BaseException) as error:
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            raise
        raise ConnectionError(type(error).__name__) from None
    return int(sent["status"]), bytes(sent["body"])
