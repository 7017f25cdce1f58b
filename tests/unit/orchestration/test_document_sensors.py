"""Sensors over the ledger: look once, wait in the triggerer, read the verdict."""

from __future__ import annotations

import asyncio
import time

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred
from airflow.sdk.serde import deserialize, serialize

from throughline.connectors.contract import Captured
from throughline.errors import Misconfigured
from throughline.ledger import Ledger
from throughline.ledger.entries import Identity, Translation
from throughline.orchestration.sensors.document_status import ApprovalSensor, DocumentStatusSensor
from throughline.orchestration.triggers.document_status import DocumentStatusTrigger


def tell(ledger: Ledger, number: str, status: str, *, role: str = "crm", kind: str = "sales_order") -> None:
    """A system tells that a document has this status now."""
    canonical_id, their_id = f"{kind}:crm:{number}", f"{role}-{number}"
    with ledger.transaction() as books:
        record = Captured(kind, their_id, {"status": status, "at": time.monotonic_ns()}, number=number)
        (stored,) = books.records.store(role, [record])
        books.records.translated([Translation(stored.version_id, canonical_id, {"number": number, "status": status})])
        books.identities.register([Identity(role, kind, their_id, canonical_id, number)])


def test_a_status_that_is_reached_already_costs_no_waiting(ledger: Ledger) -> None:
    tell(ledger, "SO-1", "shipped")
    seen = DocumentStatusSensor(task_id="t", number="SO-1", status="accepted").execute({})
    assert (seen["status"], seen["system"], seen["canonical_id"]) == ("shipped", "crm", "sales_order:crm:SO-1")


def test_any_number_of_any_system_names_the_document(ledger: Ledger) -> None:
    tell(ledger, "SO-1", "shipped")
    with ledger.transaction() as books:
        books.identities.register([Identity("erp", "sales_order", "77", "sales_order:crm:SO-1", "V2026-77")])
    assert DocumentStatusSensor(task_id="t", number="V2026-77", status="shipped").execute({})["status"] == "shipped"


def test_a_document_nobody_told_of_yet_is_waited_for_in_the_triggerer(ledger: Ledger) -> None:
    sensor = DocumentStatusSensor(task_id="t", number="SO-9", status=["shipped", "closed"], timeout=60)
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute({})
    path, kwargs = deferred.value.trigger.serialize()
    assert path == "throughline.orchestration.triggers.document_status.DocumentStatusTrigger"
    assert deserialize(serialize(kwargs)) == kwargs
    assert deferred.value.timeout.total_seconds() == 60
    assert deferred.value.method_name == "settle"
    assert sensor.retries >= 1


async def test_the_trigger_fires_once_when_the_document_has_come_that_far(ledger: Ledger) -> None:
    tell(ledger, "SO-1", "confirmed")
    sought = {"number": "SO-1", "wanted": ["shipped"], "document": None, "system": None, "field": "status"}
    trigger = DocumentStatusTrigger(sought=sought, every=0.05)
    events = trigger.run()
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    tell(ledger, "SO-1", "delivered")
    event = await asyncio.wait_for(waiting, 5)
    assert event.payload["status"] == "delivered"
    assert event.payload["reach"] == "reached"
    with pytest.raises(StopAsyncIteration):
        await anext(events)


def test_a_cancelled_document_is_not_waited_for(ledger: Ledger) -> None:
    tell(ledger, "SO-1", "cancelled")
    with pytest.raises(AirflowFailException, match="cancelled in crm and will never be shipped"):
        DocumentStatusSensor(task_id="t", number="SO-1", status="shipped").execute({})


def test_only_the_named_systems_word_counts(ledger: Ledger) -> None:
    tell(ledger, "SO-1", "shipped", role="crm")
    tell(ledger, "SO-1", "accepted", role="erp")
    with pytest.raises(TaskDeferred):
        DocumentStatusSensor(task_id="t", number="SO-1", status="shipped", system="erp").execute({})
    assert DocumentStatusSensor(task_id="t", number="SO-1", status="shipped").execute({})["system"] == "crm"


def test_a_number_that_names_two_documents_is_refused_until_the_kind_is_said(ledger: Ledger) -> None:
    tell(ledger, "7", "confirmed")
    tell(ledger, "7", "released", kind="work_order")
    with pytest.raises(Misconfigured, match="names 2 documents"):
        DocumentStatusSensor(task_id="t", number="7", status="confirmed").execute({})
    seen = DocumentStatusSensor(task_id="t", number="7", status="released", document="work_order").execute({})
    assert seen["canonical_id"] == "work_order:crm:7"


def test_a_misspelt_status_is_refused_at_once(ledger: Ledger) -> None:
    with pytest.raises(Misconfigured, match="shiped"):
        DocumentStatusSensor(task_id="t", number="SO-1", status="shiped", document="sales_order").execute({})


def test_an_approval_is_read_not_only_awaited(ledger: Ledger) -> None:
    tell(ledger, "SO-1", "submitted")
    with pytest.raises(TaskDeferred) as deferred:
        ApprovalSensor(task_id="t", number="SO-1").execute({})
    assert deferred.value.trigger.serialize()[1]["sought"]["wanted"] == ["cancelled", "confirmed", "rejected"]
    tell(ledger, "SO-1", "confirmed")
    assert ApprovalSensor(task_id="t", number="SO-1").execute({})["verdict"] == "approved"
    tell(ledger, "SO-2", "rejected")
    with pytest.raises(AirflowFailException, match="SO-2 was refused: it is rejected in crm"):
        ApprovalSensor(task_id="t", number="SO-2").execute({})
    with pytest.raises(AirflowSkipException):
        ApprovalSensor(task_id="t", number="SO-2", on_refusal="skip").execute({})
    assert ApprovalSensor(task_id="t", number="SO-2", on_refusal="return").execute({})["verdict"] == "refused"


def test_a_later_status_means_the_approval_was_given(ledger: Ledger) -> None:
    tell(ledger, "SO-1", "in_production")
    assert ApprovalSensor(task_id="t", number="SO-1").execute({})["verdict"] == "approved"


def test_templates_are_rendered_where_the_documentation_says_so() -> None:
    assert DocumentStatusSensor.template_fields == ("number", "status", "document", "system")
    assert ApprovalSensor.template_fields == ("number", "document", "system", "approved", "refused")
