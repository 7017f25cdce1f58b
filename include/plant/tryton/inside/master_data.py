"""The company, its books, items, customers and stock, keyed in as a consultant would: through Tryton's models.

Runs with the Python of Tryton's own environment: `python master_data.py <database> <trytond.cfg>`, with the master data
(include/plant/seed.yaml) as JSON on standard input.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from decimal import Decimal
from typing import Any

import accounting  # type: ignore[import-not-found]  # beside this script
import proteus

_ROOT_ONLY = "Administration"
_SYMBOLS = {"pcs": "u"}  # Tryton counts in units


def fill(database: str, config_file: str, seed: dict[str, Any]) -> None:
    """Everything an empty company needs to sell, make and ship; the books only where there are books."""
    session = proteus.config.set_trytond(database, user="admin", config_file=config_file)
    company = _company(seed["company"], session)
    books = accounting.open_books(company, session) if _knows("account.account") else None
    if books:
        sellers = proteus.Model.get("party.category")(name="Suppliers")
        sellers.save()
        for supplier in seed["suppliers"]:
            _supplier(supplier, sellers.id, books)
    buyers = proteus.Model.get("party.category")(name="Customers")
    buyers.save()
    for customer in seed["customers"]:
        _customer(customer, buyers.id, books)
    products = {item["number"]: _item(item, books) for item in seed["items"]}
    if _knows("production.bom"):
        for item in seed["items"]:
            _bill_of_materials(item, products)
    _opening_stock(seed["items"], products, company, books)
    _numbers()
    _user("Throughline hub", "hub")
    _user("People in the plant", "people")


def _knows(model: str) -> bool:
    return bool(proteus.Model.get("ir.model").find([("name", "=", model)]))


def _company(seed: dict[str, Any], session: Any) -> Any:
    currency = proteus.Model.get("currency.currency")(
        name="Renminbi", symbol="¥", code="CNY", numeric_code="156", rounding=Decimal("0.01"), digits=2
    )
    rate = currency.rates.new()
    rate.date, rate.rate = dt.date(2020, 1, 1), Decimal(1)
    currency.save()
    party = proteus.Model.get("party.party")(name=seed["name"])
    party.save()
    wizard = proteus.Wizard("company.company.config")
    wizard.execute("company")
    wizard.form.party, wizard.form.currency, wizard.form.timezone = party, currency, "Asia/Shanghai"
    wizard.execute("add")
    session._context = proteus.Model.get("res.user").get_preferences(True, {})
    (company,) = proteus.Model.get("company.company").find()
    return company


def _party(seed: dict[str, Any]) -> Any:
    """A party with its number first among its identifiers: that number is what all systems share."""
    party = proteus.Model.get("party.party")(name=seed["name"], code=seed["number"])
    for number in filter(None, (seed["number"], seed.get("tax_number"))):
        party.identifiers.new(code=number)
    address = party.addresses[0] if party.addresses else party.addresses.new()
    address.street_unstructured, address.city = seed["street"], seed["city"]
    if seed.get("email"):
        party.contact_mechanisms.new(type="email", value=seed["email"])
    return party


def _customer(seed: dict[str, Any], buyers: int, books: accounting.Books | None) -> None:
    party = _party(seed)
    party.categories.append(proteus.Model.get("party.category")(buyers))
    if books:
        party.customer_payment_term = books.payment_term
    party.save()


def _supplier(seed: dict[str, Any], sellers: int, books: accounting.Books) -> None:
    party = _party(seed)
    party.categories.append(proteus.Model.get("party.category")(sellers))
    party.supplier_payment_term = books.payment_term
    party.save()


def _units(item: dict[str, Any]) -> Any:
    """A unit category of the item's own, so that a carton holds as many as this item's carton really holds."""
    category = proteus.Model.get("product.uom.category")(name=item["number"])
    category.save()
    base, *_ = [
        _unit(symbol, float(factor), category)
        for symbol, factor in ({_SYMBOLS.get(item["unit"], item["unit"]): "1"} | item["factors"]).items()
    ]
    return base


def _unit(symbol: str, factor: float, category: Any) -> Any:
    """The item's own unit is counted whole; of a carton a part may leave, so it is kept to six places."""
    digits = 0 if factor == 1 else 6
    unit = proteus.Model.get("product.uom")(name=symbol, symbol=symbol, category=category, rounding=10.0**-digits)
    unit.factor, unit.digits = factor, digits
    unit.save()
    return unit


def _item(item: dict[str, Any], books: accounting.Books | None) -> Any:
    template = proteus.Model.get("product.template")(name=item["name"], default_uom=_units(item), type="goods")
    template.code = item["number"]
    template.list_price = Decimal(item["price"])
    if books:
        template.account_category = books.goods
        template.salable, template.purchasable, template.producible = True, not item["made"], item["made"]
        template.supply_on_sale = "always" if item["made"] else None
    (product,) = template.products
    product.cost_price = Decimal(item["cost"])
    template.save()
    return template.products[0]


def _bill_of_materials(item: dict[str, Any], products: dict[str, Any]) -> None:
    if not item.get("bom"):
        return
    bill = proteus.Model.get("production.bom")(name=item["number"])
    for part in item["bom"]:
        bill.inputs.new(product=products[part["item"]], quantity=float(part["quantity"]))
    bill.outputs.new(product=products[item["number"]], quantity=1.0)
    bill.save()
    product = products[item["number"]]
    product.boms.new(bom=bill)
    product.save()


def _opening_stock(items: list[dict[str, Any]], products: dict[str, Any], company: Any, books: Any) -> None:
    """Raw material lies in the ERP's store from the start; the warehouse system keeps finished goods only."""
    if not books:
        return
    location = proteus.Model.get("stock.location")
    (store,) = location.find([("code", "=", "STO")])
    inventory = proteus.Model.get("stock.inventory")(location=store, company=company)
    for item in items:
        if item.get("stock"):
            inventory.lines.new(product=products[item["number"]], quantity=float(item["stock"]))
    inventory.save()
    inventory.click("confirm")


def _numbers() -> None:
    """Numbers people can tell apart: S00001 is a sale, MO00001 a production, DN00001 a delivery."""
    for name, prefix in (
        ("Sale", "S"), ("Production", "MO"), ("Customer Shipment", "DN"), ("Supplier Shipment", "GR"),
        ("Purchase", "PO"),
    ):  # fmt: skip
        for sequence in proteus.Model.get("ir.sequence").find([("name", "=", name)]):
            sequence.prefix, sequence.padding = prefix, 5
            sequence.save()


def _user(name: str, login: str) -> None:
    """An account in every group but administration; its password is set when the database is handed out."""
    user = proteus.Model.get("res.user")(name=name, login=login)
    for group in proteus.Model.get("res.group").find([("name", "!=", _ROOT_ONLY)]):
        user.groups.append(group)
    user.save()


if __name__ == "__main__":
    fill(sys.argv[1], sys.argv[2], json.load(sys.stdin))
