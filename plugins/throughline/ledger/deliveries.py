"""Writes into other systems: each is a row before it is a call, with a key that names its effect once and for all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from throughline.ledger.exact_json import dumps, hash_of, loads
from throughline.ledger.session import Session, as_rows
from throughline.ledger.work_entries import Confirmation, Delivery, Intended, Intent, Setback


class Deliveries:
    """What we meant to write, whether it was sent, and how it ended.

    A row is `sent` from before the call: one left `intended` was surely never carried out, one left `sent` by a dead
    worker may have been. Call `processes.hold` in the same transaction before writing here.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def intend(self, intents: Sequence[Intent], *, sending: bool = False) -> list[Intended]:
        """Write down what is to be written where; the same effect key answers with the row there is. In order.

        A row that was surely not carried out (intended or rejected) takes the new content; any other keeps its own and
        says `differs`. With `sending`, rows that are intended and whose time has come are marked sent at once.
        """
        texts = {intent.effect_key: dumps(intent.request) for intent in intents}
        digests = {key: hash_of(text) for key, text in texts.items()}
        rows = as_rows({**_as_row(intent), "digest": digests[intent.effect_key]} for intent in intents)
        now = self._session.now
        new = dict(self._session.rows(_INSERT, now, now, rows, sending))
        if len(new) == len(intents):
            return [
                Intended(
                    _as_written(intent, new[intent.effect_key], texts[intent.effect_key], now, sending), True, False
                )
                for intent in intents
            ]
        self._again(rows, [key for key in digests if key not in new], sending)
        known = {delivery.effect_key: delivery for delivery in self.by_keys(digests)}
        keys = [intent.effect_key for intent in intents]
        return [Intended(known[key], key in new, known[key].digest != digests[key]) for key in keys]

    def sent(self, delivery_ids: Iterable[int]) -> set[int]:
        """These calls are about to be made (again): commit this before calling. Answers which may go."""
        return self._moved(_SENT, self._session.now, list(delivery_ids))

    def confirmed(self, confirmations: Sequence[Confirmation]) -> set[int]:
        """The target said yes. Answers which rows that settled; settled ones stay as they are."""
        return self._settle("confirmed", confirmations)

    def resolved(self, confirmations: Sequence[Confirmation]) -> set[int]:
        """A doubt ended well: the document was found at the target (or a person said so)."""
        return self._settle("resolved", confirmations)

    def rejected(self, setbacks: Sequence[Setback]) -> set[int]:
        """The target understood and refused."""
        return self._set_back("rejected", setbacks)

    def doubt(self, setbacks: Sequence[Setback]) -> set[int]:
        """No answer came: it may have been carried out; not to be looked at before `not_before`."""
        return self._set_back("in_doubt", setbacks)

    def deferred(self, setbacks: Sequence[Setback]) -> set[int]:
        """It was surely not carried out (the target was busy, or does not know it): it may be sent again later."""
        return self._set_back("intended", setbacks)

    def decided(self, places: Iterable[tuple[int, str, str]], *, arrived: bool) -> set[int]:
        """A person looked: these doubtful writes of (process, step, item) arrived, or are to be sent again."""
        rows = as_rows({"p": process_id, "s": step, "i": item} for process_id, step, item in places)
        return self._moved(_ARRIVED, self._session.now, rows) if arrived else self._moved(_SEND_AGAIN, rows)

    def given_up(self, places: Iterable[tuple[int, str, str]]) -> set[int]:
        """Nobody wants these writes of (process, step, item) any more: what was meant and surely not sent is over."""
        rows = as_rows({"p": process_id, "s": step, "i": item} for process_id, step, item in places)
        return self._moved(_GIVEN_UP, self._session.now, rows)

    def of(self, process_ids: Iterable[int]) -> list[Delivery]:
        """Every write of these processes, oldest first."""
        return self._session.entries(Delivery, _OF, list(process_ids))

    def of_documents(self, canonical_ids: Iterable[str]) -> list[Delivery]:
        """Every write of these documents, oldest first."""
        return self._session.entries(Delivery, _OF_DOCUMENTS, list(canonical_ids))

    def by_keys(self, effect_keys: Iterable[str]) -> list[Delivery]:
        """The rows of these effects, as far as there are any."""
        return self._session.entries(Delivery, _BY_KEYS, list(effect_keys))

    def unsettled(self, role: str | None = None, limit: int = 500) -> list[Delivery]:
        """Writes that are neither done nor refused yet, oldest first."""
        return self._session.entries(Delivery, _UNSETTLED, role, role, limit)

    def _again(self, rows: str, keys: list[str], sending: bool) -> None:
        """Effects that were meant before: renew what was surely not carried out, and send what may go now."""
        self._session.run(_RENEW, rows)
        if sending:
            self._session.run(_SEND_KNOWN, self._session.now, keys, self._session.now)

    def _settle(self, state: str, confirmations: Sequence[Confirmation]) -> set[int]:
        if not confirmations:
            return set()
        rows = as_rows(
            {"id": c.delivery_id, "their_id": c.their_id, "number": c.number, "lines": c.lines, "answer": c.answer}
            for c in confirmations
        )
        return self._moved(_SETTLED, state, self._session.now, rows)

    def _set_back(self, state: str, setbacks: Sequence[Setback]) -> set[int]:
        if not setbacks:
            return set()
        rows = as_rows(
            {"id": s.delivery_id, "error": s.error, "signature": s.signature, "not_before": s.not_before,
             "uncounted": s.uncounted}
            for s in setbacks
        )  # fmt: skip
        return self._moved(_SET_BACK, state, state, self._session.now, rows)

    def _moved(self, statement: str, *parameters: Any) -> set[int]:
        return {row[0] for row in self._session.rows(statement, *parameters)}


