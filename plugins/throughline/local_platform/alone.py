"""One `up` or `down` of an instance at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from throughline.errors import Transient


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Hold the instance for this process; it is given back however the process ends."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "busy.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Transient(
                f"another `throughline up` or `down` is at work in {state}: wait for it, or end it"
            ) from None
        yield
