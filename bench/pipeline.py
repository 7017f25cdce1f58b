"""Documents per second through capture → map → deliver, and the same target driven by a bare httpx loop beside it.

Both write the same outbound orders to the same emulated FLUX with the same concurrency. The hub also reads the orders
from the emulated CRM, keeps them, maps them, commits each intent before its call and each outcome after it.

Two pairs of figures. In the first the target answers at once, so it is a race for the CPU: hub, PostgreSQL and target
share this machine's cores. In the second the target takes 20 ms to answer, as a system on the LAN does, with the same
concurrency for both: there the question is whether the hub keeps the target busy.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median
from typing import Any
from urllib.parse import urlencode

import httpx

from bench.emulated import emulated
from bench.ledger_sets import now
from bench.scratch_postgres import scratch_ledger
from include.plant.emulators.clients import CrmPeople
from throughline.connectors.contract import Captured, Connection
from throughline.connectors.landscape import Landscape
from throughline.connectors.products.flux.signer import signature
from throughline.connectors.registry import PRODUCTS, open_connector
from throughline.ledger import Ledger, migrate
from throughline.ledger.entries import Identity, Translation
from throughline.mapping import Codes, Translator, load_tables
from throughline.process.flow_files import load_flows
from throughline.process.garbage import look_for_garbage_less_often
from throughline.process.ledger_registry import LedgerRegistry
from throughline.process.sweep import Engine
from throughline.process.translator_words import TranslatorWords

ROOT = Path(__file__).parents[1]
DOCUMENTS = int(os.environ.get("BENCH_DOCUMENTS", "1000"))
ROUNDS = 3
CONCURRENCY = 8
LAN_SECONDS = 0.02


def engine(dsn: str, connections: dict[str, Connection]) -> Engine:
    """The hub as it runs in a task, over the bench's own ledger and systems."""
    look_for_garbage_less_often()
    ledger = Ledger(dsn, clock=now)
    landscape = Landscape.load(ROOT / "include" / "systems")
    landscape.systems["wms"] = landscape.systems["wms"].model_copy(
        update={"deliver": landscape.systems["wms"].deliver.model_copy(update={"concurrency": CONCURRENCY})}
    )
    codes = Codes.load(ROOT / "include" / "codes")
    tables = load_tables(PRODUCTS, codes, ROOT / "include" / "mappings")
    zones = {role: system.zone for role, system in landscape.systems.items()}
    translator = Translator(tables, codes, landscape.owners, LedgerRegistry(ledger), zones=zones)

    def connect(role: str) -> Any:
        return open_connector(landscape.systems[role].product, role, connections[role], clock=now)

    flows = load_flows(ROOT / "bench" / "flows")
    words = TranslatorWords(translator, landscape)
    return Engine(ledger, landscape, connect, words, flows, rng=Random(1), holder="bench", lease_seconds=300)


def place_orders(crm: Connection, first: int, count: int) -> None:
    """People type orders into the CRM (not measured)."""
    people = CrmPeople(crm.host, crm.login, crm.password, crm.extra["permanent_code"], crm.extra["ea"])
    for number in range(first, first + count):
        line = {"item": "FG-100", "quantity": "10", "unit": "pcs", "price": "1150.00"}
        people.place_order(customer="C-1001", lines=[line], number=f"SO-{number}", confirm=True)


async def bare(wms: Connection, bodies: list[bytes]) -> float:
    """The loop without a hub: the bodies are ready, nothing is kept, nothing is mapped."""
    gate = asyncio.Semaphore(CONCURRENCY)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    async with httpx.AsyncClient(base_url=wms.host, timeout=30) as client:

        async def post(body: bytes) -> None:
            async with gate:
                answer = await client.post("/datahubjson/FluxWmsJsonApi/", content=body, headers=headers)
            assert answer.json()["Response"]["return"]["returnFlag"] == "1", answer.text

        start = time.perf_counter()
        await asyncio.gather(*(post(body) for body in bodies))
        return time.perf_counter() - start


