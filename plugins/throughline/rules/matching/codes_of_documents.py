"""Reasons that concern a document itself, or goods and orders rather than an invoice."""

from __future__ import annotations

from throughline.rules.matching.code import BUYER, FINANCE, WAREHOUSE, Code

DOCUMENT_CODES = {
    "document_contradicts": Code(
        "blocked", FINANCE,
        "{document} is told in two ways under one number (they differ in {fields}): say which one holds.",
        "{document} 同一编号存在两种内容(差异:{fields}):请确认以哪一个为准。",
    ),
    "not_positive": Code(
        "blocked", FINANCE,
        "{document}: {field} is {value}; it must be above zero.",
        "{document}:{field} 为 {value},必须大于零。",
    ),
    "negative": Code(
        "blocked", FINANCE,
        "{document}: {field} is {value}; it must not be negative.",
        "{document}:{field} 为 {value},不得为负数。",
    ),
    "out_of_range": Code(
        "blocked", FINANCE,
        "{document}: {field} is {value}; it must be between 0 and 100.",
        "{document}:{field} 为 {value},必须在 0 到 100 之间。",
    ),
    "line_twice": Code(
        "blocked", FINANCE,
        "{document} has two lines {value}.",
        "{document} 有两个相同的行号 {value}。",
    ),
    "currency_mixed": Code(
        "blocked", FINANCE,
        "{document}: {field} is in {value}, the document is in {currency}.",
        "{document}:{field} 币种为 {value},单据币种为 {currency}。",
    ),
    "relies_on_unsound": Code(
        "blocked", FINANCE,
        "It relies on a document that cannot be right: {said}",
        "所依据的单据有误:{said_zh}",
    ),
    "receipt_without_order": Code(
        "waiting", ("buyer", "warehouse"),
        "The receipt names the order line {order_line}, which is not known: order it afterwards or link it again.",
        "收货引用的订单行 {order_line} 不存在:请补订单或重新关联。",
    ),
    "receipt_not_linked": Code(
        "exception", WAREHOUSE,
        "The receipt line names no order line: link it.",
        "收货行未引用订单行:请关联。",
    ),
    "receipt_item_differs": Code(
        "exception", WAREHOUSE,
        "{item} was received against {order_line}, which is for {ordered_item}: link it to the right line.",
        "收货物料 {item} 与订单行 {order_line} 的物料 {ordered_item} 不一致:请关联到正确的订单行。",
    ),
    "return_exceeds_receipt": Code(
        "exception", WAREHOUSE,
        "{returned} {unit} went back of {received} {unit} received.",
        "退货 {returned} {unit} 超过收货 {received} {unit}。",
    ),
    "inspection_exceeds_receipt": Code(
        "exception", WAREHOUSE,
        "{inspected} {unit} are inspected of {received} {unit} received: correct the inspection.",
        "检验数量 {inspected} {unit} 超过收货 {received} {unit}:请更正检验结果。",
    ),
    "receipt_unknown": Code(
        "waiting", WAREHOUSE,
        "It names the receipt line {receipt_line}, which is not known.",
        "所引用的收货行 {receipt_line} 不存在。",
    ),
    "over_receipt": Code(
        "exception", BUYER,
        "{received} {unit} are received of {ordered} {unit} ordered; {allowed} more are allowed: refuse or approve "
        "them. Nothing beyond the order is paid.",
        "收货 {received} {unit},订购 {ordered} {unit},允许超收 {allowed}:请拒收或审批。超出订单部分不予支付。",
    ),
    "over_receipt_within": Code(
        "note", BUYER,
        "{received} {unit} are received of {ordered} {unit} ordered, within the allowed {allowed} more.",
        "收货 {received} {unit},订购 {ordered} {unit},在允许超收 {allowed} 之内。",
    ),
    "short_closed": Code(
        "note", BUYER,
        "Nothing more will come: {open} {unit} of the order line are no longer committed.",
        "交货已结束:订单行剩余 {open} {unit} 不再占用。",
    ),
    "confirmation_differs": Code(
        "exception", BUYER,
        "The supplier confirms {field} {confirmed}, ordered is {ordered}.",
        "供应商确认{field}为 {confirmed},订单为 {ordered}。",
    ),
    "requisition_exceeded": Code(
        "exception", BUYER,
        "{ordered} {unit} are ordered for the requisition line, {requested} {unit} were asked for.",
        "申请行申请 {requested} {unit},已订购 {ordered} {unit}。",
    ),
}  # fmt: skip
