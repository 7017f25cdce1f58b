"""What the hub costs when nothing happens: the running platform with its watchers on, and with them paused.

That pausing really stops the watchers shows in the plant's own CPU: nobody asks its systems any more. The dag-processor
and the scheduler do the same work either way; what they differ by is noise, so it is shown and not counted.
"""

from __future__ import annotations

import os
import time

import httpx

from bench.running import cpu_seconds, running
from throughline.connectors.landscape import Landscape
from throughline.local_platform.settings import PROJECT, Settings

SECONDS = float(os.environ.get("BENCH_SECONDS", "60"))


def share(settings: Settings) -> dict[str, float]:
    """Percent of one core by kind of process over the measuring time."""
    before = cpu_seconds(settings)
    time.sleep(SECONDS)
    after = cpu_seconds(settings)
    return {kind: max(0.0, 100 * (after[kind] - before.get(kind, 0.0)) / SECONDS) for kind in after}


def pause(settings: Settings, *, paused: bool) -> None:
    """Pause or resume all DAGs: paused, Airflow watches nothing for us."""
    with httpx.Client(base_url=settings.ui, timeout=60) as airflow:
        body = {"username": "admin", "password": settings.secrets["admin_password"]}
        token = airflow.post("/auth/token", json=body).raise_for_status().json()["access_token"]
        airflow.headers["authorization"] = f"Bearer {token}"
        airflow.patch("/api/v2/dags", params={"dag_id_pattern": "%"}, json={"is_paused": paused}).raise_for_status()


def main() -> None:
    """Print both, and the difference (goal: below 5 % of one core)."""
    settings = running()
    on = share(settings)
    pause(settings, paused=True)
    try:
        time.sleep(10)
        off = share(settings)
    finally:
        pause(settings, paused=False)
    for kind in sorted(on):
        print(f"  {kind:<22} watching {on[kind]:5.1f} %   paused {off.get(kind, 0.0):5.1f} %   of one core")
    watchers = sum(on.get(kind, 0.0) - off.get(kind, 0.0) for kind in ("triggerer", "api-server", "postgres"))
    extra = watchers + on.get("receiver", 0.0)
    systems = len(load_systems())
    print(f"  the hub beyond bare Airflow: {extra:.1f} % of one core with {systems} systems watched,")
    print(f"  so with ten of them about {extra * 10 / systems:.1f} % (goal 5)")


def load_systems() -> list[str]:
    """The systems that are asked every second or so; those we only tell something cost nothing."""
    landscape = Landscape.load(PROJECT / "include" / "systems")
    return [role for role, system in landscape.systems.items() if system.captures]


if __name__ == "__main__":
    main()
