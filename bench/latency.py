"""From "confirmed in the CRM" to "exists in the ERP", on the running platform, asked of both systems from outside."""

from __future__ import annotations

import os
import time
from statistics import median, quantiles

from bench.running import running
from include.plant.emulators.clients import CrmPeople
from include.plant.tally import Tally

ORDERS = int(os.environ.get("BENCH_ORDERS", "20"))


def main() -> None:
    """Confirm orders one after the other and wait for each in the ERP (goal: median < 5 s, p95 < 10 s)."""
    settings = running()
    ports, secrets = settings.ports, settings.secrets
    crm = CrmPeople(f"http://127.0.0.1:{ports['crm']}", secret=secrets["crm_secret"])
    erp = f"http://127.0.0.1:{ports['tryton']}"
    tally = Tally(
        f"http://127.0.0.1:{ports['crm']}", secrets["crm_secret"], erp, secrets["erp_password"], settings.mail
    )
    took = []
    for _ in range(ORDERS):
        line = {"item": "RM-001", "quantity": "1", "unit": "pcs", "price": "30.00"}
        number = crm.place_order(customer="C-1001", lines=[line], confirm=True)
        start = time.perf_counter()
        while not tally.erp_sales([number]) and time.perf_counter() - start < 60:
            time.sleep(0.25)
        took.append(time.perf_counter() - start)
        time.sleep(1.5)
    p95 = quantiles(took, n=20)[-1] if len(took) > 1 else took[0]
    print(
        f"  confirmed in CRM -> exists in ERP, {ORDERS} orders one by one: median {median(took):.1f} s, p95 {p95:.1f} s"
    )
    print(f"  fastest {min(took):.1f} s, slowest {max(took):.1f} s (goal: median 5, p95 10)")


if __name__ == "__main__":
    main()
