"""Bugs in writing into other systems: what is sent, when, how often, and what an answer is taken for.

Not here: a call made after its lease is over. It shows only at a T3 target, when a freeze of 400 s falls exactly
between the commit and the call: not met in 400 seeds, and no other test plants it either.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.faults.planted.planting import Bug, Swap, bug
from throughline.connectors.contract import Carried
from throughline.ledger import deliveries as rows
from throughline.ledger import leases
from throughline.ledger.deliveries import Deliveries
from throughline.process import delivery, delivery_protocol, delivery_records
from throughline.process.backoff import Patience
from throughline.process.delivery import DeliveryRun
from throughline.process.delivery_calls import Caller
from throughline.process.delivery_jobs import Result
from throughline.process.delivery_protocol import OPEN_DOUBT, Move


def _sending(change: Any) -> list[Swap]:
    """A caller whose sending is changed."""
    original = Caller._send

    async def send(self: Any, row: Any) -> Any:
        return await change(self, row, original)

    return [(Caller, "_send", send)]


@bug("the key that a target knows an effect by is made from the number of the try")
def key_from_the_try_number() -> list[Swap]:
    async def send(caller: Any, row: Any, original: Any) -> Any:
        result = await original(caller, replace(row, effect_key=f"{row.effect_key[:50]}-{row.attempts}"))
        return replace(result, delivery=row)

    return _sending(send)


@bug("a time-out is taken for success")
def timeout_taken_for_success() -> list[Swap]:
    async def send(caller: Any, row: Any, original: Any) -> Any:
        result = await original(caller, row)
        return Result(row, "confirmed", carried=Carried(row.reference)) if result.kind == "doubt" else result

    return _sending(send)


@bug("whatever an error page says, the write counts as refused for good")
def doubt_taken_for_refusal() -> list[Swap]:
    async def send(caller: Any, row: Any, original: Any) -> Any:
        result = await original(caller, row)
        return Result(row, "transient", result.error) if result.kind == "doubt" else result

    return _sending(send)


@bug("after a time-out it is simply sent again")
def blind_retry() -> list[Swap]:
    original = delivery_protocol.next_move

    def next_move(row: Any, operation: Any, now: Any, **more: Any) -> Move:
        return Move.SEND if row.state in OPEN_DOUBT else original(row, operation, now, **more)

    return [(delivery, "next_move", next_move)]


@bug("a target that can only search is searched at once, without the wait")
def t3_without_the_wait() -> list[Swap]:
    original = delivery._offered

    def offered(*asked: Any) -> Any:
        return {name: replace(operation, late_execution=0) for name, operation in original(*asked).items()}

    def at_once(row: Any, operation: Any, now: Any, **_: Any) -> Any:
        return row.sent_at or now

    return [(delivery, "_offered", offered), (delivery, "looked_for_from", at_once),
            (delivery_protocol, "looked_for_from", at_once)]  # fmt: skip


@bug("what only a person can decide is sent again by itself")
def t4_sent_again() -> list[Swap]:
    original = delivery_protocol.next_move

    def next_move(row: Any, operation: Any, now: Any, **more: Any) -> Move:
        move = original(row, operation, now, **more)
        return Move.SEND if move is Move.ASK else move

    return [(delivery, "next_move", next_move), (delivery_records, "asks_a_person", lambda operation: False)]


@bug("that a write is about to be sent is noted only after the call")
def intent_written_after_the_call() -> list[Swap]:
    original = Deliveries.intend

    def intend(self: Any, intents: Any, *, sending: bool = False) -> Any:
        return original(self, intents, sending=False)

    def sent(self: Any, ids: Any) -> set[int]:
        return set(ids)

    return [(Deliveries, "intend", intend), (Deliveries, "sent", sent)]


@bug("whoever lost the lease goes on as if nothing had happened, and what is settled may be written again")
def no_fence() -> list[Swap]:
    """Both guards go: each alone covers for the other, so breaking one of them has no effect anybody could see."""
    still_open = "and d.state in ('intended', 'sent', 'in_doubt')"
    return [
        (leases, "_HOLD", leases._HOLD.replace("where p.epoch = x.e and p.lease_until is not null", "")),
        (rows, "_SET_BACK", rows._SET_BACK.replace(still_open, "")),
        (rows, "_SETTLED", rows._SETTLED.replace(still_open, "")),
    ]


def _without_lease(statement: str) -> str:
    return statement.replace(
        "(p.lease_until is null or p.lease_until <= %s)", "coalesce(%s::timestamptz, now()) is not null"
    )


@bug("a lease keeps nobody away, and nobody looks whether it is still his")
def lease_ignored() -> list[Swap]:
    """With the fence alone the one who came first would only stop: slower, but right."""
    taking: list[Swap] = [
        (leases, name, _without_lease(getattr(leases, name))) for name in ("_MAY_RUN", "_LEFT_RUNNING")
    ]
    return [*taking, *no_fence.swaps()]


@bug("a lease never runs out")
def lease_never_expires() -> list[Swap]:
    late = "(p.lease_until is null or p.lease_until <= %s - interval '10 years')"
    return [
        (leases, name, getattr(leases, name).replace("(p.lease_until is null or p.lease_until <= %s)", late))
        for name in ("_MAY_RUN", "_LEFT_RUNNING")
    ]


@bug("work a dead worker left running is not taken up")
def left_running_forgotten() -> list[Swap]:
    return [(leases, "_LEFT_RUNNING", leases._LEFT_RUNNING.replace("s.state = 'running'", "s.state = 'nowhere'"))]


@bug("a partly failed batch counts as done when its first document is")
def partial_batch_counted_whole() -> list[Swap]:
    original = DeliveryRun._record

    def record(self: Any, jobs: Any) -> None:
        if any(result.kind == "confirmed" for job in jobs for result in job.results):
            for job in jobs:
                job.results = [
                    Result(r.delivery, "confirmed", carried=Carried(r.delivery.reference)) if r.error else r
                    for r in job.results
                ]
        original(self, jobs)

    return [(DeliveryRun, "_record", record)]


@bug("a system's wish to be left alone for a while is not heard")
def retry_after_ignored() -> list[Swap]:
    original = Patience.pause

    def pause(self: Any, attempt: int, rng: Any, *, at_least: float | None = None) -> timedelta:
        return original(self, min(attempt, 1), rng)

    return [(Patience, "pause", pause)]


@bug("what a person said arrived is sent again")
def replay_resends_what_arrived() -> list[Swap]:
    original = Deliveries.decided

    def decided(self: Any, places: Any, *, arrived: bool) -> set[int]:
        return original(self, places, arrived=False)

    return [(Deliveries, "decided", decided)]


@bug("what a person wants sent again is taken for arrived")
def replay_takes_all_for_arrived() -> list[Swap]:
    original = Deliveries.decided

    def decided(self: Any, places: Any, *, arrived: bool) -> set[int]:
        return original(self, places, arrived=True)

    return [(Deliveries, "decided", decided)]


@bug("an error while looking for a write counts as: it is not there")
def failed_search_taken_for_absence() -> list[Swap]:
    original = Caller.find

    async def find(self: Any, row: Any) -> Any:
        found = await original(self, row)
        return found if isinstance(found, Carried) else None

    return [(Caller, "find", find)]


BUGS: list[Bug] = [
    key_from_the_try_number, timeout_taken_for_success, doubt_taken_for_refusal, blind_retry, t3_without_the_wait,
    t4_sent_again, intent_written_after_the_call, no_fence, lease_ignored, lease_never_expires, left_running_forgotten,
    partial_batch_counted_whole, retry_after_ignored, replay_resends_what_arrived, replay_takes_all_for_arrived,
    failed_search_taken_for_absence,
]  # fmt: skip
