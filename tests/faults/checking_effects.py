"""Nothing lost, nothing twice, nothing backwards: counted at the targets, by business number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tests.faults.checking_case import Case, Entry


def nothing_is_lost(case: Case) -> Iterator[str]:
    """I1: whatever was committed in a source shows where it must show, or somebody is told why not."""
    for number in case.orders:
        yield from _order_arrived(case, number)
    if case.whole_way:
        yield from _goods_arrived(case)


def _order_arrived(case: Case, number: str) -> Iterator[str]:
    created = _references(case, "erp", "sales_order")
    if number in created:
        heard = f"{number}-accepted" in _references(case, "crm", "order_update")
        if not (heard or case.was_cancelled(number) or case.stopped(number)):
            yield f"sales never heard that {number} was accepted"
    elif not (case.was_cancelled(number) or case.stopped(number) or case.explained(number)):
        yield f"order {number} never reached the ERP, and nobody is told"


def _goods_arrived(case: Case) -> Iterator[str]:
    wanted = [("wms", "receipt_notice", f"RN-{report['no']}", report["no"]) for report in _good_reports(case)]
    wanted += [("erp", "receipt", number, number) for number in case.told("confirmASNData")]
    for number in case.shipments:
        wanted += [("erp", "shipment", number, number), ("crm", "shipment", number, number),
                   ("mail", "notice", f"{number}-notice", number)]  # fmt: skip
    wanted += [("mes", "work_order", body["no"], body["no"]) for body in _work_orders(case)]
    for role, kind, reference, number in wanted:
        if reference in _references(case, role, kind) or case.explained(number):
            continue
        if not _of_an_order_that_ended(case, number):
            yield f"{kind} {reference} never reached {role}, and nobody is told"


def _references(case: Case, role: str, kind: str) -> set[str]:
    return {effect["reference"] for effect in case.effects_of(role, kind, "create")}


def _good_reports(case: Case) -> list[Entry]:
    bodies = {e["body"]["no"]: e["body"] for e in case.commits("mes", "production_report")}
    return [body for body in bodies.values() if Decimal(str(body["good"])) > 0]


def _work_orders(case: Case) -> list[Entry]:
    return list({e["body"]["no"]: e["body"] for e in case.commits("erp", "work_order")}.values())


def _of_an_order_that_ended(case: Case, number: str) -> bool:
    """Whether it belongs to an order that was cancelled, or whose process has stopped with a reason."""
    for order in case.orders:
        process = case.process(order)
        own = f"OB-{order}-" in number or any(
            effect["reference"] == order
            and f"-{effect['id'].rsplit('-', 1)[-1].zfill(5)}" in number.replace("ERP", "-")
            for effect in case.effects_of("erp", "sales_order", "create")
        )
        if own and (case.was_cancelled(order) or case.stopped(order) or process is None):
            return True
    return False


def what_was_accepted_is_kept(case: Case) -> Iterator[str]:
    """I1: whoever heard "we have it" finds it in the inbox."""
    kept = Counter((row["message_kind"], number) for row in case.ledger["inbox"] for number in _numbers(row))
    for entry in case.history:
        if entry["what"] == "is answered" and entry["accepted"] and not kept[entry["method"], entry["number"]]:
            yield f"{entry['method']} {entry['number']} was accepted and is nowhere"


def _numbers(row: Entry) -> list[str]:
    head = str(row["message_id"]).split(":")
    return head[1:2]


def nothing_twice(case: Case) -> Iterator[str]:
    """I2: one business number, one effect; a change at most once for each revision."""
    created = Counter((e["who"], e["kind"], e["reference"]) for e in case.effects if e["operation"] == "create")
    for (role, kind, reference), times in created.items():
        if times > 1:
            yield f"{kind} {reference} took effect {times} times in {role}"
    changed = Counter(
        (e["who"], e["kind"], e["operation"], e["reference"]) for e in case.effects if e["operation"] != "create"
    )
    for (role, kind, operation, reference), times in changed.items():
        order = reference.removeprefix("OB-")
        if order in case.orders and times > len(case.orders[order]) - 1:
            yield f"{operation} of {kind} {reference} took effect {times} times in {role}"


def never_backwards(case: Case) -> Iterator[str]:
    """I3: what the ERP is told of an order follows the order's own revisions; news to sales never goes back."""
    for number, revisions in case.orders.items():
        at = 0
        for effect in case.effects_of("erp", "sales_order"):
            if effect["reference"] != number or effect["operation"] == "cancel":
                continue
            fits = [n for n, body in enumerate(revisions) if substance(body) == substance_of_erp(effect["data"])]
            later = [n for n in fits if n >= at]
            if fits and not later:
                yield f"the ERP's {number} went back from revision {at + 1} to {max(fits) + 1}"
            at = later[0] if later else at
    yield from _news_in_order(case)


def _news_in_order(case: Case) -> Iterator[str]:
    over: set[str] = set()
    for effect in case.effects_of("crm", "order_update", "create"):
        order, status = effect["data"]["order"], effect["data"]["status"]
        if order in over and status != "closed":  # a change refused after the end is answered, and says closed again
            yield f"sales heard '{status}' of {order} after it was closed"
        if effect["reference"].endswith("-closed"):
            over.add(order)


def substance(body: Entry) -> Any:
    """What of an order's revision the ERP must have."""
    lines = tuple(
        (
            str(line["no"]),
            line["item"].split("-i-")[1],
            Decimal(str(line["qty"])),
            line["unit"],
            Decimal(str(line["price"])),
        )
        for line in body["lines"]
    )
    return lines, body["wanted"], tuple(sorted(body["ship"].items()))


def substance_of_erp(data: Entry) -> Any:
    """The same, as the ERP has it."""
    lines = tuple(
        (
            str(line["ref"]),
            line["item"].split("-i-")[1],
            Decimal(str(line["qty"])),
            line["unit"],
            Decimal(str(line["price"])),
        )
        for line in data["lines"]
    )
    return lines, data["wanted"], tuple(sorted((data.get("ship") or {}).items()))
