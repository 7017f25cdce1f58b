"""`trace`: where a document came from, what it became in every system, and when."""

from __future__ import annotations

import click

from throughline.command_line.machine_readable import json_option, print_json


@click.command()
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER…")
@json_option
def trace(numbers: tuple[str, ...], as_json: bool) -> None:
    """Print the whole path of a document as a tree with times.

    NUMBER is any number or id of any system: the customer's order in the CRM, the sale or the production in the ERP, a
    receipt, shipment or delivery of the warehouse, or our own name of it (sales_order:crm:SO-1). With --json one number
    gives one object, several give a list. Exits 1 when a number is known to nobody.
    """
    from throughline.command_line.drawing import console, draw_path
    from throughline.command_line.open_ledger import open_ledger
    from throughline.command_line.paths import path_of

    with open_ledger() as ledger, ledger.transaction() as books:
        paths = {number: path_of(books, number) for number in numbers}
    unknown = [number for number, path in paths.items() if path is None]
    if as_json:
        told = [path or {"number": number, "error": "not known"} for number, path in paths.items()]
        print_json(told[0] if len(told) == 1 else told)
    else:
        for path in paths.values():
            if path is not None:
                console().print(draw_path(path))
        for number in unknown:
            click.echo(f"No system has told us of {number} (yet): `throughline parked` lists what could not be read.")
    if unknown:
        raise click.exceptions.Exit(1)
