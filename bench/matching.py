"""The match engine: 10,000 to 100,000 invoice lines against as many order and receipt lines, each by itself."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from throughline.canonical import (
    CanonicalDocument,
    Item,
    Money,
    PurchaseInvoice,
    PurchaseOrder,
    PurchaseReceipt,
    Quantity,
    Supplier,
)
from throughline.rules.matching import State, load_policy, match

ROOT = Path(__file__).parents[1]
SIZES = (10_000, 30_000, 100_000)
LINES = 5
SUPPLIERS = 200
GOAL_SECONDS = 30
FIRST = date(2026, 1, 5)
CENT = Decimal("0.01")


def documents(lines: int) -> Iterator[CanonicalDocument]:
    """Orders of five lines, a receipt and an invoice each; some dear, some short, some sent twice."""
    dice = random.Random(lines)
    for number in range(SUPPLIERS):
        yield Supplier(number=f"S{number}", name=f"S{number}", group=f"G{number // 4}", bank_account="1")
    for number in range(500):
        yield Item(number=f"RM{number}", name="raw", unit="kg", factors={"roll": Decimal(25)})
    for number in range(lines // LINES):
        yield from _purchase(number, dice)


def _purchase(number: int, dice: random.Random) -> Iterator[CanonicalDocument]:
    supplier, ordered_on = f"supplier:erp:S{number % SUPPLIERS}", FIRST + timedelta(days=number % 180)
    rows = [
        (
            str(at),
            f"item:erp:RM{dice.randrange(500)}",
            Decimal(dice.randrange(1, 400)),
            Decimal(dice.randrange(100, 9999)) / 100,
        )
        for at in range(1, LINES + 1)
    ]
    order = f"purchase_order:erp:PO{number}"
    yield PurchaseOrder(
        number=f"PO{number}", supplier=supplier, ordered_on=ordered_on,
        lines=[{"line": line, "item": item, "quantity": _kg(count), "unit_price": _cny(price), "tax_rate": 13}
               for line, item, count, price in rows],
    )  # fmt: skip
    short = int(number % 50 == 7)
    yield PurchaseReceipt(
        number=f"GR{number}", received_on=ordered_on + timedelta(days=10),
        lines=[{"line": line, "order_line": f"{order}#{line}", "item": item, "quantity": _kg(count - short)}
               for line, item, count, _ in rows if count > short],
    )  # fmt: skip
    yield _invoice(number, supplier, order, rows, ordered_on + timedelta(days=20))
    if number % 1000 == 13:
        again = _invoice(number, supplier, order, rows, ordered_on + timedelta(days=22))
        yield again.model_copy(update={"number": f"B{number}", "supplier_number": f"inv {number:06d}"})


def _invoice(number: int, supplier: str, order: str, rows: list[Any], on: date) -> PurchaseInvoice:
    dear = Decimal("1.10") if number % 100 == 3 else Decimal(1)
    lines, net = [], Decimal(0)
    for line, item, count, price in rows:
        charged = (price * dear).quantize(CENT, ROUND_HALF_UP)
        amount = (count * charged).quantize(CENT, ROUND_HALF_UP)
        net += amount
        lines.append({"line": line, "order_line": f"{order}#{line}", "item": item, "quantity": _kg(count),
                      "unit_price": _cny(charged), "amount": _cny(amount), "tax_rate": 13})  # fmt: skip
    tax = (net * 13 / 100).quantize(CENT, ROUND_HALF_UP)
    return PurchaseInvoice(
        number=f"A{number}", supplier_number=f"INV-{number:06d}", supplier=supplier, invoiced_on=on,
        net=_cny(net), tax=_cny(tax), gross=_cny(net + tax), lines=lines,
    )  # fmt: skip


def _kg(value: Decimal) -> Quantity:
    return Quantity(value=value, unit="kg")


def _cny(amount: Decimal) -> Money:
    return Money(amount=amount, currency="CNY")


def measure(lines: int) -> None:
    """Match one size in this process and print seconds, CPU seconds, memory before and after, and the verdicts."""
    policy = load_policy(ROOT / "include" / "matching" / "policy.yaml")
    papers = list(documents(lines))
    random.Random(1).shuffle(papers)
    before, start, cpu = _megabytes(), time.perf_counter(), time.process_time()
    outcome = match(papers, policy, as_of=date(2026, 12, 31))
    wall, used = time.perf_counter() - start, time.process_time() - cpu
    states = {state: sum(verdict.state is state for verdict in outcome) for state in State}
    assert states[State.CLEAN] > lines // LINES * 0.9
    assert states[State.DUPLICATE_SUSPECTED] >= lines // LINES // 1000
    told = ", ".join(f"{count:,} {state}" for state, count in states.items() if count)
    print(f"{wall} {used} {before} {_megabytes()} {told}")


def _megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Print a line for each size, and how the cost of a line grows (goal: 100,000 lines below 30 s, no growth)."""
    costs = []
    for lines in SIZES:
        done = subprocess.run(
            [sys.executable, "-m", "bench.matching", str(lines)], cwd=ROOT, capture_output=True, text=True, check=True
        )
        wall, used, before, after, told = done.stdout.strip().split(" ", 4)
        costs.append(float(used) / lines)
        print(f"  {lines:>7,} invoice lines {float(wall):6.2f} s  {float(used):6.2f} CPU s  "
              f"{costs[-1] * 1e6:5.0f} µs a line  "
              f"{int(after) - int(before):>5} MB on top of {before} MB of documents  {told}")  # fmt: skip
    goal = "kept" if costs[-1] * SIZES[-1] < GOAL_SECONDS else "MISSED"
    print(f"  a line costs {costs[-1] / costs[0]:.2f} times as much with {SIZES[-1]:,} as with {SIZES[0]:,};"
          f" goal of {GOAL_SECONDS} CPU s {goal}")  # fmt: skip


if __name__ == "__main__":
    measure(int(sys.argv[1])) if len(sys.argv) > 1 else main()
