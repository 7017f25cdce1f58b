"""The finance system's protocol (Kingdee Cloud): two signatures, `Result.ResponseStatus`, rows of bare values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from include.plant.emulators.calls import Answer, Call, Refused
from include.plant.emulators.document_store import DocumentStore, Record
from include.plant.emulators.kingdee.bills import AUDITED, Bills, form_of
from include.plant.emulators.kingdee.filters import condition
from include.plant.emulators.kingdee.forms import MATERIAL, STATUS_FIELDS, SUPPLIER, Form
from include.plant.emulators.kingdee.signatures import Doorman
from include.plant.emulators.seed import Seed
from include.plant.emulators.settings import Settings

_ZONE, _MOST_ROWS = ZoneInfo("Asia/Shanghai"), 2000
_STEPS = frozenset({"Submit", "Audit", "UnAudit", "CancelAssign", "Delete"})
_QUERIES = frozenset({"ExecuteBillQuery", "BillQuery"})


class Kingdee:
    """The façade: who calls, which service, and what Kingdee says of it."""

    def __init__(self, settings: Settings, store: DocumentStore) -> None:
        self.settings, self.store = settings, store
        self._bills, self._doorman = Bills(store), Doorman(settings, store.clock)

    def operation(self, call: Call) -> str:
        """`CN_PAYAPPLY/Save`, `AP_Payable/ExecuteBillQuery` and the like."""
        told = call.json()
        form = told.get("formid") or (told.get("data") or {}).get("FormId") or ""
        return f"{form}/{_service(call)}" if form else _service(call)

    def answer(self, call: Call) -> Answer:
        """One call, in one transaction; an error of a query comes wrapped in two lists."""
        service = _service(call)
        try:
            if service == "LoginByAppSecret":
                return Answer(*_login(self._doorman.log_in(call.json())))
            self._doorman.check(call)
            with self.store.transaction():
                return Answer(self._business(service, call.json()))
        except Refused as no:
            told = _status(errors=[{"FieldName": None, "Message": no.message, "DIndex": 0}], code=no.code)
            return Answer([[told]] if service in _QUERIES else told)

    def throttled(self) -> Answer:
        """Too many calls: still HTTP 200."""
        return Answer(_status(errors=[{"FieldName": None, "Message": "调用次数超限", "DIndex": 0}], code=14))

    def _business(self, service: str, told: Mapping[str, Any]) -> Any:
        data = told.get("data") or {}
        form_id = str(told.get("formid") or data.get("FormId") or "")
        if service in _QUERIES:
            return self._query(form_id, data, named=service == "BillQuery")
        if service == "Save":
            return _status(done=[self._bills.save(form_id, data)])
        if service == "View":
            return _status(shown=_shown(self._bills.view(form_id, data)))
        if service in _STEPS:
            return _status(*self._bills.step(service, form_id, data))
        if service == "ExcuteOperation":
            return _status(*self._bills.operate(form_id, str(told.get("opNumber")), data))
        raise Refused(8, f"服务 {service} 不存在")

    def _query(self, form_id: str, data: Mapping[str, Any], *, named: bool) -> list[Any]:
        form = form_of(form_id)
        keys = [key.strip() for key in str(data.get("FieldKeys") or "").split(",") if key.strip()]
        for key in keys:
            if not _knows(form, key):
                raise Refused(500, f"字段 {key} 不存在")
        wanted = condition(data.get("FilterString"), lambda key: _knows(form, key))
        by_entry = any(_is_entry(form, key) for key in keys)
        rows = [row for row in self._rows(form_id, form, by_entry=by_entry) if wanted(row)]
        for order in reversed(str(data.get("OrderString") or "FID").split(",")):
            name, _, way = order.strip().partition(" ")
            rows.sort(key=lambda row: _sortable(row.get(name)), reverse=way.strip().upper() == "DESC")
        start, limit = int(data.get("StartRow") or 0), min(int(data.get("Limit") or _MOST_ROWS), _MOST_ROWS)
        page = rows[start : start + limit]
        return [{key: row.get(key) for key in keys} if named else [row.get(key) for key in keys] for row in page]

    def _rows(self, form_id: str, form: Form, *, by_entry: bool) -> Iterator[dict[str, Any]]:
        """One row for a bill, or one for each of its entries, with every field under its flat name."""
        late = self.store.clock() - int(self.settings.lag_seconds * 1000)
        for bill in self.store.select(form_id, "changed <= ?", (late,), order="id"):
            head = _flat({**bill.body, "FID": int(bill.key), "FDocumentStatus": bill.status,
                          "FModifyDate": _local(bill.changed), "FCreateDate": _local(bill.created)})  # fmt: skip
            if not by_entry:
                yield head
                continue
            for entry in bill.body.get(form.entry) or []:
                whole = {**entry, f"{form.entry}_FENTRYID": entry["FENTRYID"]}
                yield {**head, **_flat(whole)}

    def act(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """An administrator ends all sessions: `expire_sessions`."""
        if wish["do"] != "expire_sessions":
            raise Refused("unknown", f"nobody in finance can {wish['do']!r}")
        self._doorman.forget()
        return {}

    def plant_seed(self, seed: Seed) -> None:
        """Suppliers with their banks, and materials; all audited."""
        for each in seed.suppliers:
            bank = str(each.get("bank_account", "")).replace(" ", "")
            self._master(SUPPLIER, {"FNumber": each["number"], "FName": each["name"], "FForbidStatus": "A",
                                    "F_TL_BankCode": bank})  # fmt: skip
        for each in seed.items:
            self._master(MATERIAL, {"FNumber": each["number"], "FName": each["name"]})

    def _master(self, form_id: str, model: Mapping[str, Any]) -> None:
        record = self._bills.save(form_id, {"Model": model})
        record.status = AUDITED
        self.store.save(record)


def _login(told: tuple[dict[str, object], dict[str, str]]) -> tuple[Any, int, dict[str, str]]:
    return told[0], 200, told[1]


def _service(call: Call) -> str:
    return call.path.rsplit("/", 1)[-1].removesuffix(".common.kdsvc").rpartition(".")[2]


def _status(
    done: list[Record] | None = None, errors: list[dict[str, Any]] | None = None, *, code: int | str = 0,
    shown: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """`Result.ResponseStatus`; what some of many did stands beside what the others could not."""
    entities = [{"Id": bill.key, "Number": bill.number, "DIndex": place} for place, bill in enumerate(done or [])]
    status: dict[str, Any] = {"IsSuccess": not errors, "Errors": errors or [], "SuccessEntitys": entities,
                              "SuccessMessages": [], "MsgCode": code if isinstance(code, int) else 4}  # fmt: skip
    if errors:
        status["ErrorCode"] = 500
        status["MsgCode"] = code or 11
    result: dict[str, Any] = {"ResponseStatus": status}
    if done:
        result |= {"Id": int(done[0].key), "Number": done[0].number, "NeedReturnData": [{}]}
    if shown is not None:
        result["Result"] = shown
    return {"Result": result}


def _shown(bill: Record) -> dict[str, Any]:
    """`View` calls the fields by the names of their properties: without the F."""
    told = {name[1:] if name.startswith("F") else name: value for name, value in bill.body.items()}
    return {"Id": int(bill.key), **told, "DocumentStatus": bill.status, "ModifyDate": _local(bill.changed)}


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": deep for inner, deep in value.items()}
        flat[name] = value
    return flat


def _knows(form: Form, key: str) -> bool:
    name = key.partition(".")[0]
    return name in form.head | form.entries | STATUS_FIELDS | {form.number, f"{form.entry}_FENTRYID"}


def _is_entry(form: Form, key: str) -> bool:
    return key.partition(".")[0] in form.entries or key == f"{form.entry}_FENTRYID"


def _sortable(value: Any) -> tuple[int, int, str]:
    return (0, value, "") if isinstance(value, int) else (1, 0, str(value or ""))


def _local(stamp: int) -> str:
    """Local time without a zone, to the millisecond, as a datetime of SQL Server prints."""
    moment = datetime.fromtimestamp(stamp // 1000, UTC).astimezone(_ZONE)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp % 1000:03d}"
