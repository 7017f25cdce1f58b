"""`audit`: whether anybody has touched the record of who did what, its last line to keep elsewhere, and one line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from throughline.command_line.machine_readable import json_option, print_json

if TYPE_CHECKING:
    from throughline.ledger.audit_verification import Verification
    from throughline.ledger.entries import AuditLine

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def audit() -> None:
    """The record of who did what to which document: each line is sealed with the one before (all take --json)."""


@audit.command()
@click.option("--head", "files", type=_FILE, multiple=True, help="A head kept elsewhere; may be repeated.")
@json_option
def verify(files: tuple[Path, ...], as_json: bool) -> None:
    """Read every line and say whether all are as they were written, or which is the first that is not.

    Holds the chain against the daily heads of this machine too, and against FILEs from `audit head --export`. Exits 1
    when a line was changed, dropped, inserted, put elsewhere or cut off, or when a head is not ours.
    """
    from throughline.command_line.open_ledger import audit_folder, audit_secret, open_ledger
    from throughline.ledger.audit_heads import daily_files
    from throughline.ledger.audit_verification import read_heads, verify_audit

    begun, secret = time.monotonic(), audit_secret()
    heads = read_heads([*daily_files(audit_folder()), *files], secret)
    with open_ledger() as ledger, ledger.transaction() as books:
        verified = verify_audit(books, heads, _progress(quiet=as_json))
    _tell(verified, signed=secret is not None, seconds=time.monotonic() - begun, as_json=as_json)
    if not verified.whole:
        raise click.exceptions.Exit(1)


def _progress(*, quiet: bool) -> Callable[[int], None]:
    def tell(lines: int) -> None:
        if not quiet:
            click.echo(f"{lines:,} lines …", err=True)

    return tell


def _tell(verified: Verification, *, signed: bool, seconds: float, as_json: bool) -> None:
    if as_json:
        print_json(_verification(verified, signed=signed, seconds=seconds))
        return
    click.echo(verified.sentence)
    if verified.heads and not signed:
        click.echo("The heads' signatures were not checked: set THROUGHLINE_AUDIT_SECRET.", err=True)


def _verification(verified: Verification, *, signed: bool, seconds: float) -> dict[str, Any]:
    finding = verified.inspection.finding
    return {
        "whole": verified.whole,
        "sentence": verified.sentence,
        "intact_lines": verified.inspection.lines,
        "finding": asdict(finding) if finding else None,
        "signatures_checked": signed,
        "heads": [
            {"file": str(kept.path), "line": kept.head.line if kept.head else None, "problem": kept.problem}
            for kept in verified.heads
        ],
        "seconds": round(seconds, 2),
    }


@audit.command()
@click.option("--export", type=_FILE, help="Write it to this file, signed; keep that where nobody here may write.")
@click.option("--keep", is_flag=True, help="Write it as today's head beside those housekeeping keeps every night.")
@json_option
def head(export: Path | None, keep: bool, as_json: bool) -> None:
    """Show the number and the seal of the last line, and write them to a file when told to."""
    from throughline.command_line.open_ledger import audit_folder, audit_secret, open_ledger
    from throughline.ledger.audit_heads import head_of, write_head
    from throughline.ledger.audit_verification import keep_head

    secret = audit_secret() or ""
    with open_ledger() as ledger, ledger.transaction() as books:
        found, written = head_of(*books.audit.head(), books.now), []
        if export:
            write_head(export, found, secret)
            written.append(export)
        if keep:
            written.append(keep_head(books, audit_folder(), secret)[0])
    if as_json:
        print_json({**asdict(found), "written": [str(path) for path in written]})
        return
    click.echo(f"Line {found.line}, sealed {found.seal}")
    for path in written:
        click.echo(f"Written to {path}")


@audit.command()
@click.argument("number", type=click.IntRange(1))
@json_option
def show(number: int, as_json: bool) -> None:
    """Show one line: who did what to which document when, with the seals that hold it in its place."""
    from throughline.command_line.open_ledger import open_ledger

    with open_ledger() as ledger, ledger.transaction() as books:
        line = books.audit.line(number)
    if line is None:
        print_json({"line": number, "error": "not there"}) if as_json else click.echo(f"There is no line {number}.")
        raise click.exceptions.Exit(1)
    print_json(asdict(line)) if as_json else _draw(line)


def _draw(line: AuditLine) -> None:
    from throughline.command_line.machine_readable import as_json_text

    click.echo(f"Line {line.seq}, {line.at.astimezone():%Y-%m-%d %H:%M:%S %Z}")
    click.echo(
        f"    {line.actor}: {line.action} · {line.subject}"
        + (f" · process {line.process_id}" if line.process_id else "")
    )
    click.echo("    " + as_json_text(line.details).replace("\n", "\n    "))
    click.echo(f"    sealed {line.hash}\n    after  {line.prev_hash}")
