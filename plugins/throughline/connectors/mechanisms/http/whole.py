"""Reads everything a product has of one kind, and single records again (fence W3)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from throughline.connectors.contract import Captured, WholePage
from throughline.connectors.mechanisms.http.declared_objects import Again
from throughline.connectors.mechanisms.http.paging import Pager
from throughline.connectors.mechanisms.http.polling import Poller
from throughline.connectors.mechanisms.http.stamps import EPOCH
from throughline.connectors.mechanisms.http.talk import Talk

AHEAD = timedelta(days=1)
"""A closed window reaches so far into the future that no row leaves it by being changed while it is read."""


@dataclass(frozen=True)
class WholeReader:
    """Everything of one kind: the poll's own question without its cursor."""

    poller: Poller
    again: Again | None
    single: Pager | None

    async def pages(self, talk: Talk, place: Mapping[str, Any] | None) -> AsyncIterator[WholePage]:
        """Every record there is; behind `place` where keyset paging can go on there."""
        totals: set[int | None] = set()
        poller, keyset = self.poller, self.poller.poll.paging.kind == "keyset"
        since, until = poller.write_stamp(EPOCH), poller.write_stamp(talk.wire.clock() + AHEAD)
        scope = talk.wire.scope(since=since, until=until)
        async for page in poller.pager.walk(talk, scope, since if poller.by_stamp else None, place if keyset else None):
            totals.add(page.total)
            records = await poller.captured(talk, page)
            yield WholePage(records, page.place, complete=len(totals) == 1, total=page.total)

    async def these(self, talk: Talk, their_ids: Sequence[str]) -> dict[str, Captured] | None:
        """Those of these records that are there; None where the profile does not say how to ask."""
        if self.again is None or self.single is None:
            return None
        found: dict[str, Captured] = {}
        for first in range(0, len(their_ids), self.again.at_most):
            wanted: list[Any] = list(their_ids[first : first + self.again.at_most])
            scope = talk.wire.scope(their_ids=[int(each) for each in wanted] if self.again.ids == "number" else wanted)
            async for page in self.single.walk(talk, scope):
                found |= {record.their_id: record for record in await self.poller.captured(talk, page)}
        return found
