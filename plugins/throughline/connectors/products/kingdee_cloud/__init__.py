"""金蝶云星空 Kingdee Cloud (K/3 Cloud) as the finance system: payables, pay applications, payments, suppliers."""
