"""A workflow's form: its fields by their names, which are this workflow's own, and its detail table's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from include.plant.emulators.approvals import APPROVING, DRAFT, EXECUTING, FINISHED, ITEM, SUPPLIER, Approvals
from include.plant.emulators.calls import Refused
from include.plant.emulators.document_store import Record

WORKFLOW, MAIN = "781", "formtable_main_1356"
DETAIL = f"{MAIN}_dt1"
_MAIN_FIELDS = {
    "djbh": 50, "sqrgh": 50, "gs": 100, "bz": 20, "sqrq": 10, "sqje": 20, "spjg": 10, "cgddh": 50, "cgzt": 50,
    "cgbz": 500, "fj": 200,
}  # fmt: skip
"""Characters each holds; what is longer is cut without a word, as the database does on some sites."""
_ROW_FIELDS = {
    "xh": 20, "wlbm": 60, "wlms": 200, "wllb": 60, "sl": 38, "dw": 20, "yjdj": 38, "xqrq": 10, "cbzx": 60, "xm": 60,
    "gysbm": 60,
}  # fmt: skip
NODES = {DRAFT: ("9001", "申请", "0"), APPROVING: ("9002", "审批", "1"), EXECUTING: ("9003", "采购执行", "2"),
         FINISHED: ("9004", "归档", "3")}  # fmt: skip
LOG_TYPES = {"submit": "2", "agree": "0", "refuse": "0", "send back": "3", "withdraw": "r", "draw back": "r",
             "force": "e", "finish": "2", "edit": "i"}  # fmt: skip


def main_of(told: str) -> dict[str, str]:
    """The fields of `mainData`; names the form does not have are dropped in silence."""
    return _cut(_fields(_parsed(told, "mainData")), _MAIN_FIELDS)


def rows_of(told: str) -> list[dict[str, str]]:
    """The rows of the detail table in `detailData`; another table's rows are dropped in silence."""
    tables = [table for table in _parsed(told, "detailData") if table.get("tableDBName") == DETAIL]
    records = [record for table in tables for record in table.get("workflowRequestTableRecords", [])]
    return [_cut(_fields(record.get("workflowRequestTableFields", [])), _ROW_FIELDS) for record in records]


def _parsed(told: str, name: str) -> Any:
    try:
        return json.loads(told or "[]")
    except ValueError:
        raise Refused("PARAM_ERROR", f"{name} 不是合法的 JSON") from None


def _fields(told: Any) -> dict[str, str]:
    return {str(field.get("fieldName")): str(field.get("fieldValue", "")) for field in told}


def _cut(fields: Mapping[str, str], known: Mapping[str, int]) -> dict[str, str]:
    return {name: value[: known[name]] for name, value in fields.items() if name in known}


def checked(approvals: Approvals, rows: list[dict[str, str]]) -> None:
    """Browse buttons take only what exists."""
    for row in rows:
        for name, kind in (("wlbm", ITEM), ("gysbm", SUPPLIER)):
            if row.get(name) and not approvals.knows(kind, row[name]):
                raise Refused("PARAM_ERROR", f"{name}: {row[name]} 不存在")


def shown(request: Record, names: Mapping[str, str], when: Any) -> dict[str, Any]:
    """`getWorkflowRequest`: the form as tables of fields, and the log, newest first."""
    node, node_name, node_type = NODES[request.status]
    rows = [
        {"recordOrder": place, "workflowRequestTableFields": _as_fields({"id": f"{request.key}{place}", **row})}
        for place, row in enumerate(request.body["rows"], 1)
    ]
    log = [
        {"operatorId": said["by"], "operatorName": names.get(said["by"], said["by"]), "logType": LOG_TYPES[said["act"]],
         "operateDate": when(said["at"])[:10], "operateTime": when(said["at"])[11:], "remark": said["remark"]}
        for said in reversed(request.body["log"])
    ]  # fmt: skip
    return {
        "requestId": request.key, "requestName": request.body["title"], "currentNodeId": node,
        "currentNodeName": node_name, "currentNodeType": node_type, "status": node_name,
        "workflowBaseInfo": {"workflowId": WORKFLOW, "workflowName": "采购申请"},
        "workflowMainTableInfo": {"tableDBName": MAIN, "requestRecords": [
            {"recordOrder": 0, "workflowRequestTableFields": _as_fields(request.body["main"])}]},
        "workflowDetailTableInfos": [{"tableDBName": DETAIL, "workflowRequestTableRecords": rows}],
        "workflowRequestLogs": log,
    }  # fmt: skip


def _as_fields(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"fieldName": name, "fieldValue": value} for name, value in values.items()]
