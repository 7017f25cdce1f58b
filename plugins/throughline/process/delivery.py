"""Delivers everything that is ready for one step: claim, put into words, write intents down, call, record.

A write is a row before it is a call: the intent is committed first, so a crash at any point leaves a row that says what
may have happened, and the next worker goes on from there.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random

from throughline.canonical import LATTICES
from throughline.connectors.contract import Carried, Connector, Operation
from throughline.errors import InDoubt, Misconfigured, ThroughlineError
from throughline.ledger import Books, Ledger
from throughline.ledger.entries import Minted
from throughline.ledger.work_entries import Claim, Delivery, Intended, Link, Setback, StepChange
from throughline.process.applying import advance_processes
from throughline.process.backoff import Patience
from throughline.process.definition import Flow
from throughline.process.delivery_calls import Brake, Caller, in_small_batches
from throughline.process.delivery_jobs import SUPERSEDED, Job, Preparation, Result
from throughline.process.delivery_protocol import Move, next_move
from throughline.process.delivery_records import Recording
from throughline.process.loading import HUB, Loader
from throughline.process.reports import Outcome, StepReport
from throughline.process.surroundings import Connectors, Systems, Words, Writing


@dataclass(frozen=True)
class Workshop:
    """What every worker of the engine shares."""

    ledger: Ledger
    landscape: Systems
    connectors: Connectors
    words: Words
    flows: Mapping[str, Flow]
    loader: Loader
    rng: Random
    holder: str
    patience: Patience
    lease_seconds: float = 120.0
    batch: int = 200
    record_size: int = 50
    linger: float = 0.05


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
        self._now = datetime.min.replace(tzinfo=UTC)

    async def run(self, keys: Sequence[str] | None) -> StepReport:
        """Work until nothing is ready any more, or the system asks to be left alone."""
        connector = self._shop.connectors(self._effect.system)
        async with connector:
            self._operations = _offered(connector, self._effect.document, self._effect.may, self._flow, self._step)
            while self._brake.pulled is None:
                started = asyncio.get_running_loop().time()
                jobs = await asyncio.to_thread(self._claim, keys)
                if not jobs:
                    break
                await self._work(connector, jobs, deadline=started + self._shop.lease_seconds * 0.9)
        return self._report

    async def _work(self, connector: Connector, jobs: list[Job], *, deadline: float) -> None:
        caller = Caller(
            connector, deadline=deadline, brake=self._brake,
            concurrency=self._shop.landscape.systems[self._effect.system].deliver.concurrency,
        )  # fmt: skip
        await asyncio.to_thread(self._prepare, jobs)
        await self._look_for_doubtful(caller, jobs)
        going = await asyncio.to_thread(self._commit_intents, jobs)
        by_process: dict[int, list[Job]] = defaultdict(list)
        for job in going:
            by_process[job.claim.process_id].append(job)
        calls = [caller.carry_out(several) for several in by_process.values()]
        async for finished in in_small_batches(calls, size=self._shop.record_size, linger=self._shop.linger):
            await asyncio.to_thread(self._record, finished)

    def _claim(self, keys: Sequence[str] | None) -> list[Job]:
        """Take what is ready; when the system is known to be down, it waits instead, without counting as a failure."""
        shop, role = self._shop, self._effect.system
        with shop.ledger.transaction() as books:
            self._now = books.now
            claims = books.processes.claim(
                self._flow.flow, self._step, limit=shop.batch, holder=shop.holder, seconds=shop.lease_seconds, keys=keys
            )
            passage = books.breakers.allow(role) if claims else None
            if passage is not None and not passage:
                self._put_off(books, claims, str(passage.until))
                self._report.waits_until = passage.until
                steps = [_later(claim, self._step, passage.until) for claim in claims]
                books.steps.change([change for several in steps for change in several])
                return []
            if passage is not None and passage.probe:
                self._give_back(books, claims[1:])
                claims = claims[:1]
            rows = books.processes.load([claim.process_id for claim in claims])
            states = shop.loader.load(books, rows)
        return [Job(claim, step, states[claim.process_id]) for claim in claims for step in claim.steps]

    def _put_off(self, books: Books, claims: Sequence[Claim], until: str) -> None:
        books.processes.release(claims)
        said = f"{self._effect.system} is left alone until {until}"
        self._report.outcomes += [Outcome(c.key, s.item, "retrying", said) for c in claims for s in c.steps]

    def _give_back(self, books: Books, claims: Sequence[Claim]) -> None:
        books.steps.change([change for claim in claims for change in _later(claim, self._step, None)])
        books.processes.release(claims)

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
                move = next_move(row, self._operations[row.operation], self._now)
                if move is Move.FIND:
                    searches.append((job, row))
                elif move in (Move.WAIT, Move.ASK):
                    job.results.append(Result(row, str(move), InDoubt(_doubt(row), system=row.role)))
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
            intended = {entry.delivery.effect_key: entry for entry in books.deliveries.intend(intents)}
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
        decided = {result.delivery.id for job in jobs for result in job.results}
        going = [
            row.id for job in jobs for row in job.deliveries
            if row.id not in decided and row.state in ("intended", "sent", "in_doubt")
        ]  # fmt: skip
        sent = books.deliveries.sent(going)
        for job in jobs:
            job.deliveries = [
                replace(row, state="sent", attempts=row.attempts + 1, sent_at=books.now) if row.id in sent else row
                for row in job.deliveries
            ]

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
            entries = recording.entries([job for job in jobs if job.claim.process_id in held], books.now)
            recording.write(books, entries)
            self._tell_breaker(books, answered=entries.answered, failed=entries.failed)
            advance_processes(books, shop.loader, books.processes.load(held), shop.holder)
            books.processes.release(claims.values())
        self._report.outcomes += entries.outcomes
        self._lost(jobs, held)

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


def _later(claim: Claim, step: str, until: datetime | None) -> list[StepChange]:
    return [
        StepChange(claim.process_id, step, own.item, "retrying" if until else "ready", ready_at=until)
        for own in claim.steps
    ]


def _superseded(row: Delivery) -> Setback:
    return Setback(row.id, SUPERSEDED, "Superseded:-:-:")


def _doubt(row: Delivery) -> str:
    return f"{row.operation} of {row.reference} in {row.role} was sent and not answered"
