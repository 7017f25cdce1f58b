"""`snapshot`: everything a system has against the ledger, now instead of at its hour."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from throughline.command_line.machine_readable import json_option, print_json

if TYPE_CHECKING:
    from throughline.connectors.contract import Connector
    from throughline.connectors.landscape import System
    from throughline.process.snapshots import SnapshotReport, Taken


@click.command()
@click.argument("role")
@click.argument("document", required=False)
@json_option
def snapshot(role: str, document: str | None, as_json: bool) -> None:
    """Read everything ROLE has (of one DOCUMENT), take in what was missed, mark what is gone.

    Nothing is deleted when the answer is empty, when a page fails, or when more is missing than the system's file
    allows: then one case is parked for a person (exit status 1). An interrupted reading goes on where it was. Airflow
    does the same every night; where it runs, it also carries on with what is found here.
    """
    from throughline.command_line.open_ledger import open_ledger
    from throughline.connectors.landscape import Landscape, whole_kinds
    from throughline.connectors.places import include_directory
    from throughline.errors import Misconfigured
    from throughline.process.snapshots import Snapshot

    system = Landscape.load(include_directory() / "systems").system(role)
    kinds = whole_kinds(system)
    if document is not None and document not in kinds:
        there = ", ".join(kinds) or "nothing"
        raise Misconfigured(f"{role} is read whole for {there}, not for {document} (fence W3 in its profile)")
    connector = _connector_of(system)
    reports = []
    with open_ledger() as ledger:
        for kind in [document] if document else kinds:
            tell = _silent if as_json else _tell_progress(kind)
            taken = Snapshot(
                ledger, lambda _: connector(), role, kind, system.snapshot.stop_at, "command line", progress=tell
            )
            reports.append(asyncio.run(taken.take()))
            if not as_json:
                _tell(reports[-1])
    if as_json:
        print_json([asdict(report) for report in reports])
    if any(report.outcome in ("stopped", "incomplete") for report in reports):
        raise click.exceptions.Exit(1)


def _connector_of(system: System) -> Callable[[], Connector]:
    """The system's connector, by the connection in the environment or in this machine's own instance."""
    from throughline.connectors.connections import connection_from_environment
    from throughline.connectors.registry import open_connector
    from throughline.local_platform.environment import connection_variables
    from throughline.local_platform.settings import load_settings

    settings = load_settings()
    known = {**(connection_variables(settings) if settings else {}), **os.environ}
    connection = connection_from_environment(system.connection, known)
    return lambda: open_connector(system.product, system.role, connection)


def _silent(_: Taken) -> None:
    return


def _tell_progress(kind: str) -> Callable[[Taken], None]:
    def tell(taken: Taken) -> None:
        of = f" of {taken.total}" if taken.total is not None else ""
        click.echo(f"\r{kind}: {taken.read}{of} read, {taken.stored} stored", nl=False, err=True)

    return tell


def _tell(report: SnapshotReport) -> None:
    click.echo("", err=True)
    words: dict[str, Any] = {**asdict(report), "about": f" ({report.reason})" if report.reason else ""}
    click.echo(
        "{document}: {outcome}{about}. {read} read, {stored} stored, {known} known, {missing} missing,"
        " {deleted} deleted.".format(**words)
    )
    if report.outcome == "stopped":
        click.echo(f"    not found: {', '.join(report.examples)}")
        click.echo(f"    look there; then: throughline replay --signature MassDelete:{report.role}:{report.document}:")