def _as_row(intent: Intent) -> dict[str, Any]:
    return dict(vars(intent))


def _as_written(intent: Intent, number: int, text: str, now: datetime, sending: bool) -> Delivery:
    """The row this intent has just become, as reading it back would tell."""
    goes = sending and (intent.not_before is None or intent.not_before <= now)
    return Delivery(
        **{**_as_row(intent), "request": loads(text)}, id=number, digest=hash_of(text),
        state="sent" if goes else "intended", attempts=int(goes), intended_at=now, sent_at=now if goes else None,
        their_id=None, number=None, lines=None, answer=None, error=None, signature=None, settled_at=None,
    )  # fmt: skip


_INSERT = """
insert into deliveries (effect_key, process_id, step, item, epoch, role, document, operation, canonical_id, tier,
    reference, request, digest, not_before, intended_at, state, attempts, sent_at)
select effect_key, process_id, step, item, epoch, role, document, operation, canonical_id, tier,
    reference, request, digest, not_before, moment, case when go then 'sent' else 'intended' end,
    case when go then 1 else 0 end, case when go then moment end
from (
    select x.*, %s::timestamptz as moment, sending and coalesce(not_before <= %s, true) as go
    from jsonb_to_recordset(%s::jsonb) as x(effect_key text, process_id bigint, step text, item text, epoch bigint,
        role text, document text, operation text, canonical_id text, tier text, reference text, request jsonb,
        digest text, not_before timestamptz), (values (%s::boolean)) as v(sending)
) as wished
order by effect_key on conflict (effect_key) do nothing returning effect_key, id
"""

_RENEW = """
update deliveries d set state = 'intended', request = x.request, digest = x.digest, epoch = x.epoch,
    reference = x.reference, not_before = coalesce(x.not_before, d.not_before), error = null, signature = null,
    settled_at = null
from jsonb_to_recordset(%s::jsonb) as x(effect_key text, epoch bigint, reference text, request jsonb, digest text,
    not_before timestamptz)
where d.effect_key = x.effect_key and (d.state = 'rejected' or (d.state = 'intended' and d.digest <> x.digest))
"""

_SENT = """
update deliveries set state = 'sent', attempts = attempts + 1, sent_at = %s, not_before = null
where id = any(%s) and state in ('intended', 'sent', 'in_doubt') returning id
"""

_SEND_KNOWN = """
update deliveries set state = 'sent', attempts = attempts + 1, sent_at = %s, not_before = null
where effect_key = any(%s) and state = 'intended' and (not_before is null or not_before <= %s)
"""

_SETTLED = """
update deliveries d set state = %s, settled_at = %s, their_id = x.their_id, number = x.number, lines = x.lines,
    answer = x.answer, error = null, signature = null, not_before = null
from jsonb_to_recordset(%s::jsonb) as x(id bigint, their_id text, number text, lines jsonb, answer jsonb)
where d.id = x.id and d.state in ('intended', 'sent', 'in_doubt') returning d.id
"""

_SET_BACK = """
update deliveries d set state = %s, settled_at = case when %s = 'rejected' then %s::timestamptz end,
    error = x.error, signature = x.signature, not_before = x.not_before,
    attempts = case when x.uncounted then greatest(d.attempts - 1, 0) else d.attempts end
from jsonb_to_recordset(%s::jsonb)
    as x(id bigint, error text, signature text, not_before timestamptz, uncounted boolean)
where d.id = x.id and d.state in ('intended', 'sent', 'in_doubt') returning d.id
"""

_ARRIVED = """
update deliveries d set state = 'resolved', settled_at = %s, their_id = coalesce(d.their_id, d.reference), error = null,
    signature = null, not_before = null
from jsonb_to_recordset(%s::jsonb) as x(p bigint, s text, i text)
where d.process_id = x.p and d.step = x.s and d.item = x.i and d.state in ('sent', 'in_doubt') returning d.id
"""

_SEND_AGAIN = """
update deliveries d set state = 'intended', error = null, signature = null, not_before = null
from jsonb_to_recordset(%s::jsonb) as x(p bigint, s text, i text)
where d.process_id = x.p and d.step = x.s and d.item = x.i and d.state in ('sent', 'in_doubt') returning d.id
"""

_GIVEN_UP = """
update deliveries d set state = 'rejected', settled_at = %s, error = 'given up: the step was withdrawn',
    signature = 'Superseded:-:-:', not_before = null
from jsonb_to_recordset(%s::jsonb) as x(p bigint, s text, i text)
where d.process_id = x.p and d.step = x.s and d.item = x.i and d.state = 'intended' returning d.id
"""

_OF = "select * from deliveries where process_id = any(%s) order by id"
_OF_DOCUMENTS = "select * from deliveries where canonical_id = any(%s) order by id"
_BY_KEYS = "select * from deliveries where effect_key = any(%s) order by id"
_UNSETTLED = """
select * from deliveries where state in ('intended', 'sent', 'in_doubt') and (%s::text is null or role = %s)
order by role, state, id limit %s
"""
