"""A create must stay cheap: benchmarks send 500 calls a second, and the emulator must not be what is measured."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path

import httpx

from tests.unit.plant.test_wms_emulator import form, order


def cpu_seconds(pid: int) -> float:
    told = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def cost(emulator, send, calls=400):
    for n in range(20):
        send(f"warm-{n}")
    begun = cpu_seconds(emulator.process.pid)
    for n in range(calls):
        send(f"n-{n}")
    return (cpu_seconds(emulator.process.pid) - begun) / calls


def test_an_order_in_the_warehouse_costs_less_than_two_milliseconds(wms):
    with httpx.Client() as client:

        def send(number):
            data = json.dumps(order(f"{number}-{uuid.uuid4()}"))
            answer = client.post(wms.url + "/datahubjson/FluxWmsJsonApi/", data=form("putSalesOrder", data))
            assert answer.json()["Response"]["return"]["returnFlag"] == "1"

        assert cost(wms, send) < 0.002


def test_a_work_order_costs_less_than_two_milliseconds(mes):
    base = mes.url + "/api/openapi/domain"
    with httpx.Client() as client:
        login = {"appKey": "cli_plant", "appSecret": "plant-black_lake-secret"}
        told = client.post(base + "/api/v1/access_token/_get_access_token", json=login).json()
        params = {"access_token": told["data"]["appAccessToken"]}

        def send(number):
            body = {"code": number, "materialCode": "FG-100", "plannedAmount": "10"}
            path = "/web/v1/route/mfg/open/v1/work_order/_create"
            assert client.post(base + path, params=params, json=body).json()["code"] == 200

        assert cost(mes, send) < 0.002
