"""`make bench`: every measurement, or the ones named (`make bench ARGS="pipeline latency"`)."""

from __future__ import annotations

import importlib
import sys

ALL = ("ledger_sets", "pipeline", "parsing", "latency", "idle", "matching")


def main() -> None:
    """Run them one after the other: side by side inside each, never at once."""
    for name in sys.argv[1:] or ALL:
        if name not in ALL:
            sys.exit(f"There is no bench '{name}'; there are: {', '.join(ALL)}")
        print(f"\n== {name} ==", flush=True)
        importlib.import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main()
