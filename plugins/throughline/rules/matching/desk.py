"""What every step of a match looks things up in: the papers, the tables, the rates, today, and what people accepted."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date

from throughline.canonical import MatchRelease
from throughline.rules.matching.measures import RateBook
from throughline.rules.matching.papers import Papers
from throughline.rules.matching.policy import Policy
from throughline.rules.matching.reasons import CODES, Reason, State
from throughline.rules.matching.terms import TermsBook


@dataclass
class Desk:
    """The surroundings of one match."""

    papers: Papers
    policy: Policy
    as_of: date
    terms: TermsBook = field(init=False)
    rates: RateBook = field(init=False)
    releases: dict[str, dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.terms = TermsBook(self.policy)
        self.rates = RateBook(self.papers, self.policy.rate_age_days)
        self.releases = defaultdict(dict)
        for _, release in self.papers.all(MatchRelease):
            if release.status == "released":
                self.releases[release.invoice][release.fingerprint] = release.released_by

    def settle(self, found: Reason) -> Reason:
        """The reason as the plant wants it: its owners, its weight, and whether a person accepted it."""
        owners = self.policy.owners.get(found.code)
        if owners is not None and found.owners:
            found = replace(found, owners=tuple(owners))
        holds = self.policy.holds.get(found.code)  # type: ignore[call-overload]
        if holds is not None:
            found = replace(found, state=State.EXCEPTION if holds else State.CLEAN)
        person = self.releases.get(found.about, {}).get(found.fingerprint) if found.about in self.releases else None
        if person and CODES[found.code].releasable and found.state is not State.CLEAN:
            return found.accepted(person)
        return found
