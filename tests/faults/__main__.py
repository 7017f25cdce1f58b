"""`python -m tests.faults …`: what `throughline faults` starts in the source checkout; prints JSON lines."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from tests.faults.database import server
from tests.faults.exhaustive import run_all
from tests.faults.history import as_text
from tests.faults.runner import Run, bench_on, run_seeds
from tests.faults.sensitivity import find_all
from tests.faults.simulator import judged, run_seed


def main() -> None:
    """One task, told as JSON lines: progress while it runs, the answer last."""
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=["seeds", "replay", "planted", "exhaustive"])
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--last", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=int, default=1)
    told = parser.parse_args()
    {"seeds": _seeds, "replay": _replay, "planted": _planted, "exhaustive": _exhaustive}[told.task](told)


def _say(kind: str, **content: Any) -> None:
    sys.stdout.write(json.dumps({"kind": kind, **content}, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def _progress(run: Run) -> None:
    _say("progress", schedules=run.schedules, seconds=run.seconds, violations=len(run.violations),
         latest=run.violations[-3:])  # fmt: skip


def _seeds(told: argparse.Namespace) -> None:
    run = run_seeds(range(told.first, told.last + 1), workers=told.workers, tell=_progress)
    _say("answer", schedules=run.schedules, seconds=run.seconds, violations=run.violations)


def _exhaustive(told: argparse.Namespace) -> None:
    run = run_all(workers=told.workers, every=told.every, tell=_progress)
    _say("answer", schedules=run.schedules, seconds=run.seconds, violations=run.violations)


def _planted(told: argparse.Namespace) -> None:
    found = find_all(told.last, workers=told.workers, tell=lambda one: _say("found", **one))
    _say("answer", planted=[asdict(one) for one in found])


def _replay(told: argparse.Namespace) -> None:
    with server() as postgres, bench_on(postgres, "replay") as bench:
        outcome = run_seed(bench, told.first)
        violations = [{"invariant": one.invariant, "sentence": one.sentence} for one in judged(bench, outcome)]
    _say("answer", seed=told.first, scenario=str(outcome.scenario), history=as_text(outcome.history),
         violations=violations)  # fmt: skip


if __name__ == "__main__":
    main()
