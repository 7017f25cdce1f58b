"""The only place where a write is really made: concurrently between documents, in order within one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from throughline.connectors.contract import Carried, Connector
from throughline.errors import InDoubt, Invalid, Misconfigured, RateLimited, Rejected, ThroughlineError, Transient
from throughline.ledger.work_entries import Delivery
from throughline.process.delivery_jobs import Job, Result

T = TypeVar("T")


@dataclass
class Brake:
    """Pulled when the system said no to everybody: what has not been called yet waits for another time."""

    pulled: ThroughlineError | None = None


class Caller:
    """Makes the calls of one step, at most so many at once, none after the lease is over."""

    def __init__(self, connector: Connector, *, turns: asyncio.Semaphore, deadline: float, brake: Brake) -> None:
        self._connector, self._turns, self._deadline, self._brake = connector, turns, deadline, brake

    async def find(self, delivery: Delivery) -> Carried | ThroughlineError | None:
        """Whether the target has the document of a write nobody answered; an error when it could not say."""
        try:
            async with self._turns:
                return await self._in_time(self._connector.find(delivery.document, delivery.reference))
        except ThroughlineError as error:
            self._brake_for(error)
            return error
        except Exception as error:  # noqa: BLE001 - a search changes nothing, so it may simply be repeated
            return Transient(f"looking for {delivery.reference} failed: {error!r}", system=delivery.role)

    async def carry_out(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Make the writes of one process one after the other; the first failure of an instance stops the rest of it."""
        for job in jobs:
            stopped: ThroughlineError | None = None
            decided = {result.delivery.id for result in job.results}
            for delivery in job.deliveries:
                if delivery.id in decided or delivery.state != "sent":
                    continue
                job.results.append(await self._one(delivery, stopped))
                stopped = stopped or _stops(job.results[-1])
        return jobs

    async def _one(self, delivery: Delivery, stopped: ThroughlineError | None) -> Result:
        async with self._turns:
            held = stopped or self._brake.pulled
            if held is not None:
                return Result(delivery, "untouched", held)
            if asyncio.get_running_loop().time() >= self._deadline:
                return Result(delivery, "untouched", Transient("the lease ran out before the call was made"))
            return await self._send(delivery)

    async def _send(self, delivery: Delivery) -> Result:
        call = self._connector.send(
            delivery.document, delivery.operation, delivery.request,
            reference=delivery.reference, key=delivery.effect_key,
        )  # fmt: skip
        try:
            return Result(delivery, "confirmed", carried=await self._in_time(call))
        except (Rejected, Invalid) as error:
            return Result(delivery, "rejected", error)
        except (Transient, Misconfigured) as error:
            self._brake_for(error)
            return Result(delivery, "transient", error)
        except InDoubt as error:
            return Result(delivery, "doubt", error)
        except Exception as error:  # noqa: BLE001 - whatever broke, the call may have been carried out
            said = f"{delivery.role} gave no answer that could be understood: {type(error).__name__}: {error}"
            return Result(delivery, "doubt", InDoubt(said, system=delivery.role, code=type(error).__name__))

    def _brake_for(self, error: ThroughlineError) -> None:
        if isinstance(error, RateLimited | Misconfigured):
            self._brake.pulled = self._brake.pulled or error

    async def _in_time(self, call: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await call
        except TimeoutError as error:
            raise InDoubt("the call outlasted the lease") from error


async def in_small_batches(
    calls: Sequence[Awaitable[Sequence[Job]]], *, size: int, linger: float
) -> AsyncIterator[list[Job]]:  # fmt: skip
    """Finished jobs a few at a time, so that recording them neither waits for the slowest nor happens one by one."""
    waiting = {asyncio.ensure_future(call) for call in calls}
    done: list[Job] = []
    while waiting:
        finished, waiting = await asyncio.wait(
            waiting, timeout=linger if done else None, return_when=asyncio.FIRST_COMPLETED
        )
        done += [job for task in finished for job in task.result()]
        if done and (len(done) >= size or not finished or not waiting):
            yield done
            done = []


def _stops(result: Result) -> ThroughlineError | None:
    return result.error if result.kind != "confirmed" else None
