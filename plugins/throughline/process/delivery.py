"""Delivers everything that is ready for one step: claim, put into words, write intents down, call, record.

A write is a row before it is a call: the intent is committed first, so a crash at any point leaves a row that says what
may have happened, and the next worker goes on from there.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from throughline.canonical import LATTICES
from throughline.connectors.contract import Carried, Connector, Operation
from throughline.errors import InDoubt, Misconfigured, ThroughlineError, Unknown
from throughline.ledger import Books
from throughline.ledger.entries import Minted
from throughline.ledger.work_entries import Delivery, Intended, Link, Setback
from throughline.process.applying import advance_processes
from throughline.process.definition import Flow
from throughline.process.delivery_calls import Brake, Caller, in_small_batches
from throughline.process.delivery_jobs import SUPERSEDED, Job, Preparation, Result
from throughline.process.delivery_protocol import DOUBTED, OPEN_DOUBT, Move, looked_for_from, next_move
from throughline.process.delivery_records import Entries, Recording
from throughline.process.loading import HUB
from throughline.process.reports import Outcome, StepReport
from throughline.process.surroundings import Writing
from throughline.process.taking import Taking
from throughline.process.workshop import Workshop

ASKED = ": look there, and let it go on as arrived or send it again"
Batch = tuple[Caller, list[Job]]
ENDED = ("done", "skipped", "parked")


class DeliveryRun:
    """One worker, one step, everything that is ready."""

    def __init__(self, shop: Workshop, flow: Flow, step: str) -> None:
        effect = flow.steps[step].effect
        if effect is None:
            raise Misconfigured(f"step '{step}' of flow '{flow.flow}' delivers nothing")
        self._shop, self._flow, self._step, self._effect = shop, flow, step, effect
        self._preparation = Preparation(flow, step, shop.landscape, shop.words)
        self._report = StepReport(flow.flow, step)
        self._brake = Brake()
        self._operations: dict[str, Operation] = {}
        self._taking = Taking(shop, flow, step, effect.system, self._report)
        self._wrong: Misconfigured | None = None
        self._called_for = timedelta(seconds=shop.lease_seconds * 0.9)

    async def run(self, keys: Sequence[str] | None) -> StepReport:
        """Work until nothing is ready any more, or the system asks to be left alone.

        What a person must mend is raised once everything is in order: what is ready waits, and nothing is parked.
        """
        try:
            async with self._shop.connectors(self._effect.system) as connector:
                self._operations = _offered(connector, self._effect.document, self._effect.may, self._flow, self._step)
                await self._work_off(connector, keys)
        except Misconfigured as error:
            self._brake.pulled = error
        if isinstance(self._brake.pulled, Misconfigured):
            await asyncio.to_thread(self._taking.hold_back, self._brake.pulled)
            raise self._brake.pulled
        if self._wrong is not None:
            raise self._wrong
        return self._report

    async def _work_off(self, connector: Connector, keys: Sequence[str] | None) -> None:
        """Batch after batch: the next is taken, translated and written down while the one before is being sent.

        It begins to be sent as soon as it is written down, while the one before is still being recorded.
        """
        turns = asyncio.Semaphore(self._shop.landscape.systems[self._effect.system].deliver.concurrency)
        sending = asyncio.ensure_future(_nothing())
        try:
            while True:
                all_recorded = sending.done()
                batch = await self._next(connector, turns, keys)
                if batch is None and all_recorded:
                    return await sending
                before = sending
                if batch is not None:
                    sending = asyncio.ensure_future(self._send(*batch))
                await before
                if self._taking.probing:  # what a probe finds out decides whether there is a next one
                    await sending
        except asyncio.CancelledError:
            sending.cancel()
            raise
        finally:  # whatever stops us, what was called is recorded
            await asyncio.wait([sending])

    async def _next(self, connector: Connector, turns: asyncio.Semaphore, keys: Sequence[str] | None) -> Batch | None:
        """The next documents, ready to be sent, with who sends them; None when there are none or the brake is on."""
        if self._brake.pulled is not None:
            return None
        started = asyncio.get_running_loop().time()
        jobs = await asyncio.to_thread(self._taking.take, keys)
        if not jobs:
            return None
        deadline = started + self._called_for.total_seconds()
        caller = Caller(connector, turns=turns, deadline=deadline, brake=self._brake)
        await asyncio.to_thread(self._prepare, jobs)
        await self._look_for_doubtful(caller, jobs)
        return caller, await asyncio.to_thread(self._commit_intents, jobs)

    async def _send(self, caller: Caller, jobs: Sequence[Job]) -> None:
        by_process: dict[int, list[Job]] = defaultdict(list)
        for job in jobs:
            by_process[job.claim.process_id].append(job)
        calls = [caller.carry_out(several) for several in by_process.values()]
        async for finished in in_small_batches(calls, size=self._shop.record_size, linger=self._shop.linger):
            await asyncio.to_thread(self._record, finished)

    def _prepare(self, jobs: list[Job]) -> None:
        """Earlier writes are asked for only where there can be any: a first attempt has none."""
        again = {job.claim.process_id for job in jobs if job.step.attempts > 1}
        earlier: list[Delivery] = []
        if again:
            with self._shop.ledger.transaction() as books:
                earlier = books.deliveries.of(again)
        self._preparation.prepare(jobs, earlier)

    async def _look_for_doubtful(self, caller: Caller, jobs: Sequence[Job]) -> None:
        """Ask the target about every write whose end nobody knows, before anything is sent again."""
        searches = []
        for job in jobs:
            for row in job.deliveries:
                operation, now = self._operations[row.operation], self._taking.now
                move = next_move(row, operation, now, called_for=self._called_for)
                if move is Move.FIND:
                    searches.append((job, row))
                elif move in (Move.WAIT, Move.ASK):
                    said = _doubt(row) + (ASKED if move is Move.ASK else "")
                    until = looked_for_from(row, operation, now, called_for=self._called_for)
                    job.results.append(Result(row, str(move), InDoubt(said, system=row.role), until=until))
        found = await asyncio.gather(*(caller.find(row) for _, row in searches))
        for (job, row), answer in zip(searches, found, strict=True):
            if isinstance(answer, Carried):
                job.results.append(Result(row, "resolved", carried=answer))
            elif isinstance(answer, ThroughlineError):
                job.results.append(Result(row, "search", answer))

    def _commit_intents(self, jobs: list[Job]) -> list[Job]:
        """Write down what is about to be sent; whoever lost the lease meanwhile stops here and has written nothing."""
        with self._shop.ledger.transaction() as books:
            held = books.processes.hold({job.claim.process_id: job.claim for job in jobs}.values())
            ours = [job for job in jobs if job.claim.process_id in held]
            self._mint(books, ours)
            replaced = [row for job in ours for row in job.superseded]
            intents = [
                replace(intent, tier=str(self._operations[intent.operation].tier))
                for job in ours if job.error is None for intent in job.intents
            ]  # fmt: skip
            intended = {entry.delivery.effect_key: entry for entry in books.deliveries.intend(intents, sending=True)}
            kept = {entry.delivery.id for entry in intended.values()}
            books.deliveries.rejected([_superseded(row) for row in replaced if row.id not in kept])
            self._mark_sent(books, ours, intended)
        self._lost(jobs, held)
        return ours

    def _mark_sent(self, books: Books, jobs: Sequence[Job], intended: Mapping[str, Intended]) -> None:
        for job in jobs:
            if job.error is None:
                fresh = [intended[intent.effect_key].delivery for intent in job.intents]
                job.deliveries = list({row.id: row for row in [*job.deliveries, *fresh]}.values())
        done = {result.delivery.id for job in jobs for result in job.results}
        done |= {entry.delivery.id for entry in intended.values() if entry.delivery.sent_at == books.now}  # just now
        going = [
            row.id for job in jobs for row in job.deliveries
            if row.id not in done and row.state in ("intended", "sent", "in_doubt")
        ]  # fmt: skip
        sent = books.deliveries.sent(going) if going else set()
        for job in jobs:
            job.deliveries = [_sent_again(row, books.now) if row.id in sent else row for row in job.deliveries]

    def _mint(self, books: Books, jobs: Sequence[Job]) -> None:
        """Keep the documents we derived, and link them to their process: what answers them will find it by them."""
        if self._effect.make is None:
            return
        minted, links = {}, []
        for job in jobs:
            for writing in job.writings if job.error is None else ():
                if _is_ours(writing, job.step.item):
                    canonical = writing.document.model_dump(mode="json")
                    number = writing.document.number
                    minted[writing.canonical_id] = Minted(writing.canonical_id, writing.kind, number, canonical)
                    links.append(Link(job.claim.process_id, writing.canonical_id, writing.kind, HUB))
        books.records.mint(list(minted.values()))
        books.processes.link(links)

    def _record(self, jobs: list[Job]) -> None:
        """One transaction for a few finished processes: rows, names, steps, and what follows from them."""
        shop = self._shop
        recording = Recording(
            self._operations, shop.patience, shop.rng, shop.holder,
            goes_on_refused=self._flow.steps[self._step].refused == "continue",
        )  # fmt: skip
        claims = {job.claim.process_id: job.claim for job in jobs}
        with shop.ledger.transaction() as books:
            held = books.processes.hold(claims.values())
            ours = [job for job in jobs if job.claim.process_id in held]
            entries = recording.entries(ours, books.now, self._known(books, ours))
            recording.write(books, entries)
            self._tell_breaker(books, answered=entries.answered, failed=entries.failed)
            advance_processes(books, shop.loader, books.processes.load(held), shop.holder)
            books.processes.release(claims.values())
        self._report.outcomes += entries.outcomes
        self._remember(ours, entries)
        self._lost(jobs, held)

    def _known(self, books: Books, jobs: Sequence[Job]) -> set[str]:
        """Which of the awaited names are registered by now."""
        awaited = {job.error.awaited for job in jobs if isinstance(job.error, Unknown)}
        return books.identities.known(awaited) if awaited else set()

    def _remember(self, jobs: Sequence[Job], entries: Entries) -> None:
        """Leave alone what did not come to its end, and keep the first thing a person must mend."""
        ended = {(change.process_id, change.item) for change in entries.steps if change.state in ENDED}
        self._taking.done(job for job in jobs if (job.claim.process_id, job.step.item) in ended)
        wrong = (job.error for job in jobs if isinstance(job.error, Misconfigured))
        self._wrong = self._wrong or next(wrong, None)

    def _tell_breaker(self, books: Books, *, answered: bool, failed: int) -> None:
        role = self._effect.system
        if not failed and answered:
            books.breakers.succeeded(role)
        for _ in range(min(failed, 5)):
            passage = books.breakers.failed(role)
            if not passage:
                self._report.waits_until = passage.until
                self._brake.pulled = self._brake.pulled or InDoubt(f"{role} does not answer", system=role)

    def _lost(self, jobs: Sequence[Job], held: set[int]) -> None:
        gone = [job for job in jobs if job.claim.process_id not in held]
        self._report.outcomes += [
            Outcome(job.claim.key, job.step.item, "lost", "another worker holds this process by now") for job in gone
        ]


async def _nothing() -> None:
    """What is being sent before the first batch is."""


def _offered(
    connector: Connector, document: str, operations: Sequence[str], flow: Flow, step: str
) -> dict[str, Operation]:  # fmt: skip
    kinds = connector.objects()
    offered = kinds[document].operations if document in kinds else {}
    for operation in operations:
        if operation not in offered:
            said = f"step '{step}': {connector.product} cannot {operation} a {document}"
            raise Misconfigured(said, where=flow.where)
    return {operation: offered[operation] for operation in operations}


def _is_ours(writing: Writing, item: str) -> bool:
    """Whether the hub itself makes this document, and others may answer it: not what a system told, nor mere news."""
    made = writing.operation == "create" or f":{HUB}:" in writing.canonical_id
    return made and writing.canonical_id != item and writing.kind in LATTICES


def _sent_again(row: Delivery, now: datetime) -> Delivery:
    """The row as it is after it was marked; that an earlier call was never answered stays known."""
    signature = DOUBTED if row.state in OPEN_DOUBT else row.signature
    return replace(row, state="sent", attempts=row.attempts + 1, sent_at=now, signature=signature)


def _superseded(row: Delivery) -> Setback:
    return Setback(row.id, SUPERSEDED, "Superseded:-:-:")


def _doubt(row: Delivery) -> str:
    return f"{row.operation} of {row.reference} in {row.role} was sent and not answered"
