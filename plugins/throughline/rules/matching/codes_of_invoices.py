"""Reasons that concern a whole invoice, a credit note, or its payment."""

from __future__ import annotations

from throughline.rules.matching.code import BUYER, FINANCE, STEWARD, Code

INVOICE_CODES = {
    "supplier_unknown": Code(
        "blocked", STEWARD,
        "The supplier {supplier} is not known: enter or link it.",
        "供应商 {supplier} 不存在:请建立或关联供应商。",
    ),
    "supplier_blocked": Code(
        "blocked", STEWARD,
        "The supplier {supplier} is {status}.",
        "供应商 {supplier} 状态为 {status}。",
    ),
    "certificate_expired": Code(
        "blocked", STEWARD,
        "The certificate of {supplier} ended on {until}.",
        "供应商 {supplier} 的资质已于 {until} 到期。",
    ),
    "supplier_differs": Code(
        "exception", STEWARD,
        "The invoice is from {supplier}, the order went to {ordered_from}.",
        "发票供应商 {supplier} 与订单供应商 {ordered_from} 不一致。",
    ),
    "company_differs": Code(
        "exception", FINANCE,
        "The invoice is made out to {company}, {ordered_by} ordered.",
        "发票抬头公司 {company} 与下单公司 {ordered_by} 不一致。",
    ),
    "bank_changed": Code(
        "blocked", STEWARD,
        "The supplier's bank account was changed on {changed_on} by {changed_by}: a second person calls the supplier "
        "back, on a number known from before, and confirms it.",
        "供应商银行账户于 {changed_on} 由 {changed_by} 变更:须由第二人按原有电话回拨确认。",
    ),
    "bank_differs": Code(
        "blocked", STEWARD,
        "The invoice prints the bank account {printed}, which is not the supplier's: never pay to it; call back.",
        "发票所印银行账户 {printed} 与供应商主数据不符:不得按发票付款,请回拨确认。",
    ),
    "duplicate_suspected": Code(
        "duplicate", FINANCE,
        "This looks like {other} ({other_number} of {other_date}, {other_amount}): {why}. Decide before paying.",
        "疑似与 {other}({other_number},{other_date},{other_amount})重复:{why}。付款前请判定。",
        releasable=True,
    ),
    "net_differs": Code(
        "exception", FINANCE,
        "The net total is {stated} {currency}, the lines make {expected}; allowed difference {allowed}.",
        "发票净额为 {stated} {currency},各行合计 {expected};允许差异 {allowed}。",
    ),
    "gross_differs": Code(
        "exception", FINANCE,
        "The total is {stated} {currency}, net and tax make {expected}; allowed difference {allowed}.",
        "价税合计为 {stated} {currency},净额加税额为 {expected};允许差异 {allowed}。",
    ),
    "tax_differs": Code(
        "exception", FINANCE,
        "The tax is {stated} {currency}, by its rates it should be {expected}; allowed difference {allowed}.",
        "税额为 {stated} {currency},按税率应为 {expected};允许差异 {allowed}。",
        releasable=True,
    ),
    "tax_unexplained": Code(
        "exception", FINANCE,
        "The invoice charges {stated} {currency} of tax, but line {which} and its order name no tax rate.",
        "发票含税额 {stated} {currency},但第 {which} 行及其订单均无税率。",
    ),
    "tax_treatment_differs": Code(
        "exception", FINANCE,
        "The invoice's tax treatment is {stated}, the order's is {expected}.",
        "发票计税方式为 {stated},订单为 {expected}。",
        releasable=True,
    ),
    "nothing_invoiced": Code(
        "exception", FINANCE,
        "The invoice has no lines: capture them.",
        "发票没有明细行:请补录。",
    ),
    "invoice_in_future": Code(
        "exception", FINANCE,
        "The invoice is dated {invoiced_on}, {days} days from now; allowed {allowed}.",
        "发票日期 {invoiced_on} 晚于今天 {days} 天,允许 {allowed} 天。",
        releasable=True,
    ),
    "invoice_reversed": Code(
        "blocked", FINANCE,
        "The invoice itself was reversed: nothing is paid for it.",
        "发票已作废:不予支付。",
    ),
    "instalments_differ": Code(
        "exception", FINANCE,
        "The instalments make {sum}, they should make {expected}.",
        "各期合计 {sum},应为 {expected}。",
    ),
    "discount_at_risk": Code(
        "note", FINANCE,
        "Until {until} a cash discount of {percent} % ({amount} {currency}) can be taken.",
        "{until} 前付款可享现金折扣 {percent} %({amount} {currency})。",
    ),
    "invoice_awaited": Code(
        "waiting", FINANCE,
        "The credit note is for {invoice}, which is not known yet; it stays an open credit.",
        "红字发票对应的 {invoice} 尚未到达,暂作未清贷项。",
    ),
    "credit_without_reference": Code(
        "exception", FINANCE,
        "{amount} {currency} are credited without saying for what: link the credit note.",
        "贷项 {amount} {currency} 未注明对应发票:请关联。",
    ),
    "credit_exceeds_invoice": Code(
        "exception", FINANCE,
        "{amount} {currency} are credited beyond what the invoice charged; they stay an open credit.",
        "贷项超出原发票 {amount} {currency},超出部分保留为未清贷项。",
    ),
    "credit_supplier_differs": Code(
        "exception", STEWARD,
        "The credit note is from {supplier}, the invoice it names is from {invoiced_by}.",
        "红字发票供应商 {supplier} 与原发票供应商 {invoiced_by} 不一致。",
    ),
    "credit_applied": Code(
        "note", FINANCE,
        "{amount} {currency} are taken off the invoice {invoice}.",
        "{amount} {currency} 已冲减发票 {invoice}。",
    ),
    "open_credit": Code(
        "note", FINANCE,
        "{amount} {currency} were paid before they were credited: they are set against the next payment.",
        "{amount} {currency} 付款后才红冲:在下次付款中抵扣。",
    ),
    "paid_not_matched": Code(
        "exception", FINANCE,
        "{paid} {currency} are paid and only {matched} are matched: claim {claim} back with a debit note.",
        "已付 {paid} {currency},现仅匹配 {matched}:请开具借项通知追回 {claim}。",
    ),
    "requested_not_matched": Code(
        "exception", FINANCE,
        "{requested} {currency} are requested and only {matched} are matched: recall {excess}.",
        "已请款 {requested} {currency},现仅匹配 {matched}:请撤回 {excess}。",
    ),
    "residual_after_request": Code(
        "note", FINANCE,
        "{residual} {currency} of instalment {instalment} became due after it was requested: decide by hand.",
        "第 {instalment} 期请款后又产生应付 {residual} {currency}:请人工处理。",
    ),
    "request_rejected": Code(
        "blocked", ("finance", "supplier_steward"),
        "The payment request {request} was rejected: find out why before asking again.",
        "付款申请 {request} 被拒绝:请查明原因后再申请。",
        releasable=True,
    ),
    "request_recalled": Code(
        "blocked", FINANCE,
        "The payment request {request} was recalled: decide whether it is asked for again.",
        "付款申请 {request} 已撤回:请决定是否重新申请。",
        releasable=True,
    ),
    "payment_bounced": Code(
        "exception", ("finance", "supplier_steward"),
        "The bank sent back the payment {payment} of {amount} {currency}.",
        "银行退回付款 {payment}({amount} {currency})。",
    ),
    "exchange_difference": Code(
        "note", FINANCE,
        "{settled} {currency} were paid with {paid} {paid_in}; at the invoice's rate it would have been {expected}: "
        "{difference} {paid_in} go to the exchange difference account.",
        "以 {paid} {paid_in} 支付 {settled} {currency},按发票汇率应为 {expected}:"
        "差额 {difference} {paid_in} 计入汇兑损益。",
    ),
    "prepayment_not_agreed": Code(
        "exception", BUYER,
        "The order {order} agrees to no prepayment.",
        "订单 {order} 未约定预付款。",
    ),
    "prepayment_over_agreed": Code(
        "exception", BUYER,
        "{amount} {currency} are asked for in advance; {left} of the agreed {agreed} are left.",
        "预付款请款 {amount} {currency};约定 {agreed},剩余 {left}。",
    ),
    "prepayment_consumed": Code(
        "note", FINANCE,
        "{amount} {currency} were paid in advance ({prepayment}) and are taken off.",
        "预付款 {amount} {currency}({prepayment})已抵扣。",
    ),
    "retained": Code(
        "note", FINANCE,
        "{amount} {currency} are kept back until {until}.",
        "质保金 {amount} {currency} 暂扣至 {until}。",
    ),
    "retention_without_end": Code(
        "exception", BUYER,
        "The order {order} keeps {percent} % back and does not say until when.",
        "订单 {order} 约定扣留 {percent} % 但未注明到期日。",
    ),
}  # fmt: skip
