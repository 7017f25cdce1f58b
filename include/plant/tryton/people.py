"""What people do in the warehouse that Tryton runs: receive what was announced, send off what was ordered, or parts.

What is received or shipped in parts is split as Tryton's people do it: the rest goes to another shipment under the same
reference, and its moves name the first ones as their origin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from include.plant.emulators.clients import PlantRefused
from include.plant.tryton.json_rpc import TrytonClient, TrytonRefused

IN, OUT, MOVE = "stock.shipment.in", "stock.shipment.out", "stock.move"
_OPEN = ("draft", "waiting", "assigned")
_SHIP = {"draft": "wait", "waiting": "assign_try", "assigned": "pick", "picked": "pack", "packed": "do"}
_COPIED = ("product", "unit", "from_location", "to_location", "company", "currency", "unit_price")
Rows = list[dict[str, Any]]


class TrytonWarehousePeople:
    """Receives what was announced and ships what was ordered; speaks of documents by the numbers the hub gave them."""

    def __init__(self, url: str, *, password: str, login: str = "people", database: str = "wms") -> None:
        self._tryton = TrytonClient(url, database, login, password)

    def close(self) -> None:
        """Go home."""
        self._tryton.close()

    def open(self) -> dict[str, Rows]:
        """Expected receipts (`asns`), orders to ship (`orders`) and the stock, as the other warehouse tells them."""
        return {"asns": self.expected(), "orders": self.orders(), "stock": self.stock()}

    def expected(self) -> Rows:
        """Announced and not yet received in full: docNo, and per line what was expected and what came."""
        drafts = self._shipments(IN, [["state", "=", "draft"], ["reference", "!=", None]])
        return self._documents(IN, drafts, "expectedQty", "received")

    def orders(self) -> Rows:
        """Ordered and not yet shipped in full: docNo, and per line what was ordered and what left."""
        waiting = self._shipments(OUT, [["state", "in", _OPEN], ["reference", "!=", None]])
        return self._documents(OUT, waiting, "qtyOrdered", "shipped")

    def stock(self) -> Rows:
        """What lies in the warehouse: sku and qty."""
        warehouses = self._tryton.search("stock.location", [["type", "=", "warehouse"]], "name")
        context = {"locations": [warehouse["id"] for warehouse in warehouses], "with_childs": True}
        rows = self._tryton.search("product.product", [["code", "!=", None]], "code", "quantity", **context)
        return [{"sku": row["code"], "qty": _text(row["quantity"])} for row in rows]

    def receive(
        self, number: str, lines: Sequence[Mapping[str, Any]] | None = None, *, last: bool = False
    ) -> str:  # fmt: skip
        """Put goods away: all that is left, or some lines (lineNo, qty); `last`: nothing more will come of it."""
        shipment = self._one_open(IN, number, ("draft",))
        self._fit(IN, shipment, lines, keep_rest=not last)
        self._press(IN, "receive", shipment["id"])
        self._press(IN, "do", shipment["id"])
        return self._number(IN, shipment["id"])

    def ship(self, number: str, lines: Sequence[Mapping[str, Any]] | None = None, *, last: bool = False) -> str:
        """Send goods off: all that is left, or some lines (lineNo, qty); `last`: the rest will not follow."""
        shipment = self._one_open(OUT, number, _OPEN)
        if shipment["state"] != "draft":
            self._press(OUT, "wait", shipment["id"])
            self._press(OUT, "draft", shipment["id"])
        self._fit(OUT, shipment, lines, keep_rest=not last)
        self._see_off(shipment["id"], number)
        return self._number(OUT, shipment["id"])

    def _see_off(self, shipment: int, number: str) -> None:
        state = "draft"
        while state in _SHIP:
            self._press(OUT, _SHIP[state], shipment)
            before, state = state, self._tryton.call(OUT, "read", [shipment], ["state"])[0]["state"]
            if state == before:
                raise PlantRefused("stock", f"there is too little in stock to ship {number}")

    def _fit(
        self, model: str, shipment: Mapping[str, Any], lines: Sequence[Mapping[str, Any]] | None, *, keep_rest: bool
    ) -> None:  # fmt: skip
        """Leave in this shipment what is handled now; the rest goes to a new one under the same reference."""
        moves = self._moves(model, shipment["id"])
        wanted = {str(line["lineNo"]): Decimal(str(line["qty"])) for line in lines or ()}
        changes, parts, later = [], [], []
        for move in moves:
            there = Decimal(str(move["quantity"]))
            now = min(wanted.get(_line(move), Decimal(0)), there) if lines else there
            if now:
                changes.append(["write", [move["id"]], {"quantity": float(now)}])
            else:
                later.append(move["id"])
            if there > now > 0:
                parts.append(self._rest_of(move, there - now))
        if not changes:
            raise PlantRefused("lines", f"there is nothing of these lines left in {shipment['reference']}")
        if keep_rest and (parts or later):
            self._set_aside(model, shipment["id"], [["create", parts], ["add", later]])
        elif later:
            changes.append(["delete", later])
        self._tryton.call(model, "write", [shipment["id"]], {_moves_of(model): changes})

    def _rest_of(self, move: Mapping[str, Any], quantity: Decimal) -> dict[str, Any]:
        values = self._tryton.call(MOVE, "read", [move["id"]], list(_COPIED))[0]
        values.pop("id")
        return {**values, "quantity": float(quantity), "origin": f"{MOVE},{_line(move)}"}

    def _set_aside(self, model: str, shipment: int, moves: list[list[Any]]) -> None:
        """A shipment under the same reference for what follows: new moves for the rest of one, and whole ones."""
        (rest,) = self._tryton.call(model, "copy", [shipment], {"moves": None})
        reference = self._tryton.call(model, "read", [shipment], ["reference"])[0]["reference"]
        self._tryton.call(model, "write", [rest], {"reference": reference, _moves_of(model): moves})
        if model == OUT:
            self._press(OUT, "wait", rest)

    def _documents(self, model: str, shipments: Rows, wanted: str, done: str) -> Rows:
        documents = []
        for shipment in shipments:
            moves = self._moves(model, shipment["id"])
            past = self._past(model, shipment["reference"])
            details = [
                {"lineNo": _line(move), "sku": move["product."]["code"], done: _text(past.get(_line(move), 0)),
                 wanted: _text(Decimal(str(move["quantity"])) + past.get(_line(move), Decimal(0)))}
                for move in moves if move["quantity"]
            ]  # fmt: skip
            documents.append({"docNo": shipment["reference"], "details": details})
        return [document for document in documents if document["details"]]

    def _past(self, model: str, reference: str) -> dict[str, Decimal]:
        amounts: dict[str, Decimal] = {}
        for shipment in self._shipments(model, [["state", "=", "done"], ["reference", "=", reference]]):
            for move in self._moves(model, shipment["id"]):
                amounts[_line(move)] = amounts.get(_line(move), Decimal(0)) + Decimal(str(move["quantity"]))
        return amounts

    def _shipments(self, model: str, domain: list[Any]) -> Rows:
        return self._tryton.search(model, domain, "number", "reference", "state")

    def _one_open(self, model: str, number: str, states: Sequence[str]) -> dict[str, Any]:
        found = self._shipments(model, [["reference", "=", number], ["state", "in", states]])
        if not found:
            raise PlantRefused("unknown", f"nothing of {number} is open")
        return found[0]

    def _moves(self, model: str, shipment: int) -> Rows:
        fields = [f"{_moves_of(model)}.{field}" for field in ("quantity", "origin", "product.code")]
        moves: Rows = self._tryton.call(model, "read", [shipment], fields)[0][f"{_moves_of(model)}."]
        return sorted(moves, key=lambda move: int(move["id"]))

    def _press(self, model: str, button: str, shipment: int) -> None:
        try:
            self._tryton.call(model, button, [shipment])
        except TrytonRefused as no:
            raise PlantRefused(button, str(no)) from no

    def _number(self, model: str, shipment: int) -> str:
        return str(self._tryton.call(model, "read", [shipment], ["number"])[0]["number"])


def _moves_of(model: str) -> str:
    return "incoming_moves" if model == IN else "outgoing_moves"


def _line(move: Mapping[str, Any]) -> str:
    """The first move of what was split is the line."""
    model, _, first = str(move["origin"] or "").partition(",")
    return first if model == MOVE else str(move["id"])


def _text(quantity: Any) -> str:
    number = Decimal(str(quantity))
    return f"{number.quantize(Decimal(1)) if number == number.to_integral_value() else number:f}"
