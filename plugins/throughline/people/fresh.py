"""The desk of a process that runs for months: it notices when the organisation's files have changed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from throughline.errors import Misconfigured
from throughline.people.desk import Desk
from throughline.people.organisation_files import load_people

log = logging.getLogger(__name__)

_LOOK_EVERY = timedelta(seconds=5)
Fingerprint = tuple[tuple[str, int, int], ...]


class FreshDesk:
    """The desk over the files as they are now. A file that is wrong is told, and the last good state stays."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._folder, self._clock, self._lock = folder, clock, threading.Lock()
        self._seen = _fingerprint(folder)
        self._desk = Desk(load_people(folder))
        self._looked_at = clock()

    def __call__(self) -> Desk:
        """The desk; the files are looked at every few seconds at most."""
        with self._lock:
            now = self._clock()
            if now - self._looked_at >= _LOOK_EVERY:
                self._looked_at = now
                self._look()
            return self._desk

    def _look(self) -> None:
        found = _fingerprint(self._folder)
        if found == self._seen:
            return
        self._seen = found
        try:
            self._desk = Desk(load_people(self._folder))
        except Misconfigured as wrong:
            log.warning("the organisation has changed but cannot be read, the last good one stays: %s", wrong.message)


def _fingerprint(folder: Path) -> Fingerprint:
    found = ((str(path), path.stat()) for path in sorted(folder.rglob("*.yaml")))
    return tuple((name, told.st_mtime_ns, told.st_size) for name, told in found)
