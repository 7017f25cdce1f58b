"""Reasons that concern one line of an invoice."""

from __future__ import annotations

from throughline.rules.matching.code import BUYER, FINANCE, WAREHOUSE, Code

LINE_CODES = {
    "order_awaited": Code(
        "waiting", BUYER,
        "The order line {order_line} is not known yet: the invoice waits for the order.",
        "订单行 {order_line} 尚未到达:发票等待采购订单。",
    ),
    "receipt_awaited": Code(
        "waiting", WAREHOUSE,
        "{invoiced} {unit} are invoiced, {matched} {unit} of them are received: {missing} {unit} are awaited.",
        "开票 {invoiced} {unit},已收货可匹配 {matched} {unit}:等待收货 {missing} {unit}。",
    ),
    "inspection_awaited": Code(
        "waiting", WAREHOUSE,
        "{missing} {unit} are received but not inspected yet; {matched} of {invoiced} {unit} are matched.",
        "已收货但尚未检验 {missing} {unit};开票 {invoiced},已匹配 {matched}。",
    ),
    "receipt_overdue": Code(
        "exception", ("buyer", "warehouse"),
        "The goods have been awaited since {since} for more than {days} days: ask the supplier or the warehouse.",
        "自 {since} 起等待收货已超过 {days} 天:请向供应商或仓库核实。",
    ),
    "quantity_over_ordered": Code(
        "exception", BUYER,
        "{over} {unit} are invoiced beyond the order of {ordered} {unit}: change the order or ask for a credit note.",
        "开票超出订单 {over} {unit}(订购 {ordered} {unit}):请变更订单或要求红字发票。",
    ),
    "quantity_over_received": Code(
        "exception", BUYER,
        "{missing} {unit} are invoiced and nothing more will be delivered: ask for a credit note.",
        "开票 {missing} {unit} 未收货且交货已结束:请要求红字发票。",
    ),
    "goods_returned": Code(
        "exception", BUYER,
        "{missing} {unit} went back to the supplier: ask for a credit note or a replacement.",
        "{missing} {unit} 已退供应商:请要求红字发票或补货。",
    ),
    "receipt_reversed": Code(
        "exception", WAREHOUSE,
        "The receipt of {missing} {unit} was reversed: book the right receipt or ask for a credit note.",
        "{missing} {unit} 的收货已冲销:请重新入库或要求红字发票。",
    ),
    "goods_rejected": Code(
        "exception", BUYER,
        "Inspection rejected {missing} {unit}: ask for a credit note or a replacement.",
        "检验拒收 {missing} {unit}:请要求红字发票或补货。",
    ),
    "quantity_cut": Code(
        "note", FINANCE,
        "{over} {unit} more are invoiced than may be paid; within tolerance, {cut} {currency} of it are not paid.",
        "开票数量超出可付数量 {over} {unit},在容差内,其中 {cut} {currency} 不予支付。",
    ),
    "price_over": Code(
        "exception", ("buyer", "finance"),
        "The price is {price} {currency}, ordered at {expected} {currency} for {per}: {difference} more ({percent} %), "
        "allowed {allowed}.",
        "单价 {price} {currency},订单价 {expected} {currency}(每 {per}):"
        "高出 {difference}({percent} %),允许 {allowed}。",
        releasable=True,
    ),
    "price_within": Code(
        "note", FINANCE,
        "The price is {difference} {currency} ({percent} %) above the order, within the allowed {allowed}.",
        "单价高于订单 {difference} {currency}({percent} %),在允许的 {allowed} 之内。",
    ),
    "price_favourable": Code(
        "note", BUYER,
        "The price is {difference} {currency} ({percent} %) below the order.",
        "单价低于订单 {difference} {currency}({percent} %)。",
        releasable=True,
    ),
    "currency_converted": Code(
        "note", FINANCE,
        "Ordered at {ordered} {order_currency}, that is {expected} {currency} at {rate} ({source}).",
        "订单价 {ordered} {order_currency},按汇率 {rate}({source})折合 {expected} {currency}。",
    ),
    "item_differs": Code(
        "exception", BUYER,
        "The invoice charges {item}, the order line is for {ordered_item}.",
        "发票物料 {item} 与订单行物料 {ordered_item} 不一致。",
    ),
    "line_without_order": Code(
        "exception", BUYER,
        "The line names neither an order line nor a charge: name what it is for.",
        "该行既无订单行也无费用代码:请补充对应关系。",
    ),
    "quantity_missing": Code(
        "exception", FINANCE,
        "The line names an order line but no quantity.",
        "该行引用了订单行但没有数量。",
    ),
    "amount_without_quantity": Code(
        "exception", FINANCE,
        "Every piece is credited and {amount} {currency} are still charged: ask for a credit note over the rest.",
        "数量已全部红冲,但仍有金额 {amount} {currency}:请要求冲减剩余金额。",
    ),
    "line_amount_differs": Code(
        "exception", FINANCE,
        "{quantity} at {price} make {expected} {currency}, the line says {amount}: ask for a corrected invoice.",
        "{quantity} × {price} = {expected} {currency},但发票行金额为 {amount}:请要求更正发票。",
    ),
    "factor_missing": Code(
        "exception", BUYER,
        "The unit {unit} of {item} cannot be converted into {into}: add its factor to the item or to the order line.",
        "{item} 的单位 {unit} 无法换算为 {into}:请在物料或订单行维护换算系数。",
    ),
    "rate_missing": Code(
        "exception", FINANCE,
        "There is no exchange rate from {currency} into {into} for {on}: add one.",
        "缺少 {on} 的汇率 {currency} → {into}:请维护汇率。",
    ),
    "tolerance_missing": Code(
        "exception", FINANCE,
        "The tolerance table says nothing at {place}: fill it in (include/matching).",
        "容差表缺少 {place}:请补充(include/matching)。",
    ),
    "order_cancelled": Code(
        "exception", BUYER,
        "The order {order} is cancelled: nothing is paid for it.",
        "订单 {order} 已取消:不予支付。",
    ),
    "invoice_before_order": Code(
        "exception", BUYER,
        "The invoice of {invoiced_on} is older than the order of {ordered_on} by {days} days, allowed {allowed}.",
        "发票日期 {invoiced_on} 早于订单日期 {ordered_on} {days} 天,允许 {allowed} 天。",
        releasable=True,
    ),
    "delivered_early": Code(
        "exception", BUYER,
        "Delivered on {received_on}, {days} days before the promised {due_on}; allowed {allowed}.",
        "{received_on} 到货,比约定日期 {due_on} 提前 {days} 天,允许 {allowed} 天。",
        releasable=True,
    ),
    "delivered_late": Code(
        "note", BUYER,
        "Delivered on {received_on}, {days} days after the promised {due_on}; allowed {allowed}.",
        "{received_on} 到货,比约定日期 {due_on} 延迟 {days} 天,允许 {allowed} 天。",
        releasable=True,
    ),
    "tax_rate_differs": Code(
        "exception", FINANCE,
        "The tax rate is {rate} %, the order says {expected} %.",
        "税率 {rate} %,订单为 {expected} %。",
        releasable=True,
    ),
    "charge_unknown": Code(
        "exception", FINANCE,
        "The charge {charge} is not declared: add it to include/matching or name an order line.",
        "费用代码 {charge} 未定义:请在 include/matching 中维护或引用订单行。",
    ),
    "charge_over": Code(
        "exception", BUYER,
        "{amount} {currency} are charged for {charge}; {planned} are planned and {allowed} allowed beyond.",
        "{charge} 收取 {amount} {currency};订单计划 {planned},另允许 {allowed}。",
        releasable=True,
    ),
    "charge_within": Code(
        "note", FINANCE,
        "{amount} {currency} are charged for {charge}; {planned} are planned and {allowed} allowed beyond.",
        "{charge} 收取 {amount} {currency};订单计划 {planned},另允许 {allowed}。",
    ),
    "credited": Code(
        "note", FINANCE,
        "The credit note {credit} takes back {amount} {currency}.",
        "红字发票 {credit} 冲减 {amount} {currency}。",
    ),
}  # fmt: skip
