"""What a canonical document is made of, read off its model: which field is text, a quantity, a list of lines."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from throughline.canonical import Money, Quantity


class Sort(StrEnum):
    """What sort of thing a canonical field holds."""

    TEXT = "text"
    REFERENCE = "reference"
    DECIMAL = "decimal"
    BOOL = "bool"
    DATE = "date"
    MOMENT = "moment"
    QUANTITY = "quantity"
    MONEY = "money"
    RECORD = "record"
    ROWS = "rows"
    FACTORS = "factors"


_PLAIN: dict[Any, Sort] = {
    str: Sort.TEXT,
    Decimal: Sort.DECIMAL,
    bool: Sort.BOOL,
    date: Sort.DATE,
    datetime: Sort.MOMENT,
    AwareDatetime: Sort.MOMENT,
    Quantity: Sort.QUANTITY,
    Money: Sort.MONEY,
}


@dataclass(frozen=True)
class Shape:
    """One canonical field: its sort, whether it must be there, and the model below it when it has one."""

    sort: Sort
    required: bool
    model: type[BaseModel] | None = None


@cache
def shapes_of(model: type[BaseModel]) -> Mapping[str, Shape]:
    """Every field of a canonical model by name."""
    fields = model.model_fields.items()
    return {name: _shape(info.annotation, info.metadata, info.is_required()) for name, info in fields}


def _shape(annotation: Any, metadata: list[Any], required: bool) -> Shape:
    inner, marks = _unwrapped(annotation, list(metadata))
    if inner is str and any("a-z_]+:" in str(getattr(mark, "pattern", "")) for mark in marks):
        return Shape(Sort.REFERENCE, required)
    if inner in _PLAIN:
        return Shape(_PLAIN[inner], required)
    if get_origin(inner) is tuple:
        return Shape(Sort.ROWS, required, get_args(inner)[0])
    if get_origin(inner) is dict:
        return Shape(Sort.FACTORS, required)
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return Shape(Sort.RECORD, required, inner)
    raise TypeError(f"no table can fill a field of type {annotation}")


def _unwrapped(annotation: Any, marks: list[Any]) -> tuple[Any, list[Any]]:
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *more = get_args(annotation)
            marks += more
        elif origin in (Union, types.UnionType):
            (annotation,) = (part for part in get_args(annotation) if part is not type(None))
        else:
            return annotation, marks
