"""A document's path as a person reads it: a tree with states and times."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console, Group
from rich.text import Text
from rich.tree import Tree

_MARKS = {
    "done": ("✔", "green"), "finished": ("✔", "green"), "confirmed": ("✔", "green"), "resolved": ("✔", "green"),
    "skipped": ("–", "dim"), "withdrawn": ("–", "dim"), "cancelled": ("–", "yellow"),
    "parked": ("✖", "red"), "rejected": ("✖", "red"), "in_doubt": ("?", "yellow"),
    "running": ("▶", "cyan"), "ready": ("▷", "cyan"), "retrying": ("↻", "yellow"),
}  # fmt: skip


_WIDE = 180


def console() -> Console:
    """Plain when nobody watches: no colours, no wrapping at 80 columns."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)


def draw_path(path: Mapping[str, Any]) -> Group:
    """Everything `trace` knows about one number."""
    parts = [_process_tree(process, path["deliveries"]) for process in path["processes"]]
    if not parts and path["matches"]:
        parts = [Tree(Text(f"{', '.join(path['matches'])}: known, and in no flow", style="bold"))]
    if path["told"]:
        parts.append(_told_tree(path))
    return Group(*parts, _documents_tree(path)) if path["documents"] else Group(*parts)


def _told_tree(path: Mapping[str, Any]) -> Tree:
    """What a system told under this number and the hub does not understand yet."""
    tree = Tree(Text(f"{path['number']}: told, and not understood yet", style="bold"))
    for one in path["told"]:
        state = "parked" if one["state"] == "failed" else one["state"]
        said = f"{one['system']}: {one['document']} (id {one['their_id']}) {state} since {clock(one['captured_at'])}"
        branch = tree.add(_marked(state, said))
        if one["awaited"]:
            branch.add(Text(f"waits for {one['awaited']}", style="yellow"))
        if one["reason"]:
            branch.add(Text(one["reason"], style="red"))
    return tree


def _process_tree(process: Mapping[str, Any], deliveries: Sequence[Mapping[str, Any]]) -> Tree:
    took = duration(process["started_at"], process["finished_at"])
    head = _marked(process["state"], f"{process['key']} · {process['flow']} · {process['state']}{took}", style="bold")
    tree = Tree(head)
    for step in process["steps"]:
        branch = tree.add(_step_line(step))
        mine = [one for one in deliveries if one["step"] == step["name"] and one["item"] == step.get("item", "")]
        for delivery in mine:
            branch.add(_delivery_line(delivery))
    return tree


def _step_line(step: Mapping[str, Any]) -> Text:
    name = f"{step['name']} [{short(step['item'])}]" if step.get("item") else step["name"]
    seconds = "" if step["seconds"] is None else f"{step['seconds']:.1f} s"
    tries = f" after {step['attempts']} attempts" if (step["attempts"] or 0) > 1 else ""
    line = _marked(step["state"], f"{name:<38} {step['state']:<10} {clock(step['started_at']):<10} {seconds:>9}{tries}")
    if step.get("overdue_since"):
        line.append(f"\n  overdue since {clock(step['due_at'])}", style="yellow")
    if step.get("awaited"):
        line.append(f"\n  waits for {step['awaited']}", style="yellow")
    if step.get("error"):
        line.append(f"\n  {step['error']}", style="red")
    return line


def _delivery_line(delivery: Mapping[str, Any]) -> Text:
    theirs = delivery["number"] or delivery["their_id"]
    answer = f" → {theirs}" if theirs else ""
    line = _marked(
        delivery["state"],
        f"{delivery['system']}: {delivery['document']} {delivery['operation']} {delivery['state']}{answer}",
        style="dim",
    )
    if delivery["error"]:
        line.append(f"\n  {delivery['error']}", style="red")
    return line


def _documents_tree(path: Mapping[str, Any]) -> Tree:
    tree = Tree(Text("documents", style="bold"))
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for document in path["documents"]:
        by_name.setdefault(document["canonical_id"], []).append(document)
    for name, told in by_name.items():
        branch = tree.add(Text(name))
        for document in told:
            branch.add(Text(_document_line(document), style="dim"))
    return tree


def _document_line(document: Mapping[str, Any]) -> str:
    number = f" {document['number']}" if document["number"] else ""
    seen = [version["captured_at"] for version in document["versions"]]
    when = f", {len(seen)} version{'s' if len(seen) > 1 else ''}, last {clock(max(seen))}" if seen else ""
    status = f" {document['status']}" if document["status"] else ""
    return f"{document['system']}:{number} (id {document['their_id']}){status}{when}"


def _marked(state: str, words: str, *, style: str = "") -> Text:
    sign, colour = _MARKS.get(state, ("·", "dim"))
    return Text.assemble((f"{sign} ", colour), (words, style))


def short(item: str) -> str:
    """The part of a canonical id a person knows."""
    return item.split(":", 2)[-1]


def clock(moment: datetime | None) -> str:
    """The time of day on this machine's clock."""
    return moment.astimezone().strftime("%H:%M:%S") if moment else ""


def moment(when: datetime | None) -> str:
    """The time of day, with the day when it was not today."""
    if when is None:
        return ""
    there = when.astimezone()
    return clock(when) if there.date() == datetime.now(there.tzinfo).date() else there.strftime("%Y-%m-%d %H:%M:%S")


def duration(begun: datetime | None, ended: datetime | None) -> str:
    """How long it took, when it is over."""
    return f" in {(ended - begun).total_seconds():.1f} s" if begun and ended else ""
