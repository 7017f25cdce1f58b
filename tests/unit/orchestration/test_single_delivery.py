"""Delivering one document from anybody's DAG: once in effect, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from airflow.sdk import DAG

from throughline.connectors.contract import Captured, Carried, ObjectKind, Operation, Tier
from throughline.errors import InDoubt, Invalid, Misconfigured, Rejected, ThroughlineError, Transient
from throughline.ledger import Ledger
from throughline.ledger.entries import Identity, Translation
from throughline.orchestration import composition
from throughline.orchestration.operators.deliver import DeliverOperator
from throughline.orchestration.single_delivery import Wish, deliver, find_document
from throughline.process.surroundings import Writing

ITEM = {"number": "FG-100", "status": "active", "name": "减速机", "unit": "pcs", "factors": {}, "made": True}


class FakeTarget:
    """A system that carries out, refuses or says nothing, as it is told."""

    product = "fake"

    def __init__(self, tier: Tier, *, findable: bool = True, late: float = 60) -> None:
        self.tier, self.findable, self.late = tier, findable, late
        self.answers: list[ThroughlineError | None] = []
        self.has: dict[str, Carried] = {}
        self.sent: list[tuple[str, str]] = []

    def objects(self) -> Mapping[str, ObjectKind]:
        create = Operation("create", self.tier, self.late, self.findable)
        return {"item": ObjectKind("item", operations={"create": create})}

    async def send(self, document: str, operation: str, payload: Any, *, reference: str, key: str) -> Carried:
        self.sent.append((reference, key))
        assert payload == {"code": "FG-100"}
        answer = self.answers.pop(0) if self.answers else None
        if answer is None or isinstance(answer, InDoubt):
            self.has[reference] = Carried("77", "M-77", lines={"10": "L1"})
        if answer is not None:
            raise answer
        return self.has[reference]

    async def find(self, document: str, reference: str) -> Carried | None:
        return self.has.get(reference)

    async def __aenter__(self) -> FakeTarget:
        return self

    async def __aexit__(self, *exc: object) -> None: ...


class FakeWords:
    def __init__(self) -> None:
        self.error: ThroughlineError | None = None

    def write(self, role: str, writings: Sequence[Writing]) -> list[Any]:
        return [self.error or {"code": writing.document.number} for writing in writings]


@pytest.fixture
def item(ledger: Ledger) -> str:
    with ledger.transaction() as books:
        (stored,) = books.records.store("erp", [Captured("item", "9", {"code": "FG-100"}, number="FG-100")])
        books.records.translated([Translation(stored.version_id, "item:erp:FG-100", ITEM)])
        books.identities.register([Identity("erp", "item", "9", "item:erp:FG-100", "FG-100")])
    return "item:erp:FG-100"


WISH = Wish("my_dag.my_task", "FG-100", "mes")


async def test_it_is_delivered_named_and_noted(ledger: Ledger, item: str) -> None:
    row = await deliver(ledger, FakeTarget(Tier.T2), FakeWords(), WISH)
    assert (row.state, row.their_id, row.number, row.canonical_id) == ("confirmed", "77", "M-77", item)
    with ledger.transaction() as books:
        assert books.identities.canonical("mes", "item", "77") == item
        assert books.identities.canonical("mes", "item.line", "L1") == f"{item}#10"
        assert [line.action for line in books.audit.lines(subject=item)] == ["create in mes"]


@pytest.mark.parametrize("tier", list(Tier))
async def test_a_second_run_does_nothing(ledger: Ledger, item: str, tier: Tier) -> None:
    target = FakeTarget(tier)
    first = await deliver(ledger, target, FakeWords(), WISH)
    assert await deliver(ledger, target, FakeWords(), WISH) == first
    assert len(target.sent) == 1


async def test_another_task_or_a_new_revision_is_another_wish(ledger: Ledger, item: str) -> None:
    target = FakeTarget(Tier.T1)
    await deliver(ledger, target, FakeWords(), WISH)
    await deliver(ledger, target, FakeWords(), Wish("other.task", "FG-100", "mes"))
    with ledger.transaction() as books:
        (stored,) = books.records.store("erp", [Captured("item", "9", {"code": "FG-100", "v": 2})])
        books.records.translated([Translation(stored.version_id, item, {**ITEM, "name": "new"})])
    await deliver(ledger, target, FakeWords(), WISH)
    assert len({key for _, key in target.sent}) == 3


async def test_a_doubt_is_settled_by_asking_the_target(ledger: Ledger, item: str) -> None:
    target = FakeTarget(Tier.T2)
    target.answers = [InDoubt("no answer")]
    with pytest.raises(InDoubt):
        await deliver(ledger, target, FakeWords(), WISH)
    row = await deliver(ledger, target, FakeWords(), WISH)
    assert row.state == "resolved"
    assert len(target.sent) == 1


async def test_a_target_that_does_not_have_it_gets_it_again(ledger: Ledger, item: str) -> None:
    target = FakeTarget(Tier.T2)
    target.answers = [InDoubt("no answer")]
    with pytest.raises(InDoubt):
        await deliver(ledger, target, FakeWords(), WISH)
    target.has.clear()
    assert (await deliver(ledger, target, FakeWords(), WISH)).state == "confirmed"
    assert target.sent[0] == target.sent[1]


async def test_a_search_only_target_is_asked_no_sooner_than_it_can_know(ledger: Ledger, item: str) -> None:
    target = FakeTarget(Tier.T3, late=3600)
    target.answers = [InDoubt("no answer")]
    with pytest.raises(InDoubt):
        await deliver(ledger, target, FakeWords(), WISH)
    with pytest.raises(Transient, match="looked for later") as waiting:
        await deliver(ledger, target, FakeWords(), WISH)
    assert 3500 < (waiting.value.retry_after or 0) <= 3600
    assert len(target.sent) == 1


async def test_a_write_left_by_a_dead_worker_of_a_target_without_any_guarantee_asks_a_person(
    ledger: Ledger, item: str
) -> None:
    target = FakeTarget(Tier.T4, findable=False)
    target.answers = [RuntimeError("killed")]  # type: ignore[list-item]
    with pytest.raises(RuntimeError):
        await deliver(ledger, target, FakeWords(), WISH)
    with pytest.raises(Rejected, match="a person must look in mes"):
        await deliver(ledger, target, FakeWords(), WISH)
    assert len(target.sent) == 1


async def test_refused_busy_and_misfit_are_told_apart_and_may_be_tried_again(ledger: Ledger, item: str) -> None:
    target, words = FakeTarget(Tier.T2), FakeWords()
    target.answers = [Rejected("blocked"), Transient("busy")]
    for consequence in (Rejected, Transient):
        with pytest.raises(consequence):
            await deliver(ledger, target, words, WISH)
    words.error = Invalid("does not fit")
    with pytest.raises(Invalid):
        await deliver(ledger, target, words, WISH)
    words.error = None
    assert (await deliver(ledger, target, words, WISH)).state == "confirmed"
    assert len(target.sent) == 3


def test_only_a_document_the_hub_knows_and_only_one_can_be_delivered(ledger: Ledger, item: str) -> None:
    assert find_document(ledger, WISH).canonical_id == item
    assert find_document(ledger, Wish("a.b", "9", "mes")).canonical_id == item
    with pytest.raises(Misconfigured, match="no document the hub knows"):
        find_document(ledger, Wish("a.b", "FG-999", "mes"))
    with pytest.raises(Misconfigured, match="no document the hub knows"):
        find_document(ledger, Wish("a.b", "FG-100", "mes", document="customer"))


async def test_what_the_target_cannot_do_is_said_before_anything_is_written(ledger: Ledger, item: str) -> None:
    with pytest.raises(Misconfigured, match="fake cannot cancel a item"):
        await deliver(ledger, FakeTarget(Tier.T1), FakeWords(), Wish("a.b", "FG-100", "mes", "cancel"))
    with ledger.transaction() as books:
        assert books.deliveries.of_documents([item]) == []


def test_the_operator_in_anybodys_dag(ledger: Ledger, item: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target = FakeTarget(Tier.T2)
    monkeypatch.setattr(composition, "open_system", lambda role: target)
    monkeypatch.setattr(composition, "words_over", lambda ledger: FakeWords())
    with DAG("my_dag", schedule=None):
        task = DeliverOperator(task_id="my_task", number="FG-100", system="mes")
    assert task.template_fields == ("number", "system", "operation", "document", "source")
    assert task.retries == 4
    told = task.execute({})
    assert told == {"canonical_id": item, "state": "confirmed", "their_id": "77", "number": "M-77"}
    assert task.execute({}) == told
    assert len(target.sent) == 1
