"""People in finance: they key in suppliers' invoices, pay, reject, change a supplier's bank; by session, as people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import httpx

from include.plant.emulators import exact_json
from include.plant.emulators.crm_people import PlantRefused
from include.plant.emulators.kingdee.forms import PAY_APPLY, PAY_BILL, PAYABLE, SUPPLIER

_SERVICES = "/k3cloud/Kingdee.BOS.WebApi.ServicesStub."


class FinancePeople:
    """One accountant. Logging in ends the session the same user had elsewhere. Not for several threads at once."""

    def __init__(
        self, url: str, app_id: str = "plant_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", secret: str = "", *,
        acct_id: str = "acct0000000001", user: str = "caiwu", timeout: float = 10,
    ) -> None:  # fmt: skip
        self._login = {"acctId": acct_id, "username": user, "appId": app_id,
                       "appSecret": secret or "plant-kingdee_cloud-secret", "lcid": 2052}  # fmt: skip
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def key_in(
        self, supplier: str, printed: str, lines: Sequence[Mapping[str, Any]], *, number: str = "", audit: bool = True,
        tax_percent: str = "13", currency: str = "PRE001", **fields: Any,
    ) -> str:  # fmt: skip
        """A supplier's invoice (lines: item, quantity, price, order, order_line, charge); returns its bill number."""
        net = sum(Decimal(str(line.get("quantity", "1"))) * Decimal(str(line["price"])) for line in lines)
        tax = (net * Decimal(tax_percent) / 100).quantize(Decimal("0.01"))
        model = {
            "FDate": _today(), "FSUPPLIERID": {"FNumber": supplier}, "FCURRENCYID": {"FNumber": currency},
            "FALLAMOUNTFOR": net + tax, "FNoTaxAmountFor_H": net, "FTaxAmountFor_H": tax, "F_TL_InvoiceNo": printed,
            "FEntityDetail": [_entry(line, place, tax_percent) for place, line in enumerate(lines, 1)], **fields,
        }  # fmt: skip
        return self._through(PAYABLE, model | ({"FBillNo": number} if number else {}), audit=audit)

    def pay(
        self, request: str, *, invoice: str, amount: str, number: str = "", instalment: str = "1", bank: str = "C",
        **fields: Any,
    ) -> str:  # fmt: skip
        """The bank's answer to a payment: C it went through, D it was rejected, E it came back."""
        model = {
            "FDate": _today(), "FREALPAYAMOUNTFOR": amount, "FCURRENCYID": {"FNumber": "PRE001"},
            "F_TL_Request": request, "F_TL_InvoiceNo": invoice, "F_TL_Instalment": instalment, "FBANKSTATUS": bank,
            "F_TL_BankRef": f"BANK-{request}", **fields,
        }  # fmt: skip
        return self._through(PAY_BILL, model | ({"FBillNo": number} if number else {}), audit=True)

    def requests(self) -> list[dict[str, Any]]:
        """The pay applications there are, as rows."""
        keys = "FBillNo,FDocumentStatus,FCancelStatus,FPAYAMOUNTFOR_H,F_TL_InvoiceNo,F_TL_Instalment"
        data = {"FormId": PAY_APPLY, "FieldKeys": keys, "FilterString": "", "OrderString": "FID ASC"}
        found: list[dict[str, Any]] = self.call("BillQuery", {"data": data})
        return found

    def reopen(self, form: str, number: str) -> None:
        """An audited bill is taken back for correction."""
        self.call("UnAudit", {"formid": form, "data": {"Numbers": [number]}})

    def change_bank(self, supplier: str, account: str, by: str) -> None:
        """Another bank account for a supplier, and who keyed it in."""
        told = self.call("View", {"formid": SUPPLIER, "data": {"Number": supplier}})["Result"]["Result"]
        self.call("UnAudit", {"formid": SUPPLIER, "data": {"Numbers": [supplier]}})
        model = {"FID": told["Id"], "FNumber": supplier, "F_TL_BankCode": account, "F_TL_BankChangedOn": _today()[:10],
                 "F_TL_BankChangedBy": by, "F_TL_BankConfirmedOn": "", "F_TL_BankConfirmedBy": ""}  # fmt: skip
        self._through(SUPPLIER, model, audit=True, number=supplier)

    def call(self, service: str, told: Mapping[str, Any]) -> Any:
        """One call; a session that is gone is begun anew, once."""
        answer = self._post(service, told)
        if "会话信息已丢失" in str(answer):
            self._log_in()
            answer = self._post(service, told)
        status = answer["Result"]["ResponseStatus"] if isinstance(answer, dict) else None
        if status is not None and not status["IsSuccess"]:
            raise PlantRefused(status["MsgCode"], status["Errors"][0]["Message"])
        return answer

    def _through(self, form: str, model: Mapping[str, Any], *, audit: bool, number: str = "") -> str:
        saved = self.call("Save", {"formid": form, "data": {"Model": dict(model)}})
        number = str(saved["Result"]["Number"])
        for step in ("Submit", "Audit") if audit else ():
            self.call(step, {"formid": form, "data": {"Numbers": [number]}})
        return number

    def _log_in(self) -> None:
        told = self._http.post(f"{_SERVICES}AuthService.LoginByAppSecret.common.kdsvc", json=self._login).json()
        if told["LoginResultType"] != 1:
            raise PlantRefused(told["MessageCode"], str(told["Message"]))

    def _post(self, service: str, told: Mapping[str, Any]) -> Any:
        text = _dumped(told)
        headers = {"content-type": "application/json"}
        path = f"{_SERVICES}DynamicFormService.{service}.common.kdsvc"
        return self._http.post(path, content=text, headers=headers).raise_for_status().json()


def _entry(line: Mapping[str, Any], place: int, tax_percent: str) -> dict[str, Any]:
    quantity, price = Decimal(str(line.get("quantity", "1"))), Decimal(str(line["price"]))
    entry = {
        "FSeq": place, "FPriceUnitId": {"FNumber": line.get("unit", "pcs")}, "FPriceQty": quantity, "FPrice": price,
        "FEntryTaxRate": tax_percent, "FNoTaxAmountFor_D": quantity * price, "FORDERNUMBER": line.get("order", ""),
        "F_TL_OrderLine": str(line.get("order_line", "")), "F_TL_Charge": line.get("charge", ""),
    }  # fmt: skip
    return entry | ({"FMATERIALID": {"FNumber": line["item"]}} if line.get("item") else {})


def _today() -> str:
    return dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).strftime("%Y-%m-%dT00:00:00")


def _dumped(value: Any) -> bytes:
    return exact_json.dumps(value).encode()
