"""One switch per system: after several failures in a row it is left alone for a while, then tried with one call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from throughline.ledger.session import Session

FAILURES = 5
"""So many failures in a row open the breaker."""
SECONDS = 5.0
"""How long it stays open the first time; each failed probe doubles it."""
LONGEST = 300.0
PROBE_SECONDS = 60.0
"""A probe that says nothing for so long is taken for dead, and another may go."""


@dataclass(frozen=True)
class Passage:
    """Whether a system may be called now; a `probe` is the one call that tries whether it is back."""

    allowed: bool
    probe: bool = False
    until: datetime | None = None

    def __bool__(self) -> bool:
        return self.allowed


class Breakers:
    """Whether each system may be called now."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def allow(self, role: str) -> Passage:
        """May this system be called now? After its pause exactly one caller may, as a probe."""
        now = self._session.now
        found = self._session.rows("select state, open_until, probe_until from breakers where role = %s", role)
        if not found or found[0][0] == "closed":
            return Passage(True)
        if self._session.run(_PROBE, now + timedelta(seconds=PROBE_SECONDS), now, role, now, now):
            return Passage(True, probe=True)
        open_until, probe_until = found[0][1:]
        return Passage(False, until=max(open_until, probe_until or open_until))

    def failed(
        self, role: str, *, failures: int = FAILURES, seconds: float = SECONDS, longest: float = LONGEST
    ) -> Passage:
        """This system did not manage just now; answers whether it may still be called."""
        now = self._session.now
        self._session.run(_FAILED, role, now)
        self._session.run(_OPEN, now, seconds, longest, now, role, failures)
        open_until = self._session.value("select open_until from breakers where role = %s", role)
        return Passage(open_until is None, until=open_until)

    def succeeded(self, role: str) -> None:
        """This system answered: whatever was counted against it is forgotten."""
        self._session.run(_SUCCEEDED, self._session.now, role)

    def try_now(self) -> None:
        """A person says that something was mended: the next call to each system left alone is a probe."""
        self._session.run(_TRY_NOW, self._session.now, self._session.now)

    def states(self) -> dict[str, str]:
        """closed, open or half_open, per system that ever failed."""
        return dict(self._session.rows("select role, state from breakers order by role"))


_PROBE = """
update breakers set state = 'half_open', probe_until = %s, changed_at = %s
where role = %s and state <> 'closed' and open_until <= %s and (probe_until is null or probe_until <= %s)
"""

_FAILED = """
insert into breakers as b (role, state, failures, openings, changed_at) values (%s, 'closed', 1, 0, %s)
on conflict (role) do update set failures = b.failures + 1
"""

_OPEN = """
update breakers set state = 'open', openings = openings + 1, probe_until = null,
    open_until = %s + make_interval(secs => least(%s * 2.0 ^ least(openings, 30), %s)), changed_at = %s
where role = %s and (state = 'half_open' or (state = 'closed' and failures >= %s))
"""

_TRY_NOW = """
update breakers set open_until = %s, probe_until = null where state <> 'closed' and open_until > %s
"""

_SUCCEEDED = """
update breakers set state = 'closed', failures = 0, openings = 0, open_until = null, probe_until = null, changed_at = %s
where role = %s and (state <> 'closed' or failures > 0)
"""
