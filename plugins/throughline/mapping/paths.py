"""Where a value stands in their record: `name`, `record.name`, or `/name` for a field of the whole document."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from throughline.mapping.complaints import Complaint, shown

Row = dict[str, Any]
Getter = Callable[[Row, Row], Any]
"""(row, whole document) -> value or None"""
Putter = Callable[[Row, Row, Any], None]
"""(row, whole document, value)"""

_PATH = re.compile(r"/?[^\s./][^./]*(\.[^\s./][^./]*)*")


def is_path(value: Any) -> bool:
    """Whether this is a path at all."""
    return isinstance(value, str) and value == value.strip() and _PATH.fullmatch(value) is not None


def getter(path: str) -> Getter:
    """A function that reads this path; what is missing, null or empty text is None."""
    absolute, steps = path.startswith("/"), path.removeprefix("/").split(".")
    if len(steps) == 1 and not absolute:
        only = steps[0]
        return lambda row, _root: row.get(only)
    if len(steps) == 1:
        name = steps[0]
        return lambda _row, root: root.get(name)

    def get(row: Row, root: Row) -> Any:
        value: Any = root if absolute else row
        for step in steps:
            if value is None or value == "":
                return None
            if not isinstance(value, dict):
                raise Complaint(f"is not a record with a field {step}", value)
            value = value.get(step)
        return value

    return get


def first_getter(paths: list[str]) -> Getter:
    """A function that reads the first of these paths that holds something."""
    getters = [getter(path) for path in paths]
    if len(getters) == 1:
        return getters[0]

    def get(row: Row, root: Row) -> Any:
        for one in getters:
            value = one(row, root)
            if value is not None and value != "":
                return value
        return None

    return get


def putter(path: str) -> Putter:
    """A function that writes this path; writing a different value where one stands already is refused."""
    absolute, steps = path.startswith("/"), path.removeprefix("/").split(".")
    last = steps.pop()

    def put(row: Row, root: Row, value: Any) -> None:
        place = root if absolute else row
        for step in steps:
            place = place.setdefault(step, {})
        before = place.setdefault(last, value)
        if before is not value and (before != value or type(before) is not type(value)):
            raise Complaint(f"does not agree with {shown(before, last)}, which another field says there", value)

    return put


def filler(path: str) -> Putter:
    """A function that writes this path unless something stands there already."""
    absolute, steps = path.startswith("/"), path.removeprefix("/").split(".")
    last = steps.pop()

    def fill(row: Row, root: Row, value: Any) -> None:
        place = root if absolute else row
        for step in steps:
            place = place.setdefault(step, {})
        place.setdefault(last, value)

    return fill


def all_putter(paths: list[str]) -> Putter:
    """A function that writes the same value at every one of these paths."""
    putters = [putter(path) for path in paths]
    if len(putters) == 1:
        return putters[0]

    def put(row: Row, root: Row, value: Any) -> None:
        for one in putters:
            one(row, root, value)

    return put
