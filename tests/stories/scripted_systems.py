"""Small systems that live in memory and do exactly what a test tells them: answer, refuse, time out before or after."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from throughline.canonical import DOCUMENTS, line_reference, reference
from throughline.connectors.contract import Captured, Carried, ObjectKind, Operation, Page, Tier
from throughline.errors import (
    InDoubt,
    Invalid,
    Misconfigured,
    RateLimited,
    Rejected,
    ThroughlineError,
    Transient,
    Unknown,
)
from throughline.ledger import Ledger
from throughline.ledger.entries import Identity
from throughline.process.ledger_registry import LedgerRegistry
from throughline.process.surroundings import Reading, Writing

OWNERS = {
    "sales_order": "crm", "customer": "crm", "item": "erp", "work_order": "erp", "production_report": "mes",
    "receipt": "wms", "shipment": "wms", "stock_level": "wms",
}  # fmt: skip


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass(frozen=True)
class Pace:
    concurrency: int = 4


@dataclass(frozen=True)
class Role:
    product: str
    deliver: Pace = Pace()


class ScriptedLandscape:
    def __init__(self) -> None:
        self.systems = {role: Role(f"scripted_{role}") for role in ("crm", "erp", "mes", "wms", "mail")}

    def owner_of(self, kind: str) -> str:
        return OWNERS.get(kind, "hub")


@dataclass
class Write:
    document: str
    operation: str
    reference: str
    payload: Mapping[str, Any]
    key: str


OPERATIONS: dict[str, dict[str, dict[str, Operation]]] = {
    "crm": {"order_update": {"create": Operation("create", Tier.T1)},
            "shipment": {"create": Operation("create", Tier.T2, findable=True)}},
    "erp": {"sales_order": {"create": Operation("create", Tier.T2, findable=True),
                            "change": Operation("change", Tier.T1), "cancel": Operation("cancel", Tier.T1)},
            "receipt": {"create": Operation("create", Tier.T2, findable=True)},
            "shipment": {"create": Operation("create", Tier.T3, late_execution=60, findable=True)}},
    "mes": {"work_order": {"create": Operation("create", Tier.T2, findable=True),
                           "change": Operation("change", Tier.T1), "cancel": Operation("cancel", Tier.T1),
                           "close": Operation("close", Tier.T1)}},
    "wms": {"receipt_notice": {"create": Operation("create", Tier.T2, findable=True)},
            "outbound_order": {"create": Operation("create", Tier.T2, findable=True),
                               "change": Operation("change", Tier.T1), "cancel": Operation("cancel", Tier.T1)}},
    "mail": {"notice": {"create": Operation("create", Tier.T4)}},
}  # fmt: skip

Trouble = Callable[["ScriptedSystem", Write], Carried]


@dataclass
class ScriptedSystem:
    """One target. `writes` is what really took effect; `calls` is how often it was called."""

    role: str
    writes: list[Write] = field(default_factory=list)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    finds: int = 0
    troubles: dict[tuple[str, str], list[Trouble]] = field(default_factory=lambda: defaultdict(list))
    down: bool = False
    wrong: bool = False
    closed_for_editing: set[str] = field(default_factory=set)
    keys: dict[str, Carried] = field(default_factory=dict)
    product: str = "scripted"

    def objects(self) -> Mapping[str, ObjectKind]:
        return {name: ObjectKind(name, operations=kinds) for name, kinds in OPERATIONS[self.role].items()}

    def of(self, document: str, operation: str = "create") -> list[Write]:
        return [write for write in self.writes if (write.document, write.operation) == (document, operation)]

    def next_time(self, document: str, trouble: Trouble, operation: str = "create") -> None:
        self.troubles[document, operation].append(trouble)

    async def find(self, document: str, reference: str) -> Carried | None:
        self.finds += 1
        if self.down:
            raise Transient("not reachable", system=self.role)
        found = [write for write in self.of(document) if write.reference == reference]
        return self.carried(found[0]) if found else None

    async def send(
        self, document: str, operation: str, payload: Mapping[str, Any], *, reference: str, key: str
    ) -> Carried:
        write = Write(document, operation, reference, payload, key)
        self.calls[document, operation] += 1
        if self.wrong:
            raise Misconfigured("the secret is wrong", where=f"connection {self.role}", system=self.role)
        if self.down:
            raise Transient("not reachable", system=self.role)
        if self.troubles[document, operation]:
            return self.troubles[document, operation].pop(0)(self, write)
        return self.take(write)

    def take(self, write: Write) -> Carried:
        """Really do it, as the declared tier promises."""
        if write.document == "order_update" and write.payload["order"] in self.closed_for_editing:
            raise Rejected("an order with life_status invalid cannot be updated", system=self.role, code="320001403")
        tier = OPERATIONS[self.role][write.document][write.operation].tier
        if tier is Tier.T1 and write.key in self.keys:
            return self.keys[write.key]
        if tier is Tier.T2 and any(known.reference == write.reference for known in self.of(write.document)):
            raise Rejected(f"{write.reference} exists already", system=self.role, code="DUPLICATE")
        self.writes.append(write)
        self.keys[write.key] = self.carried(write)
        return self.keys[write.key]

    def carried(self, write: Write) -> Carried:
        name = f"{self.role}-{write.document}-{write.reference}"
        lines = {line["line"]: f"{name}-{line['line']}" for line in write.payload.get("lines", [])}
        return Carried(name, f"{self.role.upper()}-{write.reference}", lines)

    async def changes(
        self, document: str, cursor: Any, *, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncIterator[Page]:
        yield Page((), {"seen": 0})

    async def test(self) -> str:
        return "there"

    async def __aenter__(self) -> ScriptedSystem:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None


def answer_lost(system: ScriptedSystem, write: Write) -> Carried:
    system.take(write)
    raise InDoubt("no answer came", system=system.role)


def request_lost(system: ScriptedSystem, write: Write) -> Carried:
    raise InDoubt("no answer came", system=system.role)


def busy(system: ScriptedSystem, write: Write) -> Carried:
    raise Transient("busy", system=system.role)


def slow_down(system: ScriptedSystem, write: Write) -> Carried:
    raise RateLimited("too many requests", retry_after=30, system=system.role)


def refused(system: ScriptedSystem, write: Write) -> Carried:
    raise Rejected("not in this state", system=system.role, code="STATE")


class Killed(BaseException):
    """The worker is gone in the middle of a call, with whatever it knew."""


def killed(system: ScriptedSystem, write: Write) -> Carried:
    system.take(write)
    raise Killed


class ScriptedWords:
    """Records are canonical documents already; what they name must be known to the system concerned."""

    def __init__(self, ledger: Ledger) -> None:
        self._registry = LedgerRegistry(ledger)

    def version(self, role: str, document: str) -> str:
        return "1"

    def read(
        self, role: str, document: str, records: Sequence[Mapping[str, Any]]
    ) -> Sequence[Reading | ThroughlineError]:
        return [self._read(role, document, dict(raw)) for raw in records]

    def write(self, role: str, writings: Sequence[Writing]) -> Sequence[Mapping[str, Any] | ThroughlineError]:
        return [self._write(role, writing) for writing in writings]

    def _read(self, role: str, document: str, raw: dict[str, Any]) -> Reading | ThroughlineError:
        if raw.get("poison"):
            raise RecursionError("poisoned")
        needs = raw.pop("needs", None)
        if needs and not self._registry.canonical_many(role, [("customer", needs)]):
            return Unknown(f"customer {needs} is unknown", awaited=f"{role}/customer/{needs}", system=role)
        try:
            made = DOCUMENTS[document].model_validate(raw)
        except ValueError as error:
            return Invalid(f"this {document} does not fit: {str(error).splitlines()[0]}", system=role)
        name = reference(document, OWNERS.get(document, "hub"), made.number)
        mine = f"{role}-{document}-{made.number}"
        names = [Identity(role, document, mine, name, made.number)]
        names += [Identity(role, f"{document}.line", f"{mine}-{line.line}", line_reference(name, line.line))
                  for line in getattr(made, "lines", ())]  # fmt: skip
        return Reading(name, made, tuple(names))

    def _write(self, role: str, writing: Writing) -> Mapping[str, Any] | ThroughlineError:
        if (role, writing.kind) == ("erp", "sales_order"):
            for line in writing.document.lines:  # type: ignore[attr-defined]
                if not self._registry.theirs_many("erp", [("item", line.item)]):
                    return Unknown(f"{line.item} is not in the ERP", awaited=f"{line.item}@erp", system="erp")
        return writing.document.model_dump(mode="json")


def captured(document: str, their_id: str, raw: Mapping[str, Any], at: datetime | None = None) -> Captured:
    return Captured(document, their_id, raw, number=str(raw.get("number", their_id)), changed_at=at)
