"""The hub's own books at the end: all accounted for, nothing stuck, every effect audited once, the chain whole."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from tests.faults.checking_case import Case, Entry


def records_are_accounted_for(case: Case) -> Iterator[str]:
    """I5: every content that came in was translated, overtaken, waits for a name, or is parked with a reason."""
    parked = {row["version_id"] for row in case.ledger["parked"]}
    for row in case.ledger["versions"]:
        name = f"version {row['id']} ({row['document']} {row['number'] or row['their_id']})"
        if row["state"] == "failed" and row["id"] not in parked:
            yield f"{name} failed and is not parked"
        elif row["state"] not in ("translated", "superseded", "failed", "waiting"):
            yield f"{name} is {row['state']} at the end"
        elif row["state"] == "waiting" and not row["awaited"]:
            yield f"{name} waits for nothing"
    for row in case.ledger["inbox"]:
        if row["read_at"] is None or row["problem"]:
            yield f"message {row['message_id']} was not read: {row['problem']}"
    yield from _every_record_is_there(case)


def _every_record_is_there(case: Case) -> Iterator[str]:
    """The newest of what each source committed is known."""
    known = {(row["role"], row["document"], row["their_id"]) for row in case.ledger["versions"]}
    for entry in case.history:
        if entry["what"] == "commits" and (entry["who"], entry["kind"], entry["id"]) not in known:
            if entry["kind"] in ("production_report", "work_order") and not case.whole_way:
                continue
            yield f"{entry['kind']} {entry['id']} of {entry['who']} was never captured"


def nothing_is_stuck(case: Case) -> Iterator[str]:
    """I6: no intent without an end or an owner, no lease without a worker, no process that could go on."""
    open_cases = {(row["process_id"], row["step"], row["item"]) for row in case.ledger["parked"]}
    for row in case.ledger["deliveries"]:
        place = (row["process_id"], row["step"], row["item"])
        if row["state"] in ("intended", "sent", "in_doubt") and place not in open_cases:
            yield f"{row['operation']} of {row['reference']} in {row['role']} is {row['state']} for ever"
    for row in case.ledger["processes"]:
        if row["lease_holder"] is not None:
            yield f"{row['key']} is leased by {row['lease_holder']} for ever"
    yield from _steps_that_stand_still(case, open_cases)
    yield from _parked_without_a_cause(case)
    for row in case.ledger["processes"]:
        if row["state"] not in ("finished", "cancelled") and not _waits_for_a_person(case, row):
            yield f"{row['key']} is still {row['state']}, and nobody is asked"


def _parked_without_a_cause(case: Case) -> Iterator[str]:
    """At the end every cause was mended and everything was let go on; news of what is over is for people to read."""
    for row in case.ledger["parked"]:
        poison = "poison" in row["subject"].lower() and row["error_kind"] == "Invalid"
        if row["error_kind"] != "Late" and not poison:
            yield f"{row['subject']} {row['step']} stays parked although its cause was mended: {row['reason'][:120]}"


def _steps_that_stand_still(case: Case, open_cases: set[Any]) -> Iterator[str]:
    states = {row["id"]: row for row in case.ledger["processes"]}
    for row in case.ledger["steps"]:
        process = states[row["process_id"]]
        place = (row["process_id"], row["step"], row["item"])
        if process["state"] == "running" and row["state"] in ("ready", "retrying", "running"):
            yield f"{process['key']} {row['step']} {row['item']} is {row['state']} for ever"
        if row["state"] == "parked" and place not in open_cases:
            yield f"{process['key']} {row['step']} is parked, and not in the parking lot"


def _waits_for_a_person(case: Case, process: Entry) -> bool:
    return any(row["process_id"] == process["id"] for row in case.ledger["parked"])


def every_effect_is_audited(case: Case) -> Iterator[str]:
    """I7: an effect at a target has one delivery, and that one entry in the audit."""
    entries = [(row, json.loads(row["details"])) for row in case.ledger["audit"]]
    told = Counter(details.get("effect") for _, details in entries if details.get("effect"))
    by_person = {
        (row["process_id"]) for row, details in entries if row["action"] == "replay" and details.get("arrived")
    }
    deliveries = {row["effect_key"]: row for row in case.ledger["deliveries"]}
    for key, row in deliveries.items():
        well = row["state"] in ("confirmed", "resolved")
        if told[key] > 1 or (told[key] and not well):
            name = f"{row['operation']} of {row['reference']} in {row['role']}"
            yield f"{name} is {row['state']}, audited {told[key]} times"
        if well and not told[key] and row["process_id"] not in by_person:
            yield f"{row['operation']} of {row['reference']} in {row['role']} is in no audit"
    for effect in case.effects:
        row = deliveries.get(effect["key"])
        place = row and (row["process_id"], row["step"], row["item"])
        asked = any((c["process_id"], c["step"], c["item"]) == place for c in case.ledger["parked"])
        if row is None or (row["state"] not in ("confirmed", "resolved") and not asked):
            yield f"{effect['kind']} {effect['reference']} took effect in {effect['who']}; the ledger does not know"


def the_chain_holds(case: Case) -> Iterator[str]:
    """I7: numbers without a gap, each line sealed with the one before; the seal is computed here anew."""
    seal = "0" * 64
    for number, row in enumerate(case.ledger["audit"], 1):
        content = [seal, number, row["at"].astimezone(UTC).isoformat(), row["actor"], row["action"], row["subject"],
                   row["process_id"], row["details"]]  # fmt: skip
        expected = hashlib.sha256(_spelled(content).encode()).hexdigest()
        if row["seq"] != number or row["prev_hash"] != seal or row["hash"] != expected:
            yield f"the audit's chain breaks at line {number} ({row['action']} {row['subject']})"
            return
        seal = row["hash"]


def _spelled(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
