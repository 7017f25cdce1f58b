"""The registry of names: which id in which system is which document or line of ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from throughline.ledger.entries import Identity, IdentityConflict
from throughline.ledger.exact_json import dumps
from throughline.ledger.session import Session, as_rows, batches


class Identities:
    """The same thing, different keys, for documents and for their lines."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def register(self, identities: Sequence[Identity]) -> list[IdentityConflict]:
        """Write down who is who; what waited for one of these goes on after this transaction.

        An id registered for something else already keeps its meaning and comes back as a conflict to be parked.
        """
        wishes = {(entry.role, entry.kind, entry.their_id): entry for entry in reversed(identities)}
        for portion in batches(list(wishes.values())):
            self._session.run(_REGISTER, self._session.now, as_rows(map(_as_row, portion)))
        for entry in wishes.values():
            self._session.names.update(awaited_names(entry))
        held = self.canonical_of(wishes)
        return [
            IdentityConflict(entry, held[entry.role, entry.kind, entry.their_id])
            for entry in identities
            if held[entry.role, entry.kind, entry.their_id] != entry.canonical_id
        ]

    def canonical(self, role: str, kind: str, their_id: str) -> str | None:
        """Our name of something a system calls `their_id`."""
        return self.canonical_of([(role, kind, their_id)]).get((role, kind, their_id))

    def canonical_of(self, keys: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
        """Our names of many things at once, by (role, kind, their id); unknown ones are absent."""
        rows = as_rows({"r": role, "k": kind, "t": their_id} for role, kind, their_id in keys)
        return {(r, k, t): canonical_id for r, k, t, canonical_id in self._session.rows(_CANONICAL, rows)}

    def theirs(self, role: str, canonical_id: str, kind: str) -> str | None:
        """What a system calls this document or line of ours."""
        return self.theirs_of([(role, canonical_id, kind)]).get((role, canonical_id, kind))

    def theirs_of(self, keys: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
        """What systems call many things of ours, by (role, canonical id, kind); the latest registration counts."""
        rows = as_rows({"r": role, "c": canonical_id, "k": kind} for role, canonical_id, kind in keys)
        return {(r, c, k): their_id for r, c, k, their_id in self._session.rows(_THEIRS, rows)}

    def all_of(self, canonical_ids: str | Iterable[str]) -> list[Identity]:
        """Every name these documents (or lines) have anywhere."""
        wanted = [canonical_ids] if isinstance(canonical_ids, str) else list(canonical_ids)
        return self._session.entries(Identity, _ALL_OF, wanted)

    def search(self, number: str) -> list[Identity]:
        """Everything that carries this number, id or canonical id, in whatever system."""
        return self._session.entries(Identity, _SEARCH, *[number] * 6)

    def known(self, names: Iterable[str]) -> set[str]:
        """Which of these awaited names are registered, whether or not what they name is complete."""
        return {row[0] for row in self._session.rows(_KNOWN, list(names))}

    def wake(self, names: Iterable[str] | None = None) -> int:
        """Let go on what waits for something that is known by now (among `names`, or at all). Answers how many.

        Done by itself after each transaction that registered or began to wait; calling it for everything now and then
        covers a worker that died between the two.
        """
        wanted = None if names is None else dumps(list(names))
        versions = steps = 0
        if self._session.value(_VERSION_WAITS):
            versions = self._session.run(_WAKE_VERSIONS, wanted, wanted)
        if self._session.value(_STEP_WAITS):
            steps = self._session.run(_WAKE_STEPS, wanted, wanted, self._session.now)
        self._session.news |= ({"versions"} if versions else set()) | ({"work"} if steps else set())
        return versions + steps


def awaited_names(identity: Identity) -> tuple[str, str]:
    """The two ways in which something may wait for this identity: by their id, or by our id in their system."""
    return (
        f"{identity.role}/{identity.kind}/{identity.their_id}",
        f"{identity.canonical_id}@{identity.role}",
    )


def _as_row(entry: Identity) -> dict[str, str | None]:
    return {"r": entry.role, "k": entry.kind, "t": entry.their_id, "c": entry.canonical_id, "n": entry.number}


_REGISTER = """
insert into identities as i (role, kind, their_id, canonical_id, number, registered_at)
select r, k, t, c, n, %s from jsonb_to_recordset(%s::jsonb) as x(r text, k text, t text, c text, n text)
order by r, k, t
on conflict (role, kind, their_id) do update set number = excluded.number
where i.canonical_id = excluded.canonical_id and excluded.number is not null
    and i.number is distinct from excluded.number
"""

_CANONICAL = """
select i.role, i.kind, i.their_id, i.canonical_id from jsonb_to_recordset(%s::jsonb) as x(r text, k text, t text)
join identities i on i.role = x.r and i.kind = x.k and i.their_id = x.t
"""

_THEIRS = """
select distinct on (i.role, i.canonical_id, i.kind) i.role, i.canonical_id, i.kind, i.their_id
from jsonb_to_recordset(%s::jsonb) as x(r text, c text, k text)
join identities i on i.canonical_id = x.c and i.role = x.r and i.kind = x.k
order by i.role, i.canonical_id, i.kind, i.registered_at desc, i.their_id desc
"""

_ALL_OF = """
select role, kind, their_id, canonical_id, number from identities where canonical_id = any(%s)
order by canonical_id, role, kind, registered_at
"""

_SEARCH = """
with hits as (
    select role, kind, their_id, canonical_id, number from identities where number = %s
    union select role, kind, their_id, canonical_id, number from identities where their_id = %s
    union select role, kind, their_id, canonical_id, number from identities where canonical_id = %s
    union select role, document, their_id, canonical_id, number from source_records
        where canonical_id is not null and (number = %s or their_id = %s or canonical_id = %s)
)
select * from hits order by canonical_id, role, kind, their_id
"""


_KNOWN = "select name from unnest(%s::text[]) as n(name) where is_known(name)"

_VERSION_WAITS = "select true from record_versions where state = 'waiting' order by awaited limit 1"

_STEP_WAITS = "select true from steps where state = 'waiting_for' order by awaited limit 1"

_WAKE_VERSIONS = """
with known as (
    select id from record_versions
    where state = 'waiting' and is_known(awaited)
        and (%s::text is null or awaited in (select jsonb_array_elements_text(%s::jsonb)))
    order by id for update
)
update record_versions v set state = 'pending', awaited = null, reason = null, signature = null
from known where v.id = known.id
"""

_WAKE_STEPS = """
with known as (
    select id from steps
    where state = 'waiting_for' and is_known(awaited)
        and (%s::text is null or awaited in (select jsonb_array_elements_text(%s::jsonb)))
    order by process_id, step, item for update
)
update steps s set state = 'ready', ready_at = %s, awaited = null, error = null, signature = null
from known where s.id = known.id
"""
