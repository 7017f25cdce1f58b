"""Bugs in what is understood and how it is said: numbers, texts, lines, statuses, order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.faults.planted.planting import Bug, Swap, bug
from throughline.connectors.exact_json import write_json
from throughline.connectors.mechanisms.http import outgoing, wire
from throughline.errors import Invalid
from throughline.process import advance, delivery_records, intake, revising
from throughline.process.intake import Intake
from throughline.process.ledger_registry import LedgerRegistry
from throughline.process.translator_words import TranslatorWords


def _float(text: str) -> Decimal:
    return Decimal(repr(float(text)))


@bug("amounts go through floating point")
def float_money() -> list[Swap]:
    return [(wire, "read_json", lambda content: json.loads(content, parse_float=_float))]


@bug("texts go through GBK, and what it cannot hold becomes a question mark")
def lossy_text() -> list[Swap]:
    def write(value: Any) -> bytes:
        return write_json(value).decode().encode("gbk", "replace").decode("gbk").encode()

    return [(outgoing, "write_json", write)]


def _changed(change: Any) -> list[Swap]:
    """A translator whose payloads are changed on their way out."""
    original = TranslatorWords.write

    def write(self: Any, role: str, writings: Any) -> Any:
        return [change(p) if isinstance(p, Mapping) else p for p in original(self, role, writings)]

    return [(TranslatorWords, "write", write)]


def _rounded(payload: Mapping[str, Any]) -> dict[str, Any]:
    lines = [
        {**line, "qty": format(Decimal(str(line["qty"])).quantize(Decimal("0.1")), "f")} if "qty" in line else line
        for line in payload.get("lines") or []
    ]
    return {**payload, "lines": lines} if lines else dict(payload)


@bug("quantities are rounded to one place")
def rounded_quantities() -> list[Swap]:
    return _changed(_rounded)


@bug("money is rounded to whole units")
def rounded_money() -> list[Swap]:
    def whole(payload: Mapping[str, Any]) -> dict[str, Any]:
        lines = [{**line, "price": round(line["price"])} if "price" in line else line for line in payload["lines"]]
        return {**payload, "lines": lines}

    return _changed(lambda payload: whole(payload) if payload.get("lines") else dict(payload))


@bug("what a customer wrote in several lines arrives as one")
def line_breaks_lost() -> list[Swap]:
    def flat(payload: Mapping[str, Any]) -> dict[str, Any]:
        text = payload.get("remark")
        return {**payload, "remark": text.replace("\n", " ")} if isinstance(text, str) else dict(payload)

    return _changed(flat)


@bug("local times are taken for UTC")
def zone_ignored() -> list[Swap]:
    def shifted(payload: Mapping[str, Any]) -> dict[str, Any]:
        moved = {"shipped": payload["shipped"] + 8 * 3600_000} if isinstance(payload.get("shipped"), int) else {}
        return {**payload, **moved}

    return _changed(shifted)


@bug("a carton counts as one piece")
def units_ignored() -> list[Swap]:
    original = LedgerRegistry.factors_many

    def factors(self: Any, items: Any) -> Any:
        return {item: (unit, dict.fromkeys(known, Decimal(1))) for item, (unit, known) in original(self, items).items()}

    return [(LedgerRegistry, "factors_many", factors)]


@bug("a target's id of a line is registered as that of the whole document")
def header_instead_of_line() -> list[Swap]:
    return [(delivery_records, "_line", lambda row, ours: row.canonical_id)]


@bug("a status may move backwards")
def status_moves_backwards() -> list[Swap]:
    return [(intake, "_moves_back", lambda reading, standing: False)]


@bug("changes of one order are carried out without waiting for the one before")
def lane_order_ignored() -> list[Swap]:
    return [(place, "revision_is_open", lambda board: False) for place in (revising, advance)]


@bug("only the newest change is looked at, and it is taken over without being carried out")
def change_taken_over_unwritten() -> list[Swap]:
    return [(revising, "_was_carried_out", lambda board, family: True),
            (revising, "_decided", lambda board, revision: True)]  # fmt: skip


@bug("one record that cannot be read stops the whole batch")
def poison_stops_its_neighbours() -> list[Swap]:
    original = Intake._read

    def read(self: Any, pending: Any) -> Any:
        found = original(self, pending)
        for _, reading in found:
            if type(reading) is Invalid:
                raise reading
        return found

    return [(Intake, "_read", read)]


@bug("what cannot be read is dropped without a word")
def poison_dropped() -> list[Swap]:
    original = Intake._put_aside

    def put_aside(self: Any, books: Any, read: Any, registered: Any) -> int:
        kept = [(version, reading) for version, reading in read if type(reading) is not Invalid]
        dropped = [version.version_id for version, reading in read if type(reading) is Invalid]
        books.records._session.run("update record_versions set state = 'superseded' where id = any(%s)", dropped)
        return original(self, books, kept, registered)

    return [(Intake, "_put_aside", put_aside)]


@bug("a record is marked understood in one transaction, its consequences follow in another")
def claimed_before_the_commit() -> list[Swap]:
    original = Intake._batch

    def batch(self: Any, books: Any, pending: Any) -> Any:
        if pending:
            ids = [version.version_id for version in pending]
            with self._ledger.transaction() as other:
                del other
            books.records._session.connection.execute("commit")
            books.records._session.connection.execute(
                "update record_versions set state = 'translated' where id = any(%s)", [ids]
            )
            books.records._session.connection.execute("begin")
        return original(self, books, pending)

    return [(Intake, "_batch", batch)]


BUGS: list[Bug] = [
    float_money, lossy_text, rounded_quantities, rounded_money, line_breaks_lost, zone_ignored, units_ignored,
    header_instead_of_line, status_moves_backwards, lane_order_ignored, change_taken_over_unwritten,
    poison_stops_its_neighbours, poison_dropped, claimed_before_the_commit,
]  # fmt: skip
