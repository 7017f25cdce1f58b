"""The sentences that answer a change, in English and Chinese, for the sales person and the customer."""

from __future__ import annotations

from throughline.rules.order_comparison import LineDelta
from throughline.rules.units import plain

_KINDS = {
    "none": ("nothing that matters changed", "无实质变更"),
    "increase": ("a larger quantity", "增加数量"),
    "decrease": ("a smaller quantity", "减少数量"),
    "cancel": ("the cancellation", "取消订单"),
    "lines": ("changed lines", "订单行变更"),
    "address": ("a new address", "变更收货地址"),
    "date": ("a new date", "变更交期"),
}
_STAGES = {
    "before_release": ("before production was released", "尚未下达生产"),
    "in_production": ("while it is in production", "生产进行中"),
    "after_goods_issue": ("after goods have left the warehouse", "已发货"),
}


def sentence_for(kind: str, stage: str, outcome: str, number: str, deltas: list[LineDelta]) -> dict[str, str]:
    """One sentence that says what was asked, what was decided and why."""
    if outcome == "apply":
        return _accepted(kind, stage, number, deltas)
    return _refused(kind, stage, number, deltas)


def _accepted(kind: str, stage: str, number: str, deltas: list[LineDelta]) -> dict[str, str]:
    details = ", ".join(_step(delta) for delta in deltas if delta.before != delta.after)
    told = f" ({details})" if details and kind != "cancel" else ""
    english, chinese = _KINDS[kind]
    stage_en, stage_zh = _STAGES[stage]
    return {
        "en": f"Order {number}: {english} accepted {stage_en}{told}.",
        "zh": f"订单 {number}:{stage_zh},{chinese}已接受{told}。",
    }


def _refused(kind: str, stage: str, number: str, deltas: list[LineDelta]) -> dict[str, str]:
    english, chinese = _KINDS[kind]
    stage_en, stage_zh = _STAGES[stage]
    floors = ", ".join(_floor(delta) for delta in deltas if delta.floor > 0 and delta.after < delta.before)
    made_en = f"; already made or sent: {floors}" if floors else ""
    made_zh = f";已完工或已发出:{floors}" if floors else ""
    offer = stage == "after_goods_issue"
    return {
        "en": f"Order {number}: {english} refused {stage_en}{made_en}." + (" A return is offered." if offer else ""),
        "zh": f"订单 {number}:{stage_zh},不能{chinese}{made_zh}。" + ("可办理退货。" if offer else ""),
    }


def _step(delta: LineDelta) -> str:
    return f"{delta.line}: {plain(delta.before)} → {plain(delta.after)} {delta.unit}"


def _floor(delta: LineDelta) -> str:
    return f"{delta.line}: {plain(delta.floor)} {delta.unit}"
