"""The hub's side of these tests: connectors to the real Tryton, and a translator over a registry that remembers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.plant_fixtures import *  # noqa: F403
from tests.unit.mapping.conftest import OWNERS, PRODUCTS, ROOT, ZONES
from throughline.canonical import Item, Quantity, SalesOrder, SalesOrderLine
from throughline.connectors.contract import Captured, Carried, Connection, Connector
from throughline.connectors.registry import open_connector
from throughline.mapping import Codes, Translator, load_tables

Pair = tuple[str, str]
CODES = Codes.load(ROOT / "include" / "codes")
TABLES = load_tables(PRODUCTS, CODES)


class Remembered:
    """Who is who, as the ledger would remember it."""

    def __init__(self) -> None:
        self.ids: dict[tuple[str, str, str], str] = {}
        self.items: dict[str, tuple[str, Mapping[str, Decimal]]] = {}

    def learn(self, role: str, kind: str, their_id: str, canonical_id: str) -> None:
        known = self.ids.setdefault((role, kind, their_id), canonical_id)
        assert known == canonical_id, f"{role} {kind} {their_id} is {known} and now {canonical_id}"

    def canonical_many(self, role: str, wanted: Collection[Pair]) -> Mapping[Pair, str]:
        return {pair: self.ids[role, *pair] for pair in wanted if (role, *pair) in self.ids}

    def theirs_many(self, role: str, wanted: Collection[Pair]) -> Mapping[Pair, str]:
        back = {(known, kind, ref): theirs for (known, kind, theirs), ref in self.ids.items()}
        return {pair: back[role, *pair] for pair in wanted if (role, *pair) in back}

    def factors_many(self, items: Collection[str]) -> Mapping[str, tuple[str, Mapping[str, Decimal]]]:
        return {item: self.items[item] for item in items if item in self.items}


class Hub:
    """One system seen through its connector and the translator, as a process would use it."""

    def __init__(self, role: str, connector: Connector, registry: Remembered) -> None:
        self.role, self.connector, self.registry = role, connector, registry
        self.translator = Translator(TABLES, CODES, OWNERS, registry, zones=ZONES)

    async def capture(self, document: str, cursor: Any = None) -> tuple[list[Captured], Any]:
        records: list[Captured] = []
        async for page in self.connector.changes(document, cursor):
            records += page.records
            cursor = page.cursor
        return records, cursor

    async def read(self, document: str) -> dict[str, Any]:
        """Everything there, as canonical documents by number; what is told is remembered."""
        read = {}
        for record in (await self.capture(document))[0]:
            for identity in self.translator.read_identities(self.connector.product, self.role, document, record.raw):
                self.registry.learn(self.role, identity.kind, identity.their_id, identity.canonical_id)
            doc = self.translator.read(self.connector.product, self.role, document, record.raw)
            if isinstance(doc, Item):
                self.registry.items[f"item:erp:{doc.number}"] = (doc.unit, doc.factors)
            read[doc.number] = doc
        return read

    async def send(self, doc: Any, operation: str = "create", *, key: str = "k") -> Carried:
        payload = self.translator.write(self.connector.product, self.role, doc.kind, doc, operation=operation)
        carried = await self.connector.send(doc.kind, operation, payload, reference=doc.number, key=key)
        header = self.translator.canonical_id(doc)
        self.registry.learn(self.role, doc.kind, carried.their_id, header) if doc.kind != "receipt" else None
        for ours, theirs in carried.lines.items():
            self.registry.learn(self.role, f"{doc.kind}.line", theirs, f"{header}#{ours}")
        return carried


class Cut(httpx.AsyncBaseTransport):
    """A road that breaks at the n-th write: before it is sent, or after it was carried out."""

    def __init__(self, at: int, *, after: bool) -> None:
        self._road = httpx.AsyncHTTPTransport()
        self._at, self._after, self.writes = at, after, 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reading = (b".search_read", b'.read"', b'.search"', b"get_preferences", b"common.db.login")
        if any(word in request.content for word in reading):
            return await self._road.handle_async_request(request)
        self.writes += 1
        if self.writes != self._at:
            return await self._road.handle_async_request(request)
        if self._after:
            await (await self._road.handle_async_request(request)).aread()
            raise httpx.ReadTimeout("the answer was lost")
        raise httpx.ConnectError("the road broke")

    async def __aenter__(self) -> Cut:
        await self._road.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._road.__aexit__(None, None, None)


@pytest.fixture(scope="session")
def registry() -> Remembered:
    return Remembered()


Opener = Callable[..., Connector]


@pytest.fixture
def open_erp(erp_connection: Connection) -> Opener:
    return lambda **road: open_connector("tryton_erp", "erp", erp_connection, **road)


@pytest.fixture
def open_wms(wms_connection: Connection) -> Opener:
    return lambda **road: open_connector("tryton_wms", "wms", wms_connection, **road)


@pytest.fixture
async def erp(open_erp: Opener, registry: Remembered) -> Any:
    """The ERP, its customers and items known."""
    async with open_erp() as connector:
        hub = Hub("erp", connector, registry)
        await hub.read("customer")
        await hub.read("item")
        yield hub


@pytest.fixture
async def wms(open_wms: Opener, registry: Remembered) -> Any:
    async with open_wms() as connector:
        yield Hub("wms", connector, registry)


def order(number: str, *lines: tuple[str, str, str, str], status: str = "confirmed") -> SalesOrder:
    """An order of the CRM: lines of (line, item, quantity, unit)."""
    return SalesOrder(
        number=number, status=status, customer="customer:crm:C-1001",
        lines=tuple(
            SalesOrderLine(line=line, item=f"item:erp:{item}", quantity=Quantity(value=Decimal(value), unit=unit),
                           unit_price={"amount": Decimal("1200.00"), "currency": "CNY"})
            for line, item, value, unit in lines
        ),
    )  # fmt: skip
