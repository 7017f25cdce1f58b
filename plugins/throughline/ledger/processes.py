"""Processes: one row per flow and business document, with its steps and the documents that belong to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from throughline.ledger.entries import CurrentDocument
from throughline.ledger.leases import Leases
from throughline.ledger.records import CURRENT
from throughline.ledger.session import as_rows, batches
from throughline.ledger.steps import STEPS_OF, Steps
from throughline.ledger.work_entries import (
    Changes,
    Link,
    ProcessChange,
    ProcessRow,
    ProcessState,
    Start,
    Started,
    StepRow,
)


class Processes(Leases):
    """Where every document's way through its flow stands."""

    def start(self, starts: Sequence[Start]) -> list[Started]:
        """Begin a process per wish; a wish whose (flow, key) runs already answers with that one. Answers in order."""
        new: set[int] = set()
        found: dict[tuple[str, str], int] = {}
        for portion in batches(starts):
            rows = as_rows({"f": s.flow, "v": s.flow_version, "k": s.key} for s in portion)
            new.update(row[0] for row in self._session.rows(_START, self._session.now, rows))
            found.update(((flow, key), number) for number, flow, key in self._session.rows(_FIND, rows))
        subjects = [
            Link(number, s.key, s.key.partition(":")[0], s.role)
            for s in starts if s.role and (number := found[s.flow, s.key]) in new
        ]  # fmt: skip
        self.link(subjects)
        answers = []
        for s in starts:
            number = found[s.flow, s.key]
            answers.append(Started(number, s.flow, s.key, number in new))
            new.discard(number)
        return answers

    def load(self, process_ids: Iterable[int]) -> list[ProcessState]:
        """Processes with their steps and documents, in a constant number of questions."""
        wanted = list(process_ids)
        steps, links = defaultdict(list), defaultdict(list)
        for step in self._session.entries(StepRow, STEPS_OF, wanted):
            steps[step.process_id].append(step)
        for link in self._session.entries(Link, _LINKS, wanted):
            links[link.process_id].append(link)
        documents: dict[str, list[CurrentDocument]] = defaultdict(list)
        named = list({link.canonical_id for several in links.values() for link in several})
        for document in self._session.entries(CurrentDocument, CURRENT, named, None, None) if named else []:
            documents[document.canonical_id].append(document)
        states = []
        for row in self._session.entries(ProcessRow, _PROCESSES, wanted):
            own = dict.fromkeys(link.canonical_id for link in links[row.id])
            told = tuple(document for name in own for document in documents[name])
            states.append(ProcessState(row, tuple(steps[row.id]), tuple(links[row.id]), told))
        return states

    def apply(self, changes: Changes) -> None:
        """Write what `advance` decided: documents linked, step instances new or changed, processes ended."""
        self.link(changes.links)
        Steps(self._session).change(changes.steps)
        for portion in batches(changes.processes):
            self._change(portion)

    def link(self, links: Sequence[Link]) -> None:
        """Say that these documents belong to these processes."""
        for portion in batches(links):
            rows = as_rows({"p": e.process_id, "c": e.canonical_id, "k": e.kind, "r": e.role} for e in portion)
            self._session.run(_LINK, self._session.now, rows)

    def of(self, canonical_ids: Iterable[str]) -> dict[str, list[int]]:
        """Which processes each of these documents belongs to."""
        belongs: dict[str, list[int]] = defaultdict(list)
        for canonical_id, process_id in self._session.rows(_OF, list(canonical_ids)):
            belongs[canonical_id].append(process_id)
        return dict(belongs)

    def list(
        self, *, flow: str | None = None, state: str | None = None, keys: Sequence[str] | None = None, limit: int = 200
    ) -> list[ProcessState]:
        """The newest processes with their steps and documents, for people."""
        wanted = None if keys is None else [*keys]
        ids = [row[0] for row in self._session.rows(_LIST, flow, flow, state, state, wanted, wanted, limit)]
        return self.load(ids)[::-1]

    def _change(self, portion: Sequence[ProcessChange]) -> None:
        rows = as_rows({"id": change.process_id, "s": change.state} for change in portion)
        self._session.run(_CHANGE, self._session.now, rows)


_START = """
insert into processes (flow, flow_version, key, started_at)
select f, v, k, %s from jsonb_to_recordset(%s::jsonb) as x(f text, v text, k text) order by f, k
on conflict do nothing returning id
"""

_FIND = """
select p.id, p.flow, p.key from jsonb_to_recordset(%s::jsonb) as x(f text, k text)
join processes p on p.flow = x.f and p.key = x.k
"""

_PROCESSES = "select * from processes where id = any(%s) order by id"


_LINKS = """
select process_id, canonical_id, kind, role from process_documents where process_id = any(%s)
order by process_id, linked_at, canonical_id, role
"""

_LINK = """
insert into process_documents (process_id, canonical_id, kind, role, linked_at)
select p, c, k, r, %s from jsonb_to_recordset(%s::jsonb) as x(p bigint, c text, k text, r text) order by p, c, r
on conflict do nothing
"""

_OF = "select canonical_id, process_id from process_documents where canonical_id = any(%s) group by 1, 2 order by 2"

_LIST = """
select id from processes
where (%s::text is null or flow = %s) and (%s::text is null or state = %s) and (%s::text[] is null or key = any(%s))
order by id desc limit %s
"""

_CHANGE = """
update processes p set state = x.s,
    finished_at = case when x.s in ('finished', 'cancelled') then greatest(%s, p.started_at) end
from jsonb_to_recordset(%s::jsonb) as x(id bigint, s text) where p.id = x.id
"""
