"""`python -m tests.faults …`: what `throughline faults` starts in the source checkout; prints JSON lines."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from tests.faults.database import server
from tests.faults.history import as_text
from tests.faults.runner import Run, bench_on, run_seeds
from tests.faults.simulator import judged, run_seed


def main() -> None:
    """One task, told as JSON lines: progress while it runs, the answer last."""
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=["seeds", "replay"])
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--last", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    told = parser.parse_args()
    {"seeds": _seeds, "replay": _replay}[told.task](told)


def _say(kind: str, **content: Any) -> None:
    sys.stdout.write(json.dumps({"kind": kind, **content}, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def _seeds(told: argparse.Namespace) -> None:
    def tell(run: Run) -> None:
        _say("progress", schedules=run.schedules, seconds=run.seconds, violations=len(run.violations))

    run = run_seeds(range(told.first, told.last + 1), workers=told.workers, tell=tell)
    _say("answer", schedules=run.schedules, seconds=run.seconds, violations=run.violations)


def _replay(told: argparse.Namespace) -> None:
    with server() as postgres, bench_on(postgres, "replay") as bench:
        outcome = run_seed(bench, told.first)
        violations = [{"invariant": one.invariant, "sentence": one.sentence} for one in judged(bench, outcome)]
    _say("answer", seed=told.first, scenario=str(outcome.scenario), history=as_text(outcome.history),
         violations=violations)  # fmt: skip


if __name__ == "__main__":
    main()
