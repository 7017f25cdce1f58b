"""Fields that are empty now: left out of what is written, or written empty so that the target forgets what it had.

When a document is created an empty field is left out. When it is changed, a field that held something before is written
empty (null): otherwise a remark that was taken away would stay in the target for ever. What was empty before is left
alone, because people may have filled it there. A table says otherwise with `empty`: `leave` never, `clear` (null) or
`blank` (a text without letters) always.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from throughline.mapping.kinds import Wrong
from throughline.mapping.paths import Putter, Row, filler
from throughline.mapping.shapes import Sort
from throughline.mapping.vocabulary import FieldSpec

if TYPE_CHECKING:
    from throughline.mapping.writing import Writing

CHANGE = "change"
"""The operation that clears by itself."""
Clear = Callable[[BaseModel, Row, "Writing"], None]
_TEXTS = (Sort.TEXT, Sort.REFERENCE)


def clearing(name: str, spec: FieldSpec, sort: Sort, *, changes: bool) -> Clear | None:
    """What to do with this field when it is empty; None when it is always left out."""
    if spec.empty == "blank" and sort not in _TEXTS:
        raise Wrong("only a text can be written blank: use clear", "empty")
    fills = _fills(spec)
    if spec.empty == "leave" or not fills or not (changes or spec.empty):
        return None
    value = "" if spec.empty == "blank" else None
    always = spec.empty is not None

    def clear(source: BaseModel, row: Row, scope: Writing) -> None:
        if is_empty(getattr(source, name)) and (always or not is_empty(getattr(scope.before, name, None))):
            for fill in fills:
                fill(row, scope.root, value)

    return clear


def is_empty(value: Any) -> bool:
    """Nothing, or a text without letters."""
    return value is None or value == ""


def _fills(spec: FieldSpec) -> list[Putter]:
    """Where this field stands on their side: its own places, its unit's, and those of a record's fields."""
    if spec.each is not None:
        return []  # a list without lines is written as an empty list anyway
    own = [filler(path) for path in spec.source]
    unit = [filler(spec.unit.source)] if spec.unit and spec.unit.source else []
    return own + unit + [fill for below in spec.fields.values() if below.empty != "leave" for fill in _fills(below)]
