"""e-cology's forms: lists of fields become plain records, and the log says how it was decided.

Where a request stands is not enough: what is archived may have been refused or ended by force, and an approval may
have been drawn back. So the verdict is read from the node, the log (newest first) and the form's own answer (`spjg`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_APPLYING, _DECIDING, _ARCHIVED = "0", "1", "3"
_AGREED, _PASSED, _TAKEN_BACK, _FORCED, _EDITED = "0", "2", "r", "e", "i"


def decode(value: Any) -> Any:
    """An answer; the whole of a request as `main`, its detail tables `dt1`, `dt2`, …, and `verdict`."""
    data = value.get("data") if isinstance(value, Mapping) else None
    if not isinstance(data, Mapping) or "workflowMainTableInfo" not in data:
        return value
    table = data["workflowMainTableInfo"]
    main = _record(table["requestRecords"][0]) if table.get("requestRecords") else {}
    form: dict[str, Any] = {"main": main, "verdict": verdict(data, main)}
    for detail in data.get("workflowDetailTableInfos") or []:
        name = str(detail["tableDBName"]).removeprefix(f"{table['tableDBName']}_")
        form[name] = [_record(row) for row in detail.get("workflowRequestTableRecords") or []]
    return {**value, "data": form}


def verdict(request: Mapping[str, Any], main: Mapping[str, Any]) -> str:
    """draft, submitted, approved, rejected or withdrawn."""
    node = str(request["currentNodeType"])
    acts = [str(said["logType"]) for said in request.get("workflowRequestLogs") or []]
    acts = [act for act in acts if act != _EDITED]
    if node == _APPLYING:
        return "withdrawn" if _drawn_back_after_approval(acts) else "draft"
    if node == _DECIDING:
        return "submitted"
    if node == _ARCHIVED and acts[:1] == [_FORCED]:
        return "withdrawn"
    return "rejected" if str(main.get("spjg", "")) == "1" else "approved"


def _drawn_back_after_approval(acts: list[str]) -> bool:
    """Taken back right after somebody agreed, or after what was agreed had been carried out."""
    return acts[:2] == [_TAKEN_BACK, _AGREED] or acts[:3] == [_TAKEN_BACK, _PASSED, _AGREED]


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    return {str(field["fieldName"]): field.get("fieldValue") for field in row["workflowRequestTableFields"]}
