"""Which bills and masters this site has: their fields, their entries, and what must exist for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Form:
    """One FormId: `number` is its number's field, `base` which fields name a master record of another form."""

    number: str
    head: frozenset[str]
    entry: str = ""
    entries: frozenset[str] = frozenset()
    prefix: str = ""
    base: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SUPPLIER, PAYABLE, PAY_APPLY, PAY_BILL, MATERIAL = (
    "BD_Supplier",
    "AP_Payable",
    "CN_PAYAPPLY",
    "AP_PAYBILL",
    "BD_MATERIAL",
)
FORMS: Mapping[str, Form] = {
    SUPPLIER: Form(
        "FNumber", _words("FName FForbidStatus FSOCIALCRECODE F_TL_Group F_TL_BankCode F_TL_BankChangedOn "
                          "F_TL_BankChangedBy F_TL_BankConfirmedOn F_TL_BankConfirmedBy"), required=("FName",),
    ),
    MATERIAL: Form("FNumber", _words("FName FBaseUnitId")),
    PAYABLE: Form(
        "FBillNo", _words("FDate FENDDATE_H FSUPPLIERID FCURRENCYID FALLAMOUNTFOR FNoTaxAmountFor_H FTaxAmountFor_H "
                          "F_TL_InvoiceNo F_TL_Nature F_TL_Credits F_TL_Order F_TL_BankCode FCancelStatus"),
        "FEntityDetail", _words("FSeq FMATERIALID FPriceUnitId FPriceQty FPrice FEntryTaxRate FNoTaxAmountFor_D "
                                "FComment F_TL_Charge FORDERNUMBER F_TL_OrderLine"),
        base={"FSUPPLIERID": SUPPLIER, "FMATERIALID": MATERIAL}, required=("FSUPPLIERID",),
    ),
    PAY_APPLY: Form(
        "FBillNo", _words("FDate FENDDATE FCONTACTUNIT FCURRENCYID FPAYAMOUNTFOR_H F_TL_InvoiceNo F_TL_Instalment "
                          "F_TL_BankCode F_TL_PayStatus FCancelStatus"),
        "FPAYAPPLYENTRY", _words("FAPPLYAMOUNTFOR"), base={"FCONTACTUNIT": SUPPLIER}, required=("FCURRENCYID",),
    ),
    PAY_BILL: Form(
        "FBillNo", _words("FDate FCONTACTUNIT FCURRENCYID FREALPAYAMOUNTFOR F_TL_Request F_TL_InvoiceNo "
                          "F_TL_Instalment FBANKSTATUS F_TL_BankRef F_TL_Refund"),
        "FPAYBILLENTRY", _words("FPAYTOTALAMOUNTFOR"), base={"FCONTACTUNIT": SUPPLIER},
    ),
}  # fmt: skip
"""Fields that begin with F_TL_ were made for the hub on this site, as sites do with BOS; the rest is the vendor's."""
STATUS_FIELDS = _words("FID FDocumentStatus FModifyDate FCreateDate")