def bodies_for(wms: Connection, first: int, count: int) -> list[bytes]:
    """Signed putSalesOrder forms, as the hub sends them."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 8 * 3600))
    fields = {
        "method": "putSalesOrder", "client_customerid": "HDJX", "client_db": "FLUXWMSJSON", "messageid": "SO",
        "apptoken": wms.extra["apptoken"], "appkey": wms.login, "timestamp": stamp, "format": "json",
    }  # fmt: skip
    bodies = []
    for number in range(first, first + count):
        line = {"lineNo": "10", "sku": "FG-100", "qtyOrdered": 10, "userDefine1": f"sales_order:crm:B{number}#10"}
        header = {
            "warehouseId": "WH01", "customerId": "HDJX", "orderType": "SO", "docNo": f"BARE-{number}",
            "soReferenceA": f"B{number}", "consigneeName": "青岛重工集团", "details": [line],
        }  # fmt: skip
        data = json.dumps({"xmldata": {"header": [header]}}, ensure_ascii=False)
        bodies.append(urlencode({**fields, "data": data, "sign": signature(wms.password, data)}).encode())
    return bodies


def through_the_hub(hub: Engine, expected: int) -> float:
    """Seconds until everything is delivered: one worker captures and understands while another delivers.

    In the hub these are two tasks as well, each in a process of its own; here they share one, and its interpreter lock.
    """
    start, done = time.perf_counter(), 0
    with ThreadPoolExecutor(1) as other:
        told = other.submit(capture, hub)
        while done < expected:
            all_told = told.done()
            moved = deliver(hub)
            assert moved or not all_told, f"{done} of {expected} were delivered"
            if not moved:
                time.sleep(0.005)
            done += moved
        told.result()
    return time.perf_counter() - start


def capture(hub: Engine) -> None:
    """What a capture task does."""
    asyncio.run(hub.capture("crm", "sales_order"))
    hub.take_in()


def deliver(hub: Engine) -> int:
    """What a flow's tasks do; answers how many documents moved."""
    if not hub.plan("bench_pipeline"):
        return 0
    return asyncio.run(hub.run_step("bench_pipeline", "outbound_order")).moved


def know_the_master_data(hub: Engine) -> None:
    """The ERP's item, as a capture would have left it: its name, its unit, its factors."""
    item = {"number": "FG-100", "status": "active", "name": "减速机 A100", "unit": "pcs", "factors": {"carton": "4"}}
    with hub.ledger.transaction() as books:
        books.identities.register([Identity("erp", "item", "1", "item:erp:FG-100", "FG-100")])
        (stored,) = books.records.store("erp", [Captured("item", "1", item, "FG-100")])
        books.records.translated([Translation(stored.version_id, "item:erp:FG-100", {**item, "made": True})])
    for document in ("customer", "item"):
        asyncio.run(hub.capture("crm", document))
    hub.take_in()


@contextmanager
def answering_after(wms: Connection, seconds: float) -> Iterator[None]:
    """The target takes so long to answer each call; the calls do not wait for each other."""
    slow = {"kind": "slow", "seconds": seconds, "times": None, "match": {"path": "datahubjson"}}
    httpx.post(f"{wms.host}/_plant/faults", json={"rules": [slow] if seconds else []}).raise_for_status()
    try:
        yield
    finally:
        httpx.delete(f"{wms.host}/_plant/faults").raise_for_status()


def race(hub: Engine, crm: Connection, wms: Connection, first: int) -> float:
    """The median ratio of three rounds, each side by side."""
    ratios = []
    for turn in range(ROUNDS):
        start = first + turn * DOCUMENTS
        place_orders(crm, start, DOCUMENTS)
        alone = asyncio.run(bare(wms, bodies_for(wms, start, DOCUMENTS)))
        whole = through_the_hub(hub, DOCUMENTS)
        ratios.append(alone / whole)
        rates = f"bare httpx {DOCUMENTS / alone:6.0f}/s   hub {DOCUMENTS / whole:6.0f}/s"
        print(f"  round {turn + 1}: {rates}   ratio {ratios[-1]:.2f}", flush=True)
    return median(ratios)


def main() -> None:
    """Both pairs, one after the other."""
    print(f"Pipeline: {DOCUMENTS} documents a round, concurrency {CONCURRENCY}")
    with scratch_ledger() as dsn, emulated("fxiaoke") as crm, emulated("flux") as wms:
        migrate(dsn)
        hub = engine(dsn, {"crm": crm, "wms": wms})
        know_the_master_data(hub)
        asyncio.run(bare(wms, bodies_for(wms, 10**6, 100)))
        for number, seconds in enumerate((0.0, LAN_SECONDS)):
            target = (
                f"a target that answers after {seconds * 1000:.0f} ms" if seconds else "a target that answers at once"
            )
            print(f" {target}:")
            with answering_after(wms, seconds):
                ratio = race(hub, crm, wms, 1 + number * ROUNDS * DOCUMENTS)
            print(f"  median ratio hub / bare httpx, {target}: {ratio:.2f} (goal 0.80)")


if __name__ == "__main__":
    main()
