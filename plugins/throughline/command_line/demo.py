"""`demo`: people confirm orders in the CRM; the hub carries them to the customer while somebody watches."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from throughline.command_line.machine import bring_up, platform_options, tell_address
from throughline.command_line.machine_readable import json_option, print_json
from throughline.errors import ThroughlineError

if TYPE_CHECKING:
    from throughline.local_platform.settings import Settings


@click.command()
@click.option("--orders", default=5, show_default=True, type=click.IntRange(1, 500), help="How many orders.")
@click.option(
    "--within", default=300.0, show_default=True, type=click.FloatRange(1), help="Seconds they may take to arrive."
)
@platform_options
@json_option
def demo(
    orders: int, within: float, port_base: int | None, speed: float | None, faulty: int | None, as_json: bool
) -> None:
    """Start everything, confirm orders in the CRM, and follow each one to the customer.

    Different customers, items and units; one order is in cartons. Everything stays up afterwards: `throughline down`
    ends it. Exits 1 when not all orders arrived in time.
    """
    from throughline.command_line.demo_orders import confirm_orders
    from throughline.command_line.demo_progress import follow
    from throughline.command_line.demo_totals import totals
    from throughline.command_line.mending import what_is_wrong

    begun = time.monotonic()
    settings, _ = bring_up(port_base, speed, faulty, quiet=as_json)
    up_after = time.monotonic() - begun
    if not as_json:
        click.echo(f"\nEverything is up ({up_after:.1f} s). {orders} orders are confirmed in the CRM …")
    numbers = confirm_orders(settings, orders)
    arrived, paths = follow(numbers, within=within, quiet=as_json)
    counted = totals(settings, numbers)
    told = {
        "audit": _keep_audit_head(), "orders": numbers, "arrived": arrived, "totals": counted, "ui": settings.ui,
        "seconds": {"up": round(up_after, 1), "all": round(time.monotonic() - begun, 1)},
    }  # fmt: skip
    if as_json:
        print_json({**told, "paths": paths, "wrong": [one.sentence for one in what_is_wrong()]})
    else:
        _tell(settings, paths, told)
    if len(arrived) < len(numbers):
        late = ", ".join(number for number in numbers if number not in arrived)
        click.echo(f"Not arrived: {late} (`throughline status`, `parked` and `trace` say why).", err=True)
        raise click.exceptions.Exit(1)


def _tell(settings: Settings, paths: Sequence[dict[str, Any]], told: dict[str, Any]) -> None:
    from throughline.command_line.drawing import console, draw_path

    for path in paths:
        click.echo()
        console().print(draw_path(path))
    counted = told["totals"]
    click.echo(
        f"\n{len(told['arrived'])} of {len(told['orders'])} orders arrived: {counted['crm_orders']} in the CRM, "
        f"{counted['erp_sales']} sales in the ERP, {counted['shipments']} shipments, {counted['mails']} mails; "
        f"{told['seconds']['all']:.0f} s in all."
    )
    click.echo(told["audit"])
    tell_address(settings)


def _keep_audit_head() -> str:
    from throughline.command_line.open_ledger import audit_folder, audit_secret, open_ledger
    from throughline.ledger.audit_verification import keep_head

    try:
        with open_ledger() as ledger, ledger.transaction() as books:
            path, head = keep_head(books, audit_folder(), audit_secret() or "")
    except ThroughlineError as error:  # the orders arrived all the same
        return f"Audit:    {error.message}"
    return f"Audit:    {head.line} lines; the last one's seal is kept in {path}"
