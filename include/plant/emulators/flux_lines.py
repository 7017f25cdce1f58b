"""Lines of warehouse documents: read from a header, found by number, chosen by people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from include.plant.emulators.calls import Refused

Wanted = tuple[str, Decimal, Mapping[str, Any]]


def required(header: Mapping[str, Any], name: str) -> str:
    """A field that must be there, as text."""
    value = header.get(name)
    if value is None or value == "":
        raise Refused("REQUIRED", f"{name} 不能为空")
    return str(value)


def quantity(value: Any, name: str) -> Decimal:
    """A quantity greater than zero; text and numbers are taken alike."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise Refused("BAD_QTY", f"{name} 不是数字: {value}") from None
    if not number.is_finite() or number <= 0:
        raise Refused("BAD_QTY", f"{name} 必须大于 0")
    return Decimal(f"{number:f}")


def lines_of(header: Mapping[str, Any], amount: str, done: str) -> list[dict[str, Any]]:
    """The lines of a header, checked; `done` counts what was carried out of each."""
    told = header.get("details")
    if not isinstance(told, list) or not told:
        raise Refused("REQUIRED", "details 不能为空")
    lines = [
        {"lineNo": required(line, "lineNo"), "sku": required(line, "sku"),
         amount: str(quantity(line.get(amount), amount)), done: "0",
         **{name: line[name] for name in ("lotAtt04", "userDefine1", "userDefine2") if line.get(name) is not None}}
        for line in told
    ]  # fmt: skip
    if len({line["lineNo"] for line in lines}) != len(lines):
        raise Refused("LINE_TWICE", "lineNo 重复")
    return lines


def line_of(lines: Sequence[dict[str, Any]], number: str) -> dict[str, Any]:
    """The line with this number."""
    for line in lines:
        if line["lineNo"] == number:
            return line
    raise Refused("LINE_NOT_FOUND", f"行号不存在: {number}")


def wanted_lines(lines: Sequence[dict[str, Any]], told: Any, amount: str, done: str) -> list[Wanted]:
    """What people want to carry out: the lines they name, or all that is left of all."""
    if told:
        return [(str(each["lineNo"]), quantity(each.get("qty"), "qty"), each) for each in told]
    left = [(line["lineNo"], Decimal(line[amount]) - Decimal(line[done]), line) for line in lines]
    remaining = [each for each in left if each[1] > 0]
    if not remaining:
        raise Refused("NOTHING_LEFT", "没有剩余数量")
    return [(number, amount_left, {}) for number, amount_left, _ in remaining]


def local_time(milliseconds: int) -> str:
    """The time in Shanghai as these documents write it, without a zone."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC) + timedelta(hours=8)
    return moment.strftime("%Y-%m-%d %H:%M:%S")
