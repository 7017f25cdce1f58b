"""How often Python looks for garbage in a process that carries documents."""

from __future__ import annotations

import gc


def look_for_garbage_less_often() -> None:
    """For a process of the hub's own: thousands of documents in hand are not garbage, and looking at them costs time.

    Python looks after every 700 new objects, which a batch makes a hundred times over; it was a tenth of what a
    document costs. What nobody holds any more goes at once all the same: this is about circles only.
    """
    gc.set_threshold(10_000, 10, 10)
