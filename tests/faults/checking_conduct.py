"""How the hub behaved on the way: whom it made wait, whom it pressed, whether it broke, how long it took to recover."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.checking_case import Case

SOON = 60.0
"""Without any trouble an order is in the ERP after so many seconds."""
RECOVERY = 2400.0
"""After the last trouble (and the last act of a person) everything is at rest within so many seconds."""


def the_hub_did_not_break(case: Case) -> Iterator[str]:
    """I6: nothing happened inside the hub that it has no name for."""
    for sentence in dict.fromkeys(case.broken):
        yield f"the hub broke: {sentence}"


def nobody_waits_for_poison(case: Case) -> Iterator[str]:
    """I9: a record nobody can read is parked alone; without other trouble its neighbours are as quick as ever."""
    poisoned = [e for e in case.commits("crm", "sales_order") if e["body"]["no"] == "SO-POISON"]
    if poisoned and not case.explained("SO-POISON", "crm-o-poison"):
        yield "the poisoned order is not parked"
    if not case.calm:
        return
    for number in case.orders:
        first = case.orders[number][0]
        seen = next(e["visible"] for e in case.commits("crm", "sales_order") if e["body"]["no"] == number)
        done = next((e["t"] for e in case.effects_of("erp", "sales_order") if e["reference"] == number), None)
        if done is not None and done - seen > SOON and first["status"] == "confirmed":
            yield f"{number} reached the ERP {done - seen:.0f} s after it was there to see, although nothing was wrong"


def who_asked_for_a_pause_gets_it(case: Case) -> Iterator[str]:
    """I9: after "too many requests, come back in n seconds" the same call does not come earlier."""
    until: dict[str, float] = {}
    for entry in case.history:
        if entry["what"] == "asks to wait":
            until[entry["about"]] = entry["t"] + entry["seconds"]
        elif entry["what"] == "calls" and entry["t"] < until.get(entry["about"], 0.0) - 0.05 and not case.jumped:
            yield f"{entry['about']} was called again {until[entry['about']] - entry['t']:.1f} s too early"


def it_recovers_in_time(case: Case) -> Iterator[str]:
    """I10: once the trouble is over, everything comes to rest within the stated time."""
    if not case.quiet:
        yield "it never came to rest"
        return
    last = case.storm_ended
    for entry in case.history:
        if entry["what"] in ("commits", "tells", "lets go on", "is down"):
            last = max(last, entry["t"], entry.get("until", 0.0), entry.get("visible", 0.0))
        if entry["what"] == "effect" and entry["t"] - last > RECOVERY + case.jumped:
            yield f"{entry['kind']} {entry['reference']} took effect {entry['t'] - last:.0f} s after the last trouble"
            return
        if entry["what"] == "effect":
            last = max(last, min(entry["t"], last + 1))
