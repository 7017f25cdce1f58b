"""Shows orders on their way until all have arrived: a table that renews itself, or plain lines when nobody watches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from throughline.command_line.drawing import console
from throughline.command_line.mending import Wrong, what_is_wrong
from throughline.command_line.open_ledger import open_ledger
from throughline.command_line.paths import path_of

_OVER = {"finished", "cancelled"}
_PATIENCE = 20.0
_ASK_EVERY = 10.0
_BEHIND = {"done", "skipped", "withdrawn"}
_AHEAD = {"running", "ready", "retrying", "parked"}


def follow(numbers: Sequence[str], *, within: float, quiet: bool) -> tuple[list[str], list[dict[str, Any]]]:
    """Watch until every order's process is over, or nothing can go on, or the time is over.

    What a person must mend is said as soon as it shows, and ends the watching when nothing moves any more. Returns the
    numbers of the orders that arrived, and the path of every order the hub knows.
    """
    screen = console()
    show = _silence if quiet else _live(screen) if screen.is_terminal else _lines(screen)
    begun = time.monotonic()
    stuck = _Stuck(_Mending(quiet=quiet))
    with open_ledger() as ledger:
        while True:
            with ledger.transaction() as books:
                paths = {number: path_of(books, number) or {"number": number} for number in numbers}
            show(time.monotonic() - begun, paths)
            over = all(path.get("state") in _OVER for path in paths.values())
            if over or stuck.now(paths.values()) or time.monotonic() - begun > within:
                show(-1.0, paths)
                arrived = [number for number, path in paths.items() if path.get("state") == "finished"]
                return arrived, [path for path in paths.values() if "processes" in path]
            time.sleep(1)


class _Stuck:
    """Notices that nothing has moved for a while, and every order has a parked step or a person must mend something."""

    def __init__(self, mending: _Mending) -> None:
        self._mending = mending
        self._seen = ""
        self._since = time.monotonic()

    def now(self, paths: Iterable[Mapping[str, Any]]) -> bool:
        open_paths = [path for path in paths if path.get("state") not in _OVER]
        steps = [[(step["name"], step["state"]) for step in path.get("steps") or []] for path in open_paths]
        if (seen := repr(steps)) != self._seen:
            self._seen, self._since = seen, time.monotonic()
        parked = all(any(state == "parked" for _, state in known) for known in steps)
        return (self._mending.needed() or parked) and time.monotonic() - self._since > _PATIENCE


class _Mending:
    """Asks now and then whether a person must mend something, and says each such thing once."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._told: set[str] = set()
        self._wrong: Sequence[Wrong] = ()
        self._next = 0.0

    def needed(self) -> bool:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _ASK_EVERY
            self._wrong = what_is_wrong()
            self._tell([one for one in self._wrong if one.name not in self._told])
        return bool(self._wrong)

    def _tell(self, fresh: Sequence[Wrong]) -> None:
        self._told |= {one.name for one in fresh}
        for one in fresh:
            if not self._quiet:
                click.echo(f"To be mended: {one.sentence}", err=True)


Show = Callable[[float, Mapping[str, Mapping[str, Any]]], None]


def _silence(_seconds: float, _paths: Mapping[str, Mapping[str, Any]]) -> None:
    return


def _lines(screen: Console) -> Show:
    told: dict[str, str] = {}

    def show(seconds: float, paths: Mapping[str, Mapping[str, Any]]) -> None:
        for number, path in paths.items():
            sentence = _sentence(path)
            if seconds >= 0 and told.get(number) != sentence:
                told[number] = sentence
                screen.print(f"{seconds:6.1f} s  {number}  {sentence}", markup=False)

    return show


def _live(screen: Console) -> Show:
    live = Live(console=screen, refresh_per_second=4)
    live.start()

    def show(seconds: float, paths: Mapping[str, Mapping[str, Any]]) -> None:
        if seconds < 0:
            live.stop()
            return
        table = Table("Order", "State", "Done", f"Now at ({seconds:.0f} s)", box=None, pad_edge=False)
        for number, path in paths.items():
            table.add_row(number, str(path.get("state") or "confirmed"), _count(path), _now(path))
        live.update(table)

    return show


def _sentence(path: Mapping[str, Any]) -> str:
    if not path.get("state"):
        return "confirmed in the CRM"
    if path["state"] in _OVER:
        return f"{path['state']}, {_count(path)} steps"
    return f"{path['state']}, {_count(path)} steps, now at {_now(path) or 'waiting for the plant'}"


def _count(path: Mapping[str, Any]) -> str:
    steps = path.get("steps") or []
    return f"{sum(step['state'] in _BEHIND for step in steps)}/{len(steps)}"


def _now(path: Mapping[str, Any]) -> str:
    return ", ".join(dict.fromkeys(step["name"] for step in path.get("steps") or [] if step["state"] in _AHEAD))
