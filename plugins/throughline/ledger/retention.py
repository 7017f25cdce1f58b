"""How long contents are kept: months go whole, hashes and histories stay, and so does what somebody still needs.

A document whose contents are gone is still recognised when it is told again, because the hash of every content it ever
had stays; so does the number of every message that was ever pushed to us.
"""

from __future__ import annotations

from datetime import datetime

from throughline.ledger.session import Session


class Retention:
    """Contents and messages that are old enough to go."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def drop_contents(self, before: datetime) -> list[str]:
        """Drop the months that ended before this moment, and what older strays lie outside of any month.

        Kept are contents that are not understood yet and those of documents still on their way. Answers which months.
        """
        first = before.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        months = [row[0] for row in self._session.rows(_MONTHS, f"payloads_{first:%Y_%m}")]
        for month in months:
            self._session.run("select drop_payload_month(%s)", month)
        self._session.run(_STRAYS, first)
        return months

    def empty_messages(self, before: datetime) -> int:
        """Take the bodies of messages read before this moment; those nothing could be made of keep theirs."""
        return self._session.run(_EMPTY, before)


_MONTHS = """
select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = 'payloads'::regclass and c.relname ~ '^payloads_\\d{4}_\\d{2}$' and c.relname < %s
order by c.relname
"""

_STRAYS = "delete from payloads_default where captured_at < %s and not content_is_needed(version_id)"

_EMPTY = """
update inbox set body = ''::bytea, headers = '{}'
where read_at < %s and octet_length(body) > 0 and problem is null
"""
