"""What the hub costs when nothing happens: the running platform with its watchers on, and with them paused."""

from __future__ import annotations

import os
import time

import httpx

from bench.running import cpu_seconds, running
from throughline.local_platform.settings import Settings

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
    airflow = ("scheduler", "api-server", "triggerer", "dag-processor", "postgres", "receiver")
    for kind in sorted(on):
        print(f"  {kind:<22} watching {on[kind]:5.1f} %   paused {off.get(kind, 0.0):5.1f} %   of one core")
    extra = sum(on.get(kind, 0.0) - off.get(kind, 0.0) for kind in airflow)
    print(f"  the hub beyond bare Airflow: {extra:.1f} % of one core (goal 5)")


if __name__ == "__main__":
    main()
