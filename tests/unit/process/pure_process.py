"""A process that lives in memory: documents arrive, steps are carried out, `advance` says what follows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from throughline.canonical import DOCUMENTS, CanonicalDocument, WorkOrder, reference
from throughline.errors import Unknown
from throughline.process.advance import advance
from throughline.process.facts import ask
from throughline.process.flow_files import load_flow
from throughline.process.state import Instance, ProcessState, Revision, StepState
from throughline.rules import Act, Linked, rule_named

NOW = datetime(2026, 11, 23, tzinfo=UTC)
FLOW = load_flow(Path(__file__).parents[3] / "include" / "flows" / "order_to_delivery.yaml")
OWNERS = {"sales_order": "crm", "work_order": "erp", "production_report": "mes", "receipt": "wms", "shipment": "wms"}
KEY = "sales_order:crm:SO-1"
ITEM = "item:erp:FG-100"


def made(kind: str, **fields: Any) -> CanonicalDocument:
    return DOCUMENTS[kind].model_validate(fields)


def quantity(value: int | str, unit: str = "pcs") -> dict[str, str]:
    return {"value": str(value), "unit": unit}


def order(amount: int | str = 10, status: str = "confirmed", **more: Any) -> CanonicalDocument:
    line = {"line": "10", "item": ITEM, "quantity": quantity(amount)}
    return made("sales_order", number="SO-1", status=status, customer="customer:crm:C-1001",
                **{"lines": [line], "contact_email": "a@b.example", **more})  # fmt: skip


def work_order(number: str = "WO-1", amount: int = 10, **more: Any) -> CanonicalDocument:
    return made("work_order", number=number, status="planned", order_line=f"{KEY}#10", item=ITEM,
                quantity=quantity(amount), **more)  # fmt: skip


def report(number: str, good: int, *, of: str = "WO-1", scrap: int = 0, **more: Any) -> CanonicalDocument:
    return made("production_report", number=number, status="reported", work_order=f"work_order:erp:{of}", item=ITEM,
                good=quantity(good), scrap=quantity(scrap), **more)  # fmt: skip


def receipt(number: str, amount: int, of: str) -> CanonicalDocument:
    return made("receipt", number=number, status="received", notice=f"receipt_notice:hub:RN-{of}",
                lines=[{"line": "1", "item": ITEM, "quantity": quantity(amount)}])  # fmt: skip


def shipment(number: str, amount: int, **more: Any) -> CanonicalDocument:
    line = {"line": "1", "outbound_line": "outbound_order:hub:OB-SO-1#10", "item": ITEM, "quantity": quantity(amount)}
    return made("shipment", number=number, status="shipped", outbound="outbound_order:hub:OB-SO-1", lines=[line],
                **more)  # fmt: skip


@dataclass
class PureProcess:
    """Everything `advance` sees, and what was carried out."""

    state: ProcessState = field(default_factory=lambda: first_state(order()))
    carried_out: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def go_on(self) -> None:
        changes = advance(FLOW, self.state, NOW)
        for own in changes.instances:
            before = self.state.instances.get(own.key)
            assert before is None or not before.settled, f"{own.key} left {before.state} for {own.state}"
        self.notes += changes.notes
        self.state = replace(
            self.state,
            instances={**self.state.instances, **{own.key: own for own in changes.instances}},
            in_force=changes.in_force or self.state.in_force,
            state=changes.state or self.state.state,
        )

    def arrive(self, document: CanonicalDocument, role: str | None = None) -> None:
        owner = OWNERS[document.kind]
        entry = Linked(reference(document.kind, owner, document.number), role or owner, document)
        place = (entry.canonical_id, entry.role)
        kept = [known for known in self.state.linked if (known.canonical_id, known.role) != place]
        self.state = replace(self.state, linked=(*kept, entry))
        self.go_on()

    def revise(self, document: CanonicalDocument) -> None:
        name = f"{KEY}@{len(self.state.revisions) + 1}"
        self.state = replace(self.state, revisions=(*self.state.revisions, Revision(name, document)))
        self.go_on()

    def ready(self) -> list[Instance]:
        return sorted(
            (own for own in self.state.instances.values() if own.state is StepState.READY), key=lambda o: o.key
        )

    def carry_out(self, own: Instance, *, refused: str | None = None) -> None:
        """Do one ready step as a worker would, and let the process go on."""
        assert own.key not in self.carried_out, f"{own.key} is carried out twice"
        if not self._decidable(own):
            return
        self.carried_out.append(own.key)
        self._put(own.moved(StepState.RUNNING))
        step = FLOW.steps[own.step]
        if refused:
            self._put(own.moved(StepState.SKIPPED, verdict={"refused": refused}))
        elif step.decide:
            verdict = ask(rule_named(step.decide.rule, "decide"), FLOW, self.state, own.step, own.item)
            self._put(own.moved(StepState.DONE, verdict=verdict))
        else:
            told = self._documents(own)
            self._put(own.moved(StepState.DONE if told["made"] else StepState.SKIPPED, verdict=told))
        self.go_on()

    def _decidable(self, own: Instance) -> bool:
        """Whether a rule can answer yet; the engine asks again after a pause."""
        step = FLOW.steps[own.step]
        try:
            if step.decide:
                ask(rule_named(step.decide.rule, "decide"), FLOW, self.state, own.step, own.item)
            elif step.effect and step.effect.make:
                ask(rule_named(step.effect.make, "make"), FLOW, self.state, own.step, own.item)
        except Unknown:
            return False
        return True

    def supplements(self) -> list[tuple[str, Any]]:
        """Every work order that was added, with its quantity."""
        orders = [entry.document for entry in self.state.linked if entry.role == "hub"]
        return [(d.number, d.quantity.value) for d in orders if isinstance(d, WorkOrder) and d.supplements]

    def carry_out_everything(self) -> None:
        while ready := [own for own in self.ready() if self._decidable(own)]:
            self.carry_out(ready[0])

    def states(self) -> dict[tuple[str, str], str]:
        return {key: str(own.state) for key, own in sorted(self.state.instances.items())}

    def _documents(self, own: Instance) -> dict[str, Any]:
        effect = FLOW.steps[own.step].effect
        assert effect is not None
        if effect.make is None:
            return {"made": [own.item or KEY]}
        answer = ask(rule_named(effect.make, "make"), FLOW, self.state, own.step, own.item)
        made_of = [one for one in (answer if isinstance(answer, list) else [answer]) if one]
        documents = [one.document if isinstance(one, Act) else one for one in made_of]
        names = [reference(d.kind, OWNERS.get(d.kind, "hub"), d.number) for d in documents]
        ours = [Linked(name, "hub", d) for name, d in zip(names, documents, strict=True) if name not in self._names()]
        self.state = replace(self.state, linked=(*self.state.linked, *ours))
        acts: dict[str, list[str]] = {}
        for one, name in zip(made_of, names, strict=True):
            acts.setdefault(one.operation if isinstance(one, Act) else effect.may[0], []).append(name)
        return {"made": names, "acts": acts}

    def _names(self) -> set[str]:
        return {entry.canonical_id for entry in self.state.linked} | {KEY}

    def _put(self, own: Instance) -> None:
        self.state = replace(self.state, instances={**self.state.instances, own.key: own})


def first_state(subject: CanonicalDocument) -> ProcessState:
    item = made("item", number="FG-100", name="减速机", unit="pcs", factors={"carton": "4"}, made=True)
    customer = made("customer", number="C-1001", name="青岛重工集团")
    return ProcessState(
        key=KEY, revisions=(Revision(f"{KEY}@1", subject),), in_force=f"{KEY}@1",
        referenced={ITEM: item, "customer:crm:C-1001": customer}, linked=(Linked(KEY, "crm", subject),),
    )  # fmt: skip
