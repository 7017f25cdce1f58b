"""The audit held against every head that was kept elsewhere, and the daily keeping of a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from throughline.errors import Invalid
from throughline.ledger.audit_chain import Inspection
from throughline.ledger.audit_heads import Head, daily_file, daily_files, head_of, read_head, write_head
from throughline.ledger.books import Books


@dataclass(frozen=True)
class KeptHead:
    """A file with a head, or why it cannot be believed."""

    path: Path
    head: Head | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Verification:
    """What became of the audit, and of the heads it was held against."""

    inspection: Inspection
    heads: Sequence[KeptHead]

    @property
    def whole(self) -> bool:
        """Whether every line is as it was written and every head is ours."""
        return self.inspection.whole and not self._unbelieved

    @property
    def _unbelieved(self) -> list[KeptHead]:
        return [kept for kept in self.heads if kept.problem]

    @property
    def sentence(self) -> str:
        """For a person."""
        lines, finding = self.inspection.lines, self.inspection.finding
        if finding:
            before = f" The {lines} before it are as they were written." if lines else ""
            return f"The audit is not whole: {finding.sentence}.{before}"
        if self._unbelieved:
            return f"The audit's {lines} lines fit together, but {self._unbelieved[0].problem}."
        known = (
            f"the heads kept elsewhere agree ({len(self.heads)})" if self.heads else "no head was kept elsewhere yet"
        )
        return f"The audit is whole: {lines} lines; {known}."


def read_heads(paths: Iterable[Path], secret: str | None) -> list[KeptHead]:
    """Every file, believed or not."""
    return [_read(path, secret) for path in paths]


def _read(path: Path, secret: str | None) -> KeptHead:
    try:
        return KeptHead(path, read_head(path, secret))
    except Invalid as error:
        return KeptHead(path, problem=error.message)


def verify_audit(books: Books, heads: Sequence[KeptHead], tell: Callable[[int], None] = lambda _: None) -> Verification:
    """Read the whole audit and hold it against these heads; `tell` hears how far it has come."""
    witnesses = [kept.head.as_witness(f"the head in {kept.path}") for kept in heads if kept.head]
    return Verification(books.audit.inspect(witnesses, tell), heads)


def keep_head(books: Books, folder: Path, secret: str) -> tuple[Path, Head]:
    """Write today's head, in place of an earlier one of today; refused when a kept head no longer fits the audit."""
    for kept in read_heads(daily_files(folder), secret):
        if kept.problem or not _holds(books, kept.head):
            problem = (
                kept.problem or f"the audit no longer holds line {kept.head and kept.head.line} as {kept.path} knows it"
            )
            raise Invalid(f"No new head is kept: {problem}. `throughline audit verify` says more.", system="ledger")
    head = head_of(*books.audit.head(), books.now)
    path = daily_file(folder, books.now)
    write_head(path, head, secret)
    return path, head


def _holds(books: Books, head: Head | None) -> bool:
    if head is None or head.line == 0:
        return True
    line = books.audit.line(head.line)
    return line is not None and line.hash == head.seal
