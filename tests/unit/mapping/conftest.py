"""What the mapping tests share: the real tables and codes, and a registry that knows everybody."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from throughline.mapping import Codes, Table, Translator, load_tables

ROOT = Path(__file__).parents[3]
PRODUCTS = ROOT / "plugins" / "throughline" / "connectors" / "products"
OWNERS = {
    "sales_order": "crm", "customer": "crm", "item": "erp", "work_order": "erp", "production_report": "mes",
    "receipt": "wms", "shipment": "wms", "stock_level": "wms", "purchase_requisition": "oa", "supplier": "erp",
    "purchase_order": "erp", "supplier_confirmation": "srm", "purchase_receipt": "wms", "purchase_invoice": "finance",
    "payment": "finance",
}  # fmt: skip
ZONES = dict.fromkeys(("crm", "erp", "mes", "wms", "mail", "oa", "srm", "finance"), "Asia/Shanghai")
Pair = tuple[str, str]


class Everybody:
    """A registry in which every canonical id has a number in every system, and back; items come in cartons of 4."""

    def __init__(self, *, strangers: Collection[str] = ()) -> None:
        self._ids: dict[tuple[str, str, str], str] = {}
        self._back: dict[tuple[str, str, str], str] = {}
        self._strangers = set(strangers)
        self.questions: list[str] = []

    def know(self, role: str, kind: str, their_id: str, canonical_id: str) -> None:
        self._ids[role, kind, canonical_id] = their_id
        self._back[role, kind, their_id] = canonical_id

    def canonical_many(self, role: str, wanted: Collection[Pair]) -> Mapping[Pair, str]:
        self.questions.append(f"canonical {len(wanted)}")
        return {pair: self._back[role, *pair] for pair in wanted if (role, *pair) in self._back}

    def theirs_many(self, role: str, wanted: Collection[Pair]) -> Mapping[Pair, str]:
        self.questions.append(f"theirs {len(wanted)}")
        for kind, canonical_id in wanted:
            if canonical_id not in self._strangers and (role, kind, canonical_id) not in self._ids:
                self.know(role, kind, str(1000 + len(self._ids)), canonical_id)
        return {pair: self._ids[role, *pair] for pair in wanted if (role, *pair) in self._ids}

    def factors_many(self, items: Collection[str]) -> Mapping[str, tuple[str, Mapping[str, Decimal]]]:
        self.questions.append(f"factors {len(items)}")
        factors = {"carton": Decimal(4), "pallet": Decimal(48)}
        return {item: ("pcs", factors) for item in items if item not in self._strangers}


@pytest.fixture(scope="session")
def codes() -> Codes:
    return Codes.load(ROOT / "include" / "codes")


@pytest.fixture(scope="session")
def tables(codes: Codes) -> list[Table]:
    return load_tables(PRODUCTS, codes)


@pytest.fixture
def registry() -> Everybody:
    return Everybody()


@pytest.fixture
def translator(tables: list[Table], codes: Codes, registry: Everybody) -> Translator:
    return Translator(tables, codes, OWNERS, registry, zones=ZONES)


@pytest.fixture
def table_of(tmp_path: Path, codes: Codes) -> Callable[[str], Table]:
    """A table from its text."""

    def load(text: str) -> Table:
        path = tmp_path / "table.yaml"
        path.write_text(text, encoding="utf-8")
        return Table.load(path, codes)

    return load
