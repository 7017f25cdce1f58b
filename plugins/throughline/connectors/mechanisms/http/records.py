"""From a product's raw records to `Captured`: how each is known again, and when it changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from throughline.connectors.contract import Captured
from throughline.connectors.mechanisms.http.declared_objects import Identity
from throughline.connectors.mechanisms.http.paths import MISSING, compile_path
from throughline.connectors.mechanisms.http.stamps import compile_read_stamp
from throughline.connectors.mechanisms.http.verdicts import compile_record_checks
from throughline.errors import Invalid


def compile_capture(document: str, identity: Identity, zone: str) -> Callable[[Mapping[str, Any]], Captured]:
    """A function that makes one raw record a `Captured` of this kind."""
    their_id = compile_path(identity.their_id)
    number = compile_path(identity.number) if identity.number else None
    revision = [compile_path(path) for path in identity.revision]
    stamp = compile_path(identity.changed.at) if identity.changed else None
    read_stamp = compile_read_stamp(identity.changed.format, zone) if identity.changed else None
    deleted = compile_record_checks(identity.deleted_when) if identity.deleted_when else None

    def changed_at(raw: Mapping[str, Any]) -> datetime | None:
        if stamp is None or read_stamp is None:
            return None
        return read_stamp(stamp(raw))

    def capture(raw: Mapping[str, Any]) -> Captured:
        key = their_id(raw)
        if key is MISSING or key is None or key == "":
            raise Invalid(
                f"a {document} record without {identity.their_id} cannot be known again", field=identity.their_id
            )
        return Captured(
            document=document, their_id=str(key), raw=raw, number=_text(number(raw)) if number else None,
            revision="/".join(_text(read(raw)) or "" for read in revision), changed_at=changed_at(raw),
            deleted=deleted(raw) if deleted else False,
        )  # fmt: skip

    return capture


def _text(value: Any) -> str | None:
    return None if value is MISSING or value is None else str(value)
