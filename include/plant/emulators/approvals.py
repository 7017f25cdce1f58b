"""Approval in an office: who decides about a request, what was said, and how it ended. The OA emulators share it.

"Finished" says nothing about "approved": a request also ends when it is refused or ended by force; and what was
approved can be drawn back, or changed by somebody with the rights to.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from include.plant.emulators.calls import Refused
from include.plant.emulators.document_store import DocumentStore, Record
from include.plant.emulators.seed import Seed

REQUEST, PERSON, ITEM, SUPPLIER = "request", "person", "item", "supplier"
DRAFT, APPROVING, EXECUTING, FINISHED = "draft", "approving", "executing", "finished"
AGREED, REFUSED, FORCED, DRAWN_BACK = "agreed", "refused", "forced", "drawn back"
COSTS_MUCH = Decimal(50_000)


class Approvals:
    """Requests and what people do with them; every method runs inside the caller's transaction."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def plant_seed(self, seed: Seed) -> None:
        """The people who ask and decide, and what may be asked for."""
        for person in seed.staff:
            self._store.insert(PERSON, person["id"], person, number=person["login"])
        for kind, records in ((ITEM, seed.items), (SUPPLIER, seed.suppliers)):
            for each in records:
                self._store.insert(kind, each["number"], {"name": each["name"]}, number=each["number"])

    def person(self, key: str) -> Record:
        """Who has this id."""
        found = self._store.get(PERSON, key)
        if found is None:
            raise Refused("nobody", f"人员不存在: {key}")
        return found

    def by_login(self, login: str) -> Record | None:
        """Who logs in by this name."""
        return self._store.numbered(PERSON, login)

    def knows(self, kind: str, number: str) -> bool:
        """Whether there is such an item or supplier."""
        return self._store.numbered(kind, number) is not None

    def request(self, key: str) -> Record:
        """The request with this id."""
        found = self._store.get(REQUEST, key)
        if found is None:
            raise Refused("none", f"流程不存在: {key}")
        return found

    def start(self, key: str, creator: str, body: Mapping[str, Any], *, submit: bool) -> Record:
        """A new request: a draft, or at once before the first who has to decide."""
        whole = {**body, "creator": creator, "log": [], "verdict": "", "waits_for": creator, "decided": []}
        request = self._store.insert(REQUEST, key, whole, number=str(body["title"]), status=DRAFT)
        if submit:
            self.submit(request, creator)
        return request

    def submit(self, request: Record, by: str, remark: str = "") -> None:
        """The applicant sends it on its way."""
        self._only(request, by, {DRAFT})
        request.body["verdict"], request.body["decided"] = "", []
        self._say(request, by, "submit", remark)
        self._pass_on(request)

    def agree(self, request: Record, by: str, remark: str = "") -> None:
        """One who has to decide agrees; the last of them makes it approved."""
        self._only(request, by, {APPROVING})
        request.body["decided"].append(by)
        self._say(request, by, "agree", remark)
        self._pass_on(request)

    def refuse(self, request: Record, by: str, remark: str = "") -> None:
        """One who has to decide says no: that is the end of it, and it looks as finished as any other."""
        self._only(request, by, {APPROVING})
        request.body["verdict"] = REFUSED
        self._say(request, by, "refuse", remark)
        self._move(request, FINISHED, "")

    def send_back(self, request: Record, by: str, remark: str = "") -> None:
        """Back to the applicant, who may change it and try again."""
        self._only(request, by, {APPROVING})
        self._say(request, by, "send back", remark)
        self._move(request, DRAFT, request.body["creator"])

    def withdraw(self, request: Record, by: str, remark: str = "") -> None:
        """The applicant takes it back before anybody decided."""
        if by != request.body["creator"] or request.status != APPROVING or request.body["decided"]:
            raise Refused("not now", f"流程 {request.key} 不能撤回")
        self._say(request, by, "withdraw", remark)
        self._move(request, DRAFT, by)

    def draw_back(self, request: Record, by: str, remark: str = "") -> None:
        """An approval is revoked after it was given."""
        if request.status not in (EXECUTING, FINISHED) or request.body["verdict"] != AGREED:
            raise Refused("not now", f"流程 {request.key} 不能收回")
        request.body["verdict"] = DRAWN_BACK
        self._say(request, by, "draw back", remark)
        self._move(request, DRAFT, request.body["creator"])

    def force_end(self, request: Record, by: str, remark: str = "") -> None:
        """An administrator ends it: finished, and nobody agreed."""
        if request.status == FINISHED:
            raise Refused("not now", f"流程 {request.key} 已归档")
        request.body["verdict"] = FORCED
        self._say(request, by, "force", remark)
        self._move(request, FINISHED, "")

    def finish(self, request: Record, by: str, remark: str = "") -> None:
        """What was approved is carried out."""
        self._only(request, by, {EXECUTING})
        self._say(request, by, "finish", remark)
        self._move(request, FINISHED, "")

    def write(self, request: Record, changes: Mapping[str, Any]) -> None:
        """Somebody writes into the form, at whatever stage it is."""
        request.body["main"].update(changes)
        self._store.save(request)

    def edited(self, request: Record, by: str) -> None:
        """Somebody with the rights to has changed the form, even after it was approved."""
        self._say(request, by, "edit", "")
        self._store.save(request)

    def _only(self, request: Record, by: str, stages: set[str]) -> None:
        if request.status not in stages or request.body["waits_for"] != by:
            raise Refused("not yours", f"流程 {request.key} 当前不由 {by} 处理")

    def _pass_on(self, request: Record) -> None:
        deciders = self._deciders(request)
        if not deciders:
            raise Refused("no approver", f"流程 {request.key} 没有审批人")
        left = [key for key in deciders if key not in request.body["decided"]]
        if left:
            self._move(request, APPROVING, left[0])
            return
        request.body["verdict"] = AGREED
        self._move(request, EXECUTING, request.body["executor"])

    def _deciders(self, request: Record) -> list[str]:
        """The applicant's manager; the manager's manager too where it costs much. Never the applicant."""
        chain, person = [], self.person(request.body["creator"])
        for _ in range(2 if _amount(request.body.get("amount")) >= COSTS_MUCH else 1):
            above = self.by_login(person.body["manager"])
            if above is None:
                break
            chain.append(above.key)
            person = above
        return [key for key in chain if key != request.body["creator"]]

    def _say(self, request: Record, by: str, act: str, remark: str) -> None:
        request.body["log"].append({"by": by, "act": act, "remark": remark, "at": self._store.clock()})

    def _move(self, request: Record, stage: str, waits_for: str) -> None:
        request.status, request.body["waits_for"] = stage, waits_for
        self._store.save(request)


def _amount(value: Any) -> Decimal:
    try:
        return Decimal(str(value or 0))
    except InvalidOperation:
        return Decimal(0)
