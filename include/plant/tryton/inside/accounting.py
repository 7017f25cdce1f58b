"""The books Tryton insists on before it lets anybody sell: chart of accounts, fiscal year, payment term."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import proteus


@dataclass(frozen=True)
class Books:
    """What items and customers need of the books."""

    goods: Any
    payment_term: Any


def open_books(company: Any, session: Any) -> Books:
    """A chart of accounts, three fiscal years and a payment term of 30 days."""
    _chart(company, session)
    this_year = dt.datetime.now(dt.UTC).year
    for year in range(this_year - 1, this_year + 2):
        _fiscal_year(company, year)
    term = proteus.Model.get("account.invoice.payment_term")(name="30 days")
    line = term.lines.new(type="remainder")
    line.relativedeltas.new(days=30)
    term.save()
    goods = proteus.Model.get("product.category")(name="Goods", accounting=True)
    goods.account_expense, goods.account_revenue = _account("expense", company), _account("revenue", company)
    goods.save()
    return Books(goods=goods, payment_term=term)


def _account(kind: str, company: Any) -> Any:
    accounts = proteus.Model.get("account.account")
    query = [(f"type.{kind}", "=", True), ("company", "=", company.id), ("closed", "!=", True)]
    return accounts.find(query, limit=1)[0]


def _chart(company: Any, session: Any) -> None:
    root = proteus.Model.get("ir.model.data").get_id("account.account_template_root_en", session.context)
    wizard = proteus.Wizard("account.create_chart")
    wizard.execute("account")
    wizard.form.account_template = proteus.Model.get("account.account.template")(root)
    wizard.form.company = company
    wizard.execute("create_account")
    for name, kind in (
        ("account_receivable", "receivable"), ("account_payable", "payable"),
        ("category_account_expense", "expense"), ("category_account_revenue", "revenue"),
    ):  # fmt: skip
        setattr(wizard.form, name, _account(kind, company))
    wizard.execute("create_properties")


def _sequence(name: str, kind: str, company: Any) -> Any:
    (sequence_type,) = proteus.Model.get("ir.sequence.type").find([("name", "=", kind)], limit=1)
    sequence = proteus.Model.get("ir.sequence.strict")(name=name, sequence_type=sequence_type, company=company)
    sequence.save()
    return sequence


def _fiscal_year(company: Any, year: int) -> None:
    books = proteus.Model.get("account.fiscalyear")(name=str(year), company=company)
    books.start_date, books.end_date = dt.date(year, 1, 1), dt.date(year, 12, 31)
    books.move_sequence = _sequence(f"move {year}", "Account Move", company)
    (numbers,) = books.invoice_sequences
    for name in ("out_invoice", "in_invoice", "out_credit_note", "in_credit_note"):
        setattr(numbers, f"{name}_sequence", _sequence(f"{name} {year}", "Invoice", company))
    books.save()
    books.click("create_period")
