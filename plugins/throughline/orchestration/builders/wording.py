"""What a person reads on the graph: the names and descriptions of flows and steps, made from the flow file."""

from __future__ import annotations

from collections.abc import Iterator

from throughline.process.definition import Await, Deliver, Flow, Notify, Step, Title


def both(title: Title) -> str:
    """English and Chinese side by side, as the plant wrote them."""
    return f"{title.en} {title.zh}" if title.zh and title.zh != title.en else title.en


def step_title(name: str, step: Step) -> str:
    """The step's own title, or what it does in short."""
    if step.title:
        return both(step.title)
    return f"{name.replace('_', ' ')} · {_in_short(step)}"


def _in_short(step: Step) -> str:
    if step.awaits:
        return f"{step.awaits.document} ← {step.awaits.system}"
    if step.effect:
        return f"{step.effect.document} → {step.effect.system}"
    return f"{step.decide.rule}?" if step.decide else ""


def step_doc(name: str, step: Step) -> str:
    """The step in full, as Markdown for the task's page."""
    return "\n\n".join([f"**{step_title(name, step)}**", *_does(step), *_applies(step)])


def _does(step: Step) -> Iterator[str]:
    if step.deliver:
        yield _delivers(step.deliver)
    if step.awaits:
        yield _waits(step.awaits)
    if step.decide:
        yield f"Asks the rule `{step.decide.rule}` for a verdict that later conditions read."
    if step.notify:
        yield _tells(step.notify)


def _delivers(deliver: Deliver) -> str:
    source = f", made by the rule `{deliver.make}`" if deliver.make else ""
    may = " or ".join(f"`{operation}`" for operation in deliver.may)
    return f"Writes: {may} a `{deliver.document}` in **{deliver.system}**{source}, once in effect."


def _tells(notify: Notify) -> str:
    return f"Tells somebody through **{notify.system}** what the rule `{notify.make}` wrote, never twice."


def _waits(awaits: Await) -> str:
    each = "each" if awaits.each else "the"
    kind = "revision of the subject" if awaits.revisions else f"`{awaits.document}`"
    where = f" where `{awaits.where.text}`" if awaits.where else ""
    return f"Waits for {each} {kind} from **{awaits.system}**{where}.{_until(awaits)}"


def _until(awaits: Await) -> str:
    if awaits.until is None:
        return ""
    if awaits.until.rule:
        return f" Has enough when the rule `{awaits.until.rule}` says so."
    return f" Has enough when `{awaits.until.condition.text}`." if awaits.until.condition else ""


def _applies(step: Step) -> Iterator[str]:
    if step.per:
        yield f"Once for each item `{step.per}` found."
    if step.when:
        yield f"Only when `{step.when.text}`."
    if step.due:
        yield f"Due within {step.due}."
    if step.refused == "continue":
        yield "A refusal is an answer here: the flow goes on and conditions can read it."
    if step.end:
        when = f" when `{step.end.when.text}`" if step.end.when else ""
        yield f"Ends the process as {step.end.outcome}{when}."


def flow_doc(flow: Flow) -> str:
    """The flow in full, as Markdown for the DAG's page."""
    return "\n\n".join(
        [
            f"### {both(flow.title)}",
            f"Starts for each `{flow.subject.document}` of **{flow.subject.system}** where `{flow.start.text}`.",
            f"Defined in `{flow.where}`, version `{flow.version}`.",
            "One run is a sweep: each step moves every document that is ready for it. "
            "Where one document is, the ledger knows: `throughline trace <any number>`.",
            'To move chosen documents at once, start a run with `{"keys": ["SO-…"]}` (any number of any system).',
        ]
    )
