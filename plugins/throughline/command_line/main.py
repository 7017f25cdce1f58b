"""`throughline`: every command has help and `--json`; an error is one sentence, never a traceback unless asked for."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Sequence

import click

from throughline import __version__
from throughline.command_line.machine_readable import print_json
from throughline.errors import ThroughlineError

_COMMANDS = {
    "up": ("machine", "Start PostgreSQL, the plant in a box, the hub and Airflow."),
    "down": ("machine", "Stop all of it and leave nothing running."),
    "status": ("machine", "What runs, since when, how often it was started again, and whether it answers."),
    "demo": ("demo", "Confirm orders in the CRM and follow them to the customer."),
    "trace": ("trace", "The whole path of a document, by any number of any system."),
    "processes": ("work", "Where documents are on their way, and how long each step took."),
    "parked": ("parked", "What has stopped until somebody mends something, by cause."),
    "replay": ("replay", "Let parked work go on after the mending."),
    "tasks": ("tasks", "What waits for people, until when; answer, urge, check the organisation."),
    "delegate": ("tasks", "Somebody answers for somebody else for some days."),
    "faults": ("faults", "Prove the promise by schedules of faults over the real hub."),
    "snapshot": ("snapshot", "Everything a system has, against the ledger: what was missed, what was deleted."),
    "proxy": ("proxy", "A bad line in front of a system, on real sockets: seeded faults, and a log of them."),
    "audit": ("audit", "Whether anybody has touched the record of who did what."),
}


class LazyCommands(click.Group):
    """Imports a command's module only when it is used, so that `throughline --help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order a person meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of this name."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"throughline.command_line.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The list in `--help`, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in _COMMANDS.items()])


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="throughline")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def commands(debug: bool) -> None:
    """Throughline 贯通: carries a manufacturer's documents through all its systems."""
    del debug  # taken out by `main`, which also accepts it after the command; here for `--help`


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; exit 0 when it is done, 1 when its answer is no, 2 when something must be put right."""
    told = list(sys.argv[1:] if arguments is None else arguments)
    try:
        words = [word for word in told if word != "--debug"]
        sys.exit(commands.main(words, prog_name="throughline", standalone_mode=False) or 0)
    except click.Abort:
        _say_error("stopped by the keyboard", told)
        sys.exit(130)
    except click.ClickException as error:
        _say_error(error.format_message(), told)
        sys.exit(2)
    except ThroughlineError as error:
        _fail(error, error.message, told)
    except Exception as error:  # noqa: BLE001 - the last word to a person, whatever it was
        _fail(error, f"unexpected {type(error).__name__}: {error} (--debug shows where)", told)


def _fail(error: BaseException, sentence: str, told: Sequence[str]) -> None:
    if "--debug" in told:
        traceback.print_exception(error)
    _say_error(sentence, told)
    sys.exit(2)


def _say_error(sentence: str, told: Sequence[str]) -> None:
    if "--json" in told:
        print_json({"error": sentence})
    click.echo(f"throughline: {sentence}", err=True)
