"""The pages behind a signed link, in Chinese and English: plain HTML, no script, everything from documents escaped."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from html import escape

from starlette.responses import HTMLResponse, Response

from throughline.people.answering import Refused
from throughline.people.forms import FormField
from throughline.people.organisation_words import Person
from throughline.people.tasks import Task

_STYLE = (
    "body{font:18px/1.5 sans-serif;max-width:34em;margin:1em auto;padding:0 1em}button{font:inherit;padding:.6em 1em;"
    "margin:.3em .3em 0 0}input,select,textarea{font:inherit;width:100%;box-sizing:border-box}"
    "dt{color:#555}dd{margin:0 0 .6em}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}
_VERDICTS = {
    "approve": (("approved", "批准 Approve"), ("rejected", "拒绝 Reject"), ("sent_back", "退回 Send back")),
    "task": (("done", "完成 Done"),),
}
_UNCHECKED = {"rejected": " formnovalidate", "sent_back": " formnovalidate"}
"""Whoever refuses need not fill in what only an approval needs."""
_SAID = {
    "approved": "已批准 Approved",
    "rejected": "已拒绝 Rejected",
    "sent_back": "已退回 Sent back",
    "done": "已完成 Done",
}
_GONE = ("此链接无效、已使用或已过期。", "This link is not valid, was used already, or is too old.")


def page_of(token: str, task: Task, due_at: datetime | None, person: Person) -> Response:
    """What is asked, and a form that answers it."""
    facts = [("单据 Document", task.subject), ("您 You", person.name)]
    if task.about:
        facts.append(("内容 About", f"{task.about.zh} / {task.about.en}"))
    if task.amount is not None:
        facts.append(("金额 Amount", f"{task.amount:f} {task.currency}"))
    if task.requester:
        facts.append(("申请人 Requester", task.requester))
    if due_at:
        facts.append(("到期 Due", due_at.strftime("%Y-%m-%d %H:%M UTC")))
    told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    buttons = "".join(
        f'<button name="verdict" value="{verdict}"{_UNCHECKED.get(verdict, "")}>{escape(said)}</button>'
        for verdict, said in _VERDICTS[task.kind]
    )
    fields = "".join(_field(name, field) for name, field in task.rules.form.items())
    title = f"{task.rules.title.zh} / {task.rules.title.en}"
    form = (
        f'<form method="post" action="answer"><input type="hidden" name="t" value="{escape(token)}">{fields}'
        '<label>说明 Comment<textarea name="comment" rows="3" maxlength="2000"></textarea></label>'
        f"<p>{buttons}</p></form>"
    )
    return _page(200, title, f"<dl>{told}</dl>{form}")


def answered_page(task: Task, verdict: str) -> Response:
    """Thanks; and whether others still have to answer."""
    more = "<p>还需其他人处理。Others have to answer as well.</p>" if task.is_open else ""
    return _page(200, _SAID[verdict], f"<p>{escape(task.subject)}</p>{more}")


def refusal_page(status: int, refused: Refused | None = None) -> Response:
    """Why this link does not answer anything; a stranger learns nothing about the task."""
    if refused is None or refused.code == "unknown":
        chinese, english = _GONE
        return _page(status, "无法处理 Not possible", f"<p>{chinese}</p><p>{english}</p>")
    wrong = "".join(
        f"<li>{escape(name)}: {escape(title.zh)} / {escape(title.en)}</li>" for name, title in refused.fields.items()
    )
    told = f"<p>{escape(refused.told.zh)}</p><p>{escape(refused.told.en)}</p>"
    return _page(status, "无法处理 Not possible", f"{told}<ul>{wrong}</ul>" if wrong else told)


def _field(name: str, field: FormField) -> str:
    label, needed = escape(f"{field.title.zh} / {field.title.en}"), " required" if field.required else ""
    told = f'name="field.{escape(name)}"'
    options = {"yes_no": {"yes": "是 yes", "no": "否 no"}}.get(field.kind) or {
        choice: f"{title.zh} / {title.en}" for choice, title in field.choices.items()
    }
    if options:
        listed = "".join(f'<option value="{escape(value)}">{escape(said)}</option>' for value, said in options.items())
        return f"<label>{label}<select {told}><option></option>{listed}</select></label>"
    kind = "date" if field.kind == "date" else "text"
    return f'<label>{label}<input {told} type="{kind}" maxlength="{field.longest}"{needed}></label>'


def _page(status: int, title: str, body: str) -> Response:
    html = (
        '<!DOCTYPE html><html lang="zh"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )
    return HTMLResponse(html, status, headers=HEADERS)
