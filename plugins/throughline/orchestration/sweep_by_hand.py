"""Sweeps without Airflow's scheduler: `python -m throughline.orchestration.sweep_by_hand` works until nothing is ready.

For a replay while Airflow is down. It needs the connections as Airflow's tasks do (`AIRFLOW_CONN_…`, or Airflow's own
database); the ledger's leases keep it apart from any Airflow that runs after all.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from throughline.errors import Misconfigured, ThroughlineError

if TYPE_CHECKING:
    from throughline.orchestration.hub import Hub

ROUNDS = 50
"""What makes itself ready again and again is left to the next call."""
MISCONFIGURED = 3


def sweep_until_quiet(hub: Hub) -> int:
    """Understand what was told and move every document that is ready, in every flow; answers how many steps moved.

    What a person must mend stops only its own step, and is raised at the end.
    """
    moved, wrong = 0, None
    for _ in range(ROUNDS):
        hub.understand()
        steps = [(flow, step) for flow in hub.engine.flows if hub.work(flow, None) for step in hub.engine.plan(flow)]
        if not steps:
            break
        for flow, step in steps:
            try:
                moved += hub.run_step(flow, step, None).moved
            except Misconfigured as error:
                wrong = error
    if wrong is not None:
        raise wrong
    return moved


def main() -> int:
    """One call from the command line: 0 done, 3 a person must mend something, 1 anything else."""
    from throughline.orchestration.composition import opened_hub  # heavy: Airflow's configuration comes with it

    try:
        with opened_hub() as hub:
            print(sweep_until_quiet(hub))
    except Misconfigured as error:
        print(error.message, file=sys.stderr)
        return MISCONFIGURED
    except ThroughlineError as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
