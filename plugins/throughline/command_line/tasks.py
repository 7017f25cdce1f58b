"""`tasks`: what waits for people, answered, urged, moved on by time; `delegate`: who answers for somebody else."""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from throughline.command_line.machine_readable import json_option, print_json
from throughline.errors import Rejected

if TYPE_CHECKING:
    from throughline.ledger import Books
    from throughline.ledger.task_entries import TaskRow
    from throughline.people.desk import Desk
    from throughline.people.tasks import Task

_PAGE = 500


@click.group(invoke_without_command=True)
@click.option("--person", help="Only what this person may answer now, delegations included.")
@json_option
@click.pass_context
def tasks(context: click.Context, person: str | None, as_json: bool) -> None:
    """List what waits for people: since when, until when, for whom, and who was told."""
    if context.invoked_subcommand is not None:
        return
    with _desk() as (desk, books):
        found = [_entry(desk, books, row, task) for row, task in _open(desk, books, person)]
    if as_json:
        print_json(found)
        return
    for entry in found:
        _draw(entry)
    if not found:
        click.echo("Nothing waits for anybody." if person is None else f"Nothing waits for {person}.")


@tasks.command()
@click.argument("task_id", type=int, metavar="ID")
@click.option("--as", "person", required=True, metavar="PERSON", help="Who answers; it is checked like everywhere.")
@click.option("--verdict", required=True, type=click.Choice(["approved", "rejected", "sent_back", "done"]))
@click.option("--comment", default="", help="Needed to reject or send back.")
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="A field of the form; may be repeated.")
@click.option("--content", help="The content hash they saw. [the one asked about now]")
@json_option
def answer(
    task_id: int, person: str, verdict: str, comment: str, fields: tuple[str, ...], content: str | None, as_json: bool
) -> None:
    """Answer a task for somebody who said so; who typed it is in the audit."""
    from throughline.people.answering import Refused, Reply

    values = dict(_pair(field) for field in fields)
    try:
        with _desk() as (desk, books):
            rows = books.tasks.load([task_id])
            seen = content or (rows[0].content_hash if rows else "")
            reply = Reply(person, verdict, seen, f"cli:{uuid.uuid4()}", values, comment)
            answered = desk.answer(books, task_id, reply, via=f"{getpass.getuser()} (command line)")
    except Refused as refused:
        raise Rejected(_reason(refused)) from None
    told = {"id": task_id, "state": answered.task.state, "by": person, "on_behalf_of": answered.answer.principal}
    if as_json:
        print_json(told)
    else:
        click.echo(f"Task {task_id}: {answered.answer.verdict} by {person}; the task is now {answered.task.state}.")


@tasks.command()
@click.argument("task_id", type=int, metavar="ID")
@click.option("--as", "person", required=True, metavar="PERSON", help="Who waits for it.")
def urge(task_id: int, person: str) -> None:
    """Ask those who may answer once more 催办."""
    from throughline.people.answering import Refused

    try:
        with _desk() as (desk, books):
            desk.urge(books, task_id, person)
    except Refused as refused:
        raise Rejected(_reason(refused)) from None
    click.echo(f"Task {task_id}: those who may answer are told at the next moment they may be disturbed.")


@tasks.command()
@json_option
def check(as_json: bool) -> None:
    """Whether the files of include/people are sound, which positions are vacant, which calendar lacks a year."""
    desk = _load()
    now = datetime.now(UTC)
    vacant = desk.organisation.vacancies(desk.organisation.day_of(now))
    years = [said for calendar in desk.organisation.calendars.values() if (said := calendar.missing_year(now))]
    if as_json:
        print_json({"people": len(desk.organisation.people), "vacant": list(vacant), "calendars": years})
        return
    click.echo(f"{len(desk.organisation.people)} people on {len(desk.organisation.positions)} positions: sound.")
    for position in vacant:
        click.echo(f"    vacant: {position}; its superior answers")
    for said in years:
        click.echo(f"    {said}")


@tasks.command()
@click.option("--limit", default=500, show_default=True, type=click.IntRange(1))
@json_option
def sweep(limit: int, as_json: bool) -> None:
    """Let reminders, due dates and escalations whose moment has come go off, and hand over what leavers left."""
    from throughline.people.passing_time import sweep as pass_time

    with _desk() as (desk, books):
        swept = pass_time(desk, books, limit)
    told = {"tasks": swept.tasks, "notices": swept.notices, "handed_over": swept.handed_over, "next_at": swept.next_at}
    if as_json:
        print_json(told)
    else:
        click.echo(f"{swept.tasks} timers went off, {swept.notices} notices planned, {swept.handed_over} handed over.")


