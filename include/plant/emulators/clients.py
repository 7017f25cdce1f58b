"""People of the plant, for the demo, the day driver and tests: tiny clients that share nothing with the hub."""

from __future__ import annotations

from include.plant.emulators.crm_people import CrmPeople, PlantRefused
from include.plant.emulators.kingdee.people import FinancePeople
from include.plant.emulators.mes_people import MesPeople
from include.plant.emulators.seeyon.people import SeeyonPeople
from include.plant.emulators.warehouse_people import ControlDeskPeople, WarehousePeople
from include.plant.emulators.weaver.people import EcologyPeople
from include.plant.emulators.xieke.people import SupplierPeople

__all__ = [
    "ControlDeskPeople",
    "CrmPeople",
    "EcologyPeople",
    "FinancePeople",
    "MesPeople",
    "PlantRefused",
    "SeeyonPeople",
    "SupplierPeople",
    "WarehousePeople",
]
