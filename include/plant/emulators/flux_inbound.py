"""Goods coming in: announced by the ERP side (ASN), received by people, told back as receipts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from include.plant.emulators.calls import Refused
from include.plant.emulators.document_store import DocumentStore, Duplicate, Record
from include.plant.emulators.flux_lines import line_of, lines_of, local_time, required, wanted_lines
from include.plant.emulators.flux_stock import Stock

ASN, RECEIPT = "asn", "receipt"
OPEN = ("00", "30")


class Inbound:
    """Expected receipts and what really arrived."""

    def __init__(self, store: DocumentStore, stock: Stock) -> None:
        self._store, self._stock = store, stock

    def put(self, header: Mapping[str, Any]) -> Record:
        """Announce goods; a document number is accepted once, ever."""
        number = required(header, "docNo")
        lines = lines_of(header, "expectedQty", "received")
        for line in lines:
            self._stock.known(line["sku"])
        body = {
            "docNo": number, "wmsOrderNo": f"ASN{self._store.next_number(ASN):08d}", "status": "00",
            **{name: header.get(name) for name in
               ("asnType", "asnReferenceA", "asnReferenceB", "asnCreationTime", "expectedArriveTime1")},
            "details": lines,
        }  # fmt: skip
        try:
            return self._store.insert(ASN, number, body, number=number, status="00")
        except Duplicate:
            raise Refused("DUPLICATE", f"单号已存在: {number}") from None

    def find(self, number: Any) -> Record:
        """The expected receipt with this number."""
        found = self._store.get(ASN, str(number or ""))
        if found is None:
            raise Refused("NOT_FOUND", f"入库单不存在: {number}")
        return found

    def cancel(self, told: Mapping[str, Any]) -> Record:
        """Take an announcement back; too late once anything arrived. Cancelling twice is cancelling once."""
        asn = self.find(told.get("docNo"))
        if asn.status == "90":
            return asn
        if asn.status != "00":
            raise Refused("RECEIVED", f"入库单 {asn.number} 已收货，不能取消")
        asn.body["cancelReason"] = told.get("erpCancelReason")
        return self._move(asn, "90")

    def receive(self, wish: Mapping[str, Any]) -> tuple[Record, dict[str, Any]]:
        """People put goods away: all that is left, or the given lines; returns the receipt and what to tell."""
        asn = self.find(wish.get("docNo"))
        if asn.status not in OPEN:
            raise Refused("NOT_OPEN", f"入库单 {asn.number} 状态 {asn.status}，不能收货")
        taken = wanted_lines(asn.body["details"], wish.get("lines"), "expectedQty", "received")
        for number, amount, told in taken:
            self._take(line_of(asn.body["details"], number), amount, bool(told.get("over")))
        left = any(Decimal(line["received"]) < Decimal(line["expectedQty"]) for line in asn.body["details"])
        self._move(asn, "30" if left and not wish.get("last") else "99")
        return self._receipt(asn, taken)

    def _take(self, line: dict[str, Any], amount: Decimal, over: bool) -> None:
        total = Decimal(line["received"]) + amount
        if total > Decimal(line["expectedQty"]) and not over:
            raise Refused("OVER_RECEIPT", f"收货数超过预期: {line['sku']}")
        line["received"] = str(total)
        self._stock.move(line["sku"], amount, Decimal(0))

    def _receipt(
        self, asn: Record, taken: list[tuple[str, Decimal, Mapping[str, Any]]]
    ) -> tuple[Record, dict[str, Any]]:
        number = f"RC{self._store.next_number(RECEIPT):08d}"
        lines = []
        for line_no, amount, told in taken:
            line = line_of(asn.body["details"], line_no)
            lot = told.get("lotAtt04") or line.get("lotAtt04") or ""
            lines.append({"lineNo": line_no, "sku": line["sku"], "receivedQty": str(amount), "lotAtt04": lot,
                          "userDefine1": line.get("userDefine1") or ""})  # fmt: skip
        body = {
            "docNo": asn.number, "WMSReceiptNo": number, "receivedTime": local_time(self._store.clock()),
            "status": "99", "details": lines,
        }  # fmt: skip
        return self._store.insert(RECEIPT, number, body, number=number, parent=asn.number, status="99"), body

    def _move(self, asn: Record, status: str) -> Record:
        asn.status = asn.body["status"] = status
        self._store.save(asn)
        return asn
