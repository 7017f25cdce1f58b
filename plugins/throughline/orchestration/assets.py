"""The names under which Airflow shows who feeds whom: one asset per kind of document and system.

`crm/sales_order` is updated when something of that kind was captured; flows are scheduled on the documents they start
from and wait for, so that Airflow's asset graph draws which system feeds which flow.
"""

from __future__ import annotations

from airflow.sdk import Asset, AssetWatcher
from airflow.triggers.base import BaseEventTrigger

GROUP = "throughline"


def document_asset(role: str, document: str) -> Asset:
    """Documents of one kind as one system tells them."""
    return Asset(name=f"{role}/{document}", uri=f"throughline://{role}/{document}", group=GROUP)


def wake_up(name: str, trigger: BaseEventTrigger) -> Asset:
    """Something the triggerer watches; its events carry no data, they only say: look into the ledger now."""
    watcher = AssetWatcher(name=name.replace("/", "_"), trigger=trigger)
    return Asset(name=name, uri=f"throughline://{name}", group=GROUP, watchers=[watcher])