@click.command()
@click.argument("principal")
@click.argument("other", metavar="DELEGATE")
@click.option("--from", "first", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The first day.")
@click.option("--until", "last", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The last day, included.")
@click.option("--flow", "flows", multiple=True, help="Only in this flow; may be repeated. [all]")
@click.option("--may-pass-on", is_flag=True, help="The delegate may delegate further.")
@click.option("--as", "made_by", metavar="PERSON", help="Who says so: the principal, or the organisation's owner.")
@click.option("--note", default="")
@json_option
def delegate(
    principal: str, other: str, first: datetime, last: datetime, flows: tuple[str, ...], may_pass_on: bool,
    made_by: str | None, note: str, as_json: bool,
) -> None:  # fmt: skip
    """Let DELEGATE answer for PRINCIPAL for some days 委托, with the principal's rights and never with more."""
    from throughline.people.delegating import WrongDelegation
    from throughline.people.delegating import delegate as make
    from throughline.people.delegation import Delegation

    try:
        with _desk() as (desk, books):
            zone = desk.organisation.calendar_of(principal).zone
            days: tuple[date, date] = first.date(), last.date()
            span = Delegation.of_days("", principal, other, *days, zone=zone)
            row = make(
                desk, books, principal, other, since=max(span.since, books.now), until=span.until, flows=flows or None,
                may_pass_on=may_pass_on, note=note, made_by=made_by or principal, request_id=f"cli:{uuid.uuid4()}",
            )  # fmt: skip
    except WrongDelegation as wrong:
        raise Rejected(f"{wrong.told.en} · {wrong.told.zh}") from None
    told = {"id": row.id, "principal": principal, "delegate": other, "since": row.since, "until": row.until,
            "flows": row.flows}  # fmt: skip
    if as_json:
        print_json(told)
    else:
        click.echo(f"{other} answers for {principal} until {last:%Y-%m-%d} (delegation {row.id}).")


@contextmanager
def _desk() -> Iterator[tuple[Desk, Books]]:
    from throughline.command_line.open_ledger import open_ledger

    desk = _load()
    with open_ledger() as ledger, ledger.transaction() as books:
        yield desk, books


def _load() -> Desk:
    from throughline.connectors.places import include_directory
    from throughline.people.desk import Desk
    from throughline.people.organisation_files import load_people

    return Desk(load_people(include_directory() / "people"))


def _open(desk: Desk, books: Books, person: str | None) -> Iterator[tuple[TaskRow, Task]]:
    from throughline.people.task_rows import as_task

    after: int | None = 0
    while after is not None:
        if person is not None:
            page = desk.tasks_of(books, person, after=after, limit=_PAGE)
            yield from page.tasks
            after = page.following
            continue
        rows = books.tasks.listed(after=after, limit=_PAGE)
        answers = books.tasks.answers([row.id for row in rows])
        yield from ((row, as_task(row, answers[row.id])) for row in rows)
        after = rows[-1].id if len(rows) == _PAGE else None


def _entry(desk: Desk, books: Books, row: TaskRow, task: Task) -> dict[str, Any]:
    return {
        "id": task.id, "kind": task.kind, "title": task.rules.title.model_dump(), "subject": task.subject,
        "flow": task.flow, "step": task.step, "content_hash": task.content_hash, "requester": task.requester,
        "amount": task.amount, "currency": task.currency, "opened_at": task.opened_at, "due_at": row.due_at,
        "overdue": row.due_at is not None and row.due_at <= books.now, "escalated": task.escalated,
        "waits_for": list(desk.waiting(task, desk.lookup(books))),
        "answers": [{"person": one.person, "for": one.principal, "verdict": one.verdict} for one in task.answers],
        "notices": [
            {"person": one.person, "occasion": one.occasion, "channel": one.channel, "state": one.state}
            for one in books.notices.of_tasks([task.id])
        ],
    }  # fmt: skip


def _draw(entry: Mapping[str, Any]) -> None:
    from throughline.command_line.drawing import moment

    due = f", due {moment(entry['due_at'])}" if entry["due_at"] else ""
    late = ", OVERDUE" if entry["overdue"] else ""
    click.echo(f"{entry['id']}  {entry['title']['en']} · {entry['title']['zh']} · {entry['subject']}")
    click.echo(f"    since {moment(entry['opened_at'])}{due}{late}; waits for {_names(entry['waits_for'])}")
    for one in entry["answers"]:
        behalf = f" for {one['for']}" if one["for"] != one["person"] else ""
        click.echo(f"    {one['verdict']} by {one['person']}{behalf}")


def _names(people: Sequence[str]) -> str:
    return ", ".join(people) or "nobody who works here: see `throughline tasks check`"


def _pair(told: str) -> tuple[str, str]:
    name, sign, value = told.partition("=")
    if not sign:
        raise click.UsageError(f"--field {told}: write NAME=VALUE")
    return name, value


def _reason(refused: Any) -> str:
    fields = "".join(f"; {name}: {title.en}" for name, title in refused.fields.items())
    return f"{refused.told.en} · {refused.told.zh}{fields}"
