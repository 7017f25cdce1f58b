"""A document's whole path, gathered from the ledger in the words of `--json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from throughline.ledger import Books
    from throughline.ledger.entries import CurrentDocument, Identity, Version
    from throughline.ledger.work_entries import Delivery, ProcessState, StepRow

_MOST = 20
"""At most so many processes for one number: a common item is in thousands."""


_HEAD = ("flow", "key", "state", "started_at", "finished_at")


def process_entry(state: ProcessState) -> dict[str, Any]:
    """One process as `processes --json` tells it."""
    process = state.process
    return {
        "flow": process.flow,
        "key": process.key,
        "state": process.state,
        "started_at": process.started_at,
        "finished_at": process.finished_at,
        "steps": [_step_entry(step) for step in sorted(state.steps, key=_when)],
    }


def _when(step: StepRow) -> tuple[bool, datetime | None, int]:
    moment = step.started_at or step.finished_at or step.ready_at
    return (moment is None, moment, step.id) if moment else (True, None, step.id)


def _step_entry(step: StepRow) -> dict[str, Any]:
    told = {
        "name": step.step,
        "state": step.state,
        "seconds": None if step.seconds is None else round(step.seconds, 3),
        "attempts": step.attempts,
        "started_at": step.started_at,
        "finished_at": step.finished_at,
    }
    extra = {"item": step.item, "awaited": step.awaited, "error": step.error, "due_at": step.due_at}
    extra["overdue_since"] = step.overdue_at if step.finished_at is None else None
    return {**told, **{name: value for name, value in extra.items() if value}}


def path_of(books: Books, number: str) -> dict[str, Any] | None:
    """Everything about the documents this number names, in whatever system; None when nobody knows it."""
    matches = sorted(_matches(books.identities.search(number), number))
    told = [_told_entry(version) for version in books.records.told(number)]
    if not matches and not told:
        return None
    belonging = books.processes.of(matches)
    ids = sorted({process for known in belonging.values() for process in known})[-_MOST:]
    states = books.processes.load(ids)
    names = sorted({*matches, *(link.canonical_id for state in states for link in state.links)})
    deliveries = books.deliveries.of(ids) if ids else books.deliveries.of_documents(matches) if matches else []
    lines = {delivery.canonical_id for delivery in deliveries}
    processes = [process_entry(state) for state in states]
    leading: Mapping[str, Any] = processes[-1] if processes else dict.fromkeys(_HEAD)
    return {
        "number": number,
        **leading,
        "steps": leading.get("steps") or [],
        "matches": matches,
        "told": told,
        "processes": processes,
        "documents": _documents(books.records.current(names), books, names),
        "identities": [_identity_entry(one) for one in books.identities.all_of({*names, *lines})],
        "deliveries": [_delivery_entry(one) for one in deliveries],
    }


def _matches(found: Sequence[Identity], number: str) -> set[str]:
    """The documents meant: by their number if any carries it, otherwise by any id; a line means its document."""
    by_name = [one for one in found if number in {one.number, one.canonical_id}]
    return {one.canonical_id.partition("#")[0] for one in by_name or found}


def _documents(current: Iterable[CurrentDocument], books: Books, names: Sequence[str]) -> list[dict[str, Any]]:
    told: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for version in books.records.versions(names):
        entry = {"captured_at": version.captured_at, "revision": version.revision, "state": version.state}
        told.setdefault((version.role, version.their_id), []).append(entry)
    return [
        {
            "canonical_id": one.canonical_id,
            "kind": one.document,
            "system": one.role,
            "their_id": one.their_id,
            "number": one.number,
            "status": one.canonical.get("status"),
            "deleted": one.deleted,
            "versions": told.get((one.role, one.their_id), []),
            "content": one.canonical,
        }
        for one in current
    ]


def _identity_entry(one: Identity) -> dict[str, Any]:
    return {
        "canonical_id": one.canonical_id,
        "system": one.role,
        "kind": one.kind,
        "their_id": one.their_id,
        "number": one.number,
    }


def _told_entry(version: Version) -> dict[str, Any]:
    """Something a system told that is not understood yet, and what it waits for or why it cannot be read."""
    return {
        "system": version.role,
        "document": version.document,
        "their_id": version.their_id,
        "state": version.state,
        "awaited": version.awaited,
        "reason": version.reason,
        "captured_at": version.captured_at,
    }


def _delivery_entry(one: Delivery) -> dict[str, Any]:
    settled = one.settled_at
    return {
        "step": one.step,
        "item": one.item,
        "system": one.role,
        "document": one.document,
        "operation": one.operation,
        "canonical_id": one.canonical_id,
        "tier": one.tier,
        "state": one.state,
        "attempts": one.attempts,
        "effect_key": one.effect_key,
        "their_id": one.their_id,
        "number": one.number,
        "intended_at": one.intended_at,
        "sent_at": one.sent_at,
        "settled_at": settled,
        "seconds": round((settled - one.intended_at).total_seconds(), 3) if settled else None,
        "error": one.error,
    }
