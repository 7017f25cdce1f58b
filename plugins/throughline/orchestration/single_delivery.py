"""One document into one system, outside any flow, with the same care: a row before the call, once in effect.

The row's key names the wish (who asks, which document, which revision, what is to be done), so running the task again,
or twice at once, leads to the same row; what was sent and not answered is settled by the target's declared tier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from throughline.canonical import DOCUMENTS, CanonicalDocument, header_of, line_reference
from throughline.connectors.contract import Carried, Connector, Operation
from throughline.errors import InDoubt, Invalid, Misconfigured, Rejected, ThroughlineError, Transient
from throughline.ledger import Ledger
from throughline.ledger.entries import AuditEntry, Identity
from throughline.ledger.work_entries import Confirmation, Delivery, Intent, Setback
from throughline.process.delivery_protocol import SETTLED_WELL, Move, looked_for_from, next_move
from throughline.process.effect_keys import Effect
from throughline.process.surroundings import Words, Writing


@dataclass(frozen=True)
class Wish:
    """What somebody wants delivered: any number of the document, where to, and what is to be done with it there."""

    asker: str
    number: str
    system: str
    operation: str = "create"
    document: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Found:
    """The document as the ledger has it now."""

    canonical_id: str
    kind: str
    role: str
    version: str
    document: CanonicalDocument


def find_document(ledger: Ledger, wish: Wish) -> Found:
    """The document a wish names, as its owner (or the named source) tells it."""
    with ledger.transaction() as books:
        names = {header_of(identity.canonical_id) for identity in books.identities.search(wish.number)}
        told = books.records.current(sorted(names), role=wish.source)
    told = [entry for entry in told if not entry.deleted and wish.document in (None, entry.document)]
    owned = [entry for entry in told if wish.source or entry.role == entry.canonical_id.split(":", 2)[1]] or told
    if len({entry.canonical_id for entry in owned}) != 1:
        said = "several documents" if owned else "no document the hub knows"
        raise Misconfigured(f"{wish.number} names {said}", where="the task's `number`, `document` and `source`")
    entry = owned[0]
    document = DOCUMENTS[entry.document].model_validate(entry.canonical)
    return Found(entry.canonical_id, entry.document, entry.role, str(entry.version_id), document)


async def deliver(ledger: Ledger, connector: Connector, words: Words, wish: Wish) -> Delivery:
    """Carry out a wish, or learn that it was carried out before; raises by consequence."""
    found = find_document(ledger, wish)
    operation = _offered(connector, found.kind, wish)
    row = _intend(ledger, words, wish, found, operation)
    with ledger.transaction() as books:
        move, now = next_move(row, operation, books.now), books.now
    if move is Move.NOTHING:
        return row
    if move is Move.WAIT:
        wait = (looked_for_from(row, operation, now) - now).total_seconds()
        raise Transient(f"{_named(row)} was sent and not answered: looked for later", retry_after=wait, system=row.role)
    if move is Move.ASK:
        raise Rejected(f"{_named(row)} was sent and not answered: a person must look in {row.role}", system=row.role)
    if move is Move.FIND:
        carried = await connector.find(row.document, row.reference)
        if carried is not None:
            return _settle(ledger, row, carried, how="resolved")
    return await _send(ledger, connector, row)


async def _send(ledger: Ledger, connector: Connector, row: Delivery) -> Delivery:
    with ledger.transaction() as books:
        books.deliveries.sent([row.id])
    try:
        carried = await connector.send(
            row.document, row.operation, row.request, reference=row.reference, key=row.effect_key
        )
    except (Rejected, Invalid) as error:
        _set_back(ledger, "rejected", row, error)
        raise
    except (Transient, Misconfigured) as error:
        _set_back(ledger, "deferred", row, error)
        raise
    except InDoubt as error:
        _set_back(ledger, "doubt", row, error)
        raise
    return _settle(ledger, row, carried, how="confirmed")


def _intend(ledger: Ledger, words: Words, wish: Wish, found: Found, operation: Operation) -> Delivery:
    effect = Effect(
        flow=f"task {wish.asker}", step=wish.operation, target=wish.system, operation=wish.operation,
        document=found.canonical_id, item="", source_system=found.role, source_id=found.canonical_id,
        source_revision=found.version,
    )  # fmt: skip
    with ledger.transaction() as books:
        standing = books.deliveries.by_keys([effect.key])
    if standing and standing[0].state in (*SETTLED_WELL, "sent", "in_doubt"):
        return standing[0]
    intent = Intent(
        effect_key=effect.key, process_id=None, step="", item="", role=wish.system, document=found.kind,
        operation=wish.operation, canonical_id=found.canonical_id, tier=str(operation.tier),
        reference=found.document.number, request=_payload(words, wish, found),
    )  # fmt: skip
    with ledger.transaction() as books:
        return books.deliveries.intend([intent])[0].delivery


def _payload(words: Words, wish: Wish, found: Found) -> Mapping[str, Any]:
    (payload,) = words.write(wish.system, [Writing(found.document, found.canonical_id, found.kind, wish.operation)])
    if isinstance(payload, ThroughlineError):
        raise payload
    return payload


def _offered(connector: Connector, kind: str, wish: Wish) -> Operation:
    offered = connector.objects()
    operation = offered[kind].operations.get(wish.operation) if kind in offered else None
    if operation is None:
        raise Misconfigured(f"{connector.product} cannot {wish.operation} a {kind}", where=f"system {wish.system}")
    return operation


def _settle(ledger: Ledger, row: Delivery, carried: Carried, *, how: str) -> Delivery:
    confirmation = Confirmation(row.id, carried.their_id, carried.number, dict(carried.lines), dict(carried.answer))
    with ledger.transaction() as books:
        (books.deliveries.confirmed if how == "confirmed" else books.deliveries.resolved)([confirmation])
        if row.operation == "create":
            books.identities.register(_names(row, carried))
        details = {"operation": row.operation, "their_id": carried.their_id, "number": carried.number, "how": how}
        books.audit.append(
            [AuditEntry("airflow task", f"{row.operation} in {row.role}", row.canonical_id, None, details)]
        )
    with ledger.transaction() as books:
        return books.deliveries.by_keys([row.effect_key])[0]


def _names(row: Delivery, carried: Carried) -> list[Identity]:
    """Who is who from now on: the document and every line the target told us its id of."""
    named = [Identity(row.role, row.document, carried.their_id, row.canonical_id, carried.number)]
    for ours, theirs in carried.lines.items():
        line = ours if "#" in ours else line_reference(row.canonical_id, ours)
        named.append(Identity(row.role, f"{row.document}.line", theirs, line))
    return named


def _set_back(ledger: Ledger, state: str, row: Delivery, error: ThroughlineError) -> None:
    with ledger.transaction() as books:
        rooms = {
            "rejected": books.deliveries.rejected,
            "deferred": books.deliveries.deferred,
            "doubt": books.deliveries.doubt,
        }
        rooms[state]([Setback(row.id, error.message, error.signature)])


def _named(row: Delivery) -> str:
    return f"{row.operation} of {row.reference} in {row.role}"
