"""What Kingdee lets happen to a bill: saved (A), submitted (B), audited (C), reopened (D), each by its own call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.plant.emulators.calls import Refused
from include.plant.emulators.document_store import DocumentStore, Duplicate, Record
from include.plant.emulators.kingdee.forms import FORMS, Form

SAVED, SUBMITTED, AUDITED, REOPENED = "A", "B", "C", "D"
_STEPS = {
    "Submit": ((SAVED, REOPENED), SUBMITTED), "Audit": ((SUBMITTED,), AUDITED), "UnAudit": ((AUDITED,), REOPENED),
    "CancelAssign": ((SUBMITTED,), SAVED), "Delete": ((SAVED, REOPENED), ""),
}  # fmt: skip
_NAMES = {SAVED: "创建", SUBMITTED: "审核中", AUDITED: "已审核", REOPENED: "重新审核"}
Outcome = tuple[list[Record], list[dict[str, Any]]]


class Bills:
    """Bills of all forms; every method runs inside the caller's transaction."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def save(self, form_id: str, data: Mapping[str, Any]) -> Record:
        """A new bill, or other values for one that is not on its way; the number may be used once."""
        form, model = form_of(form_id), dict(data.get("Model") or {})
        self._check(form, model)
        key = int(model.pop("FID", 0) or 0)
        if key:
            return self._change(form_id, form, key, model, data)
        number = str(model.get(form.number) or f"{form_id[:2]}{self._store.next_number(form_id):06d}")
        body = {**_head(form, model), form.number: number}
        if form.entry:
            body[form.entry] = [self._entry(form, row) for row in model.get(form.entry) or []]
        key = 100_000 + self._store.next_number("FID")
        try:
            return self._store.insert(form_id, str(key), body, number=number, status=SAVED, unique={"number": number})
        except Duplicate:
            raise Refused(11, f"违反字段唯一性要求：编码唯一。{number} 在当前系统中已经被使用。") from None

    def _change(
        self, form_id: str, form: Form, key: int, model: Mapping[str, Any], data: Mapping[str, Any]
    ) -> Record:  # fmt: skip
        bill = self._store.get(form_id, str(key))
        if bill is None:
            raise Refused(10, f"传递的内码值不存在: {key}")
        if bill.status not in (SAVED, REOPENED):
            raise Refused(12, f"{bill.number} {_NAMES[bill.status]}，不允许修改")
        bill.body.update(_head(form, model))
        if form.entry in model:
            told = [self._entry(form, row) for row in model[form.entry]]
            kept = {row["FENTRYID"] for row in told}
            others = [] if str(data.get("IsDeleteEntry", "true")).lower() == "true" else bill.body[form.entry]
            bill.body[form.entry] = [row for row in others if row["FENTRYID"] not in kept] + told
        self._store.save(bill)
        return bill

    def _entry(self, form: Form, row: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in row.items() if name in form.entries}
        return {"FENTRYID": row.get("FENTRYID") or 500_000 + self._store.next_number("FENTRYID"), **kept}

    def _check(self, form: Form, model: Mapping[str, Any]) -> None:
        for name in form.required:
            if not model.get(name) and not model.get("FID"):
                raise Refused(9, f"字段 {name} 是必填项")
        for row in (model, *(model.get(form.entry) or [])):
            for name, master in form.base.items():
                number = str((row.get(name) or {}).get("FNumber") or "")
                if number and self._store.numbered(master, number) is None:
                    raise Refused(11, f"{name} 的编码 {number} 不存在或未审核")

    def step(self, name: str, form_id: str, data: Mapping[str, Any]) -> Outcome:
        """One step for many bills: those that may go, go; the others each have their error."""
        form_of(form_id)
        done: list[Record] = []
        errors: list[dict[str, Any]] = []
        for place, bill in enumerate(self._named(form_id, data)):
            try:
                done.append(self._go(name, bill))
            except Refused as no:
                errors.append({"FieldName": None, "Message": no.message, "DIndex": place})
        return done, errors

    def _go(self, name: str, bill: Record | str) -> Record:
        if isinstance(bill, str):
            raise Refused(10, f"编码 {bill} 不存在")
        allowed, after = _STEPS[name]
        if bill.status not in allowed:
            raise Refused(12, f"单据 {bill.number} {_NAMES[bill.status]}，不允许 {name}")
        if bill.body.get("FCancelStatus") == "B" and name != "UnAudit":
            raise Refused(12, f"单据 {bill.number} 已作废，不允许 {name}")
        if after:
            bill.status = after
            self._store.save(bill)
        else:
            self._store.remove(bill)
        return bill

    def operate(self, form_id: str, op_number: str, data: Mapping[str, Any]) -> Outcome:
        """`ExcuteOperation`: Cancel and UnCancel a bill, Forbid and Enable a master."""
        marks = {"Cancel": ("FCancelStatus", "B"), "UnCancel": ("FCancelStatus", "A"),
                 "Forbid": ("FForbidStatus", "B"), "Enable": ("FForbidStatus", "A")}  # fmt: skip
        if op_number not in marks:
            raise Refused(3, f"操作 {op_number} 不存在")
        done, errors = [], []
        for place, bill in enumerate(self._named(form_id, data)):
            if isinstance(bill, str) or (op_number == "Cancel" and bill.status not in (SAVED, REOPENED)):
                number = bill if isinstance(bill, str) else bill.number
                errors.append({"FieldName": None, "Message": f"单据 {number} 不允许 {op_number}", "DIndex": place})
                continue
            bill.body[marks[op_number][0]] = marks[op_number][1]
            self._store.save(bill)
            done.append(bill)
        return done, errors

    def view(self, form_id: str, data: Mapping[str, Any]) -> Record:
        """One bill by number or id."""
        form_of(form_id)
        key = str(data.get("Id") or "")
        found = self._store.get(form_id, key) if key else self._store.numbered(form_id, str(data.get("Number") or ""))
        if found is None:
            raise Refused(10, f"传递的编码值不存在: {data.get('Number') or key}")
        return found

    def _named(self, form_id: str, data: Mapping[str, Any]) -> list[Record | str]:
        numbers = [str(number) for number in data.get("Numbers") or []]
        ids = [key.strip() for key in str(data.get("Ids") or "").split(",") if key.strip()]
        found: list[Record | str] = [self._store.numbered(form_id, number) or number for number in numbers]
        return found + [self._store.get(form_id, key) or key for key in ids]


def form_of(form_id: str) -> Form:
    """The form, or the vendor's complaint."""
    if form_id not in FORMS:
        raise Refused(8, f"业务对象 {form_id} 不存在")
    return FORMS[form_id]


def _head(form: Form, model: Mapping[str, Any]) -> dict[str, Any]:
    """Only fields the form has; others are dropped in silence."""
    return {name: value for name, value in model.items() if name in form.head or name == form.number}
