"""The instance that `make up` started, for benches that look at the whole."""

from __future__ import annotations

import sys

import psutil

from throughline.local_platform.settings import Settings, load_settings


def running() -> Settings:
    """Its settings; ends with a sentence when nothing is up."""
    settings = load_settings()
    if settings is None or not any(_belongs(process, settings) for process in psutil.process_iter()):
        sys.exit("  Nothing is up: run `make up` first.")
    return settings


def cpu_seconds(settings: Settings) -> dict[str, float]:
    """CPU seconds used so far by the instance's processes, by what they are."""
    used: dict[str, float] = {}
    for process in psutil.process_iter():
        try:
            if _belongs(process, settings):
                times = process.cpu_times()
                name = _kind(" ".join(process.cmdline()))
                used[name] = used.get(name, 0.0) + times.user + times.system + times.children_user
                used[name] += times.children_system
        except psutil.Error:
            continue
    return used


def _belongs(process: psutil.Process, settings: Settings) -> bool:
    try:
        return process.environ().get("THROUGHLINE_INSTANCE") == settings.instance
    except psutil.Error:
        return False


def _kind(command: str) -> str:
    words = {
        "scheduler": "scheduler", "airflow worker": "scheduler", "api": "api-server", "triggerer": "triggerer",
        "dag-processor": "dag-processor", "receiver": "receiver", "postgres": "postgres",
    }  # fmt: skip
    return next((kind for word, kind in words.items() if word in command), "plant and supervisor")
