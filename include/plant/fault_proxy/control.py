"""Steer a running proxy over HTTP: which faults, how often, which strike next, and what was done.

| | |
|---|---|
| `GET /lines` | every line: its rates, the pattern they are for, orders still open, counts |
| `PUT /lines/NAME/faults` `{"rates": {"drop_answer": 0.1}, "path": "order"}` | other faults from now on |
| `POST /lines/NAME/next` `{"faults": ["reset"], "path": "_create"}` | the next requests the pattern finds |
| `GET /lines/NAME/log?after=0` | what was done to every request |
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from include.plant.fault_proxy.fault_plan import FaultPlan
from include.plant.fault_proxy.http_messages import Message, made_answer, read_message


async def answer_control(
    plans: Mapping[str, FaultPlan], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer every request of one connection."""
    while (request := await read_message(reader)) is not None:
        status, told = _answer(plans, request)
        body = json.dumps(told, ensure_ascii=False).encode()
        writer.write(made_answer(status, "Told" if status == 200 else "Refused", body, kind="application/json"))
        await writer.drain()


def _answer(plans: Mapping[str, FaultPlan], request: Message) -> tuple[int, Any]:
    method, target = request.start[:2]
    address = urlsplit(target)
    try:
        wish = json.loads(request.body) if request.body else {}
        return 200, _carry_out(plans, method, address.path.strip("/").split("/"), wish, parse_qs(address.query))
    except LookupError:
        return 404, {"error": f"there is no {method} {address.path}"}
    except (ValueError, TypeError, re.error) as error:
        return 400, {"error": str(error)}


def _carry_out(
    plans: Mapping[str, FaultPlan], method: str, path: list[str], wish: dict[str, Any], query: dict[str, list[str]]
) -> Any:
    match [method, *path]:
        case ["GET", "lines"]:
            return {name: _about(plan) for name, plan in plans.items()}
        case ["PUT", "lines", name, "faults"]:
            plans[name].change(wish["rates"], path=wish.get("path", ""))
            return _about(plans[name])
        case ["POST", "lines", name, "next"]:
            plans[name].order(*wish["faults"], path=wish.get("path", ""))
            return _about(plans[name])
        case ["GET", "lines", name, "log"]:
            return plans[name].log(int(query.get("after", ["0"])[0]))
    raise LookupError


def _about(plan: FaultPlan) -> dict[str, Any]:
    return {"seed": plan.seed, "rates": plan.rates, "path": plan.path, "ordered": plan.ordered, **plan.counts()}
