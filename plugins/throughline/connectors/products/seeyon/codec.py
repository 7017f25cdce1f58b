"""Seeyon's forms: the opinions of a flow say how it was decided; where it stands (0 is finished) does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_UNSENT, _RUNNING, _REVOKED, _STEPPED_BACK, _TAKEN_BACK, _TERMINATED = "1", "4", "5", "6", "7", "15"
_AGREED, _DISAGREED = "2", "3"
_STANDS = {
    _UNSENT: "draft", _STEPPED_BACK: "draft", _TAKEN_BACK: "draft", _REVOKED: "withdrawn", _TERMINATED: "withdrawn",
}  # fmt: skip


def decode(value: Any) -> Any:
    """An answer; the whole of a flow with `main`, `rows` and `verdict`, whatever the numbers of its form are."""
    data = value.get("data") if isinstance(value, Mapping) else None
    if not isinstance(data, Mapping) or "opinions" not in data:
        return value
    main: Any = next((part for name, part in data.items() if name.startswith("formmain_")), {})
    rows: Any = next((part for name, part in data.items() if name.startswith("formson_")), [])
    return {**value, "data": {"main": main, "rows": rows, "verdict": verdict(data)}}


def verdict(flow: Mapping[str, Any]) -> str:
    """draft, submitted, approved, rejected or withdrawn; a flow nobody agreed to was not approved."""
    state = str(flow["state"])
    if state in _STANDS:
        return _STANDS[state]
    attitudes = [str(opinion["attitude"]) for opinion in flow["opinions"]]
    if _DISAGREED in attitudes[-1:]:
        return "rejected"
    if state == _RUNNING and flow.get("node") != "executing":
        return "submitted"
    return "approved" if _AGREED in attitudes[-1:] else "rejected"
