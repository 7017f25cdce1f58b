"""What a worker loads once and every schedule uses: profiles, tables, codes, the flow, connections to its database."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.faults.database import BEGINNING, Database
from tests.faults.machines import Shelf
from throughline.connectors.contract import Connection, Tier
from throughline.connectors.mechanisms.http.declared_objects import OperationDeclared
from throughline.connectors.mechanisms.http.product_parts import ProductParts
from throughline.connectors.mechanisms.http.profile import Profile
from throughline.connectors.products.flux import inbound as flux
from throughline.connectors.registry import AnyProfile
from throughline.connectors.yaml_files import read_model
from throughline.mapping import Codes, Translator, load_tables
from throughline.process.flow_files import load_flows

HERE = Path(__file__).parent
PRODUCTS = HERE / "products"
INCLUDE = HERE.parents[1] / "include"
ROLES = ("crm", "erp", "mes", "wms", "mail")
OWNERS = {
    "sales_order": "crm", "customer": "crm", "item": "erp", "work_order": "erp", "production_report": "mes",
    "receipt": "wms", "shipment": "wms", "stock_level": "wms",
}  # fmt: skip
POLLED = (("crm", "customer"), ("erp", "item"), ("crm", "item"), ("crm", "sales_order"), ("erp", "work_order"),
          ("mes", "production_report"))  # fmt: skip


@dataclass(frozen=True)
class Pace:
    concurrency: int = 2


@dataclass(frozen=True)
class System:
    product: str
    deliver: Pace = Pace()


class Landscape:
    """Which simulated product plays which role."""

    def __init__(self) -> None:
        self.systems = {role: System(f"sim_{role}") for role in ROLES}

    def owner_of(self, kind: str) -> str:
        return OWNERS.get(kind, "hub")


@dataclass
class Bench:
    """One worker's tools."""

    database: Database
    shelf: Shelf
    flows: dict[str, dict[str, Any]]
    """by name, each as the only one of its hub"""
    translator: Translator
    landscape: Landscape = field(default_factory=Landscape)


class NoRegistry:
    """Stands in until a schedule brings its ledger."""

    def canonical_many(self, role: str, wanted: Any) -> dict[Any, Any]:
        raise NotImplementedError

    theirs_many = canonical_many

    def factors_many(self, items: Any) -> dict[Any, Any]:
        raise NotImplementedError


def open_bench(database: Database) -> Bench:
    codes = Codes.load(INCLUDE / "codes")
    tables = load_tables(PRODUCTS, codes)
    zones = dict.fromkeys(ROLES, "Asia/Shanghai")
    translator = Translator(tables, codes, OWNERS, NoRegistry(), zones=zones)
    known = {**load_flows(INCLUDE / "flows"), **load_flows(HERE / "flows")}
    flows = {name: {name: flow} for name, flow in known.items()}
    return Bench(database, Shelf(database.dsn), flows, translator)


def connection_of(role: str) -> Connection:
    return Connection(role, f"http://{role}.plant", "hub", f"the secret of {role}")


def path_of(role: str) -> Path:
    return PRODUCTS / f"sim_{role}" / "profile.yaml"


def parts_of(role: str) -> ProductParts:
    return ProductParts(inbound=flux if role == "wms" else None)


@cache
def declared_profile(role: str) -> Any:
    """What a role's product declares, before a schedule chooses tiers."""
    return read_model(path_of(role), AnyProfile).root


@cache
def profile_of(role: str, tiers: tuple[tuple[str, str], ...]) -> Profile:
    """A role's profile with the tiers a schedule gives it; the same promises its target keeps."""
    declared = declared_profile(role)
    changed = dict(tiers)
    objects = {
        kind: one.model_copy(update={"operations": {
            name: _with_tier(operation, changed.get(kind)) if name == "create" else operation
            for name, operation in one.operations.items()
        }})
        for kind, one in declared.objects.items()
    }  # fmt: skip
    made: Profile = declared.model_copy(update={"objects": objects})
    return made


def _with_tier(operation: OperationDeclared, tier: str | None) -> OperationDeclared:
    return operation if tier is None else operation.model_copy(update={"tier": Tier(tier)})


__all__ = ["BEGINNING"]
