"""The door: nothing is said to be stored that is not, nothing is stored twice, nobody gets in without a signature."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import psycopg
import pytest
import uvicorn

from throughline.connectors.contract import Connection
from throughline.connectors.exact_json import write_json
from throughline.connectors.products.flux import inbound
from throughline.connectors.products.flux.signer import TIME, ZONE, signature
from throughline.ledger import Ledger, migrate
from throughline.receiver.application import create_app
from throughline.receiver.doors import Door

SECRET = "the-warehouse-secret"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
CONNECTION = Connection("wms", "http://wms.example", "plant-wms-key", SECRET)


def receipt(number: str = "RC1", quantity: str = "4", **more) -> dict:
    lines = [{"lineNo": "1", "sku": "FG-100", "receivedQty": quantity}]
    return {"docNo": "ASN-1", "WMSReceiptNo": number, "receivedTime": "2026-11-23 16:00:00", "status": "99",
            "details": lines, **more}  # fmt: skip


def message(
    *documents: dict, method: str = "confirmASNData", secret: str = SECRET, moment: datetime = NOW, **fields
) -> str:
    data = fields.pop("data", write_json({"xmldata": {"data": list(documents)}}).decode())
    told = {"method": method, "appkey": "plant-wms-key", "timestamp": moment.astimezone(ZONE).strftime(TIME),
            "sign": signature(secret, data), "format": "json", "data": data, **fields}  # fmt: skip
    return urlencode(told)


@pytest.fixture
def ledger(postgres_dsn):
    migrate(postgres_dsn)
    ledger = Ledger(postgres_dsn, clock=lambda: NOW)
    yield ledger
    ledger.close()


class Door2:
    """A client of a receiver that runs on a loopback port."""

    def __init__(self, host: str) -> None:
        self.client = httpx.Client(base_url=host, timeout=10)

    def push(self, body: str | bytes, role: str = "wms") -> httpx.Response:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return self.client.post(f"/inbound/{role}", content=body, headers=headers)


@pytest.fixture
def open_door():
    running = []

    def start(ledger, **about) -> Door2:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        app = create_app(ledger, {"wms": Door("wms", CONNECTION, inbound)}, clock=lambda: NOW, **about)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        running.append((server, thread))
        return Door2(f"http://127.0.0.1:{listener.getsockname()[1]}")

    yield start
    for server, thread in running:
        server.should_exit = server.force_exit = True
        thread.join(5)


def flag(answer: httpx.Response) -> str:
    return answer.json()["Response"]["return"]["returnFlag"]


def rows(dsn: str) -> list[tuple]:
    with psycopg.connect(dsn) as connection:
        return connection.execute("select message_kind, message_id, body from inbox order by id").fetchall()


def test_a_message_is_committed_before_the_answer_and_can_be_read_again(open_door, ledger, postgres_dsn):
    body = message(receipt())
    answer = open_door(ledger).push(body)
    assert answer.status_code == 200
    assert answer.json()["Response"]["return"] == {
        "returnCode": "0000", "returnFlag": "1", "returnDesc": "ok", "resultInfo": [],
    }  # fmt: skip
    [(kind, _, stored)] = rows(postgres_dsn)
    [captured] = inbound.parse(kind, bytes(stored))
    assert (captured.document, captured.their_id, captured.raw["details"][0]["receivedQty"]) == ("receipt", "RC1", "4")
    assert captured.changed_at == NOW


def test_a_repeat_gets_the_same_answer_and_no_second_row(open_door, ledger, postgres_dsn):
    door = open_door(ledger)
    answers = [door.push(message(receipt(), moment=NOW + timedelta(seconds=n))) for n in range(4)]
    assert {(answer.status_code, flag(answer)) for answer in answers} == {(200, "1")}
    assert len(rows(postgres_dsn)) == 1
    assert door.client.get("/health").json() == {"ok": True, "doors": ["wms"], "received": 1, "repeated": 3}


def test_a_changed_repeat_under_the_same_number_is_kept_too(open_door, ledger, postgres_dsn):
    door = open_door(ledger)
    door.push(message(receipt()))
    door.push(message(receipt(quantity="3")))
    door.push(message(receipt(status="90")))
    assert len(rows(postgres_dsn)) == 3


def test_fifty_at_once_are_one_row_each(open_door, ledger, postgres_dsn):
    door = open_door(ledger, seconds=5)

    async def all_at_once() -> list[int]:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        async with httpx.AsyncClient(base_url=door.client.base_url, timeout=20) as client:

            async def until_taken(body: str) -> int:
                for tries in range(1, 100):
                    if (await client.post("/inbound/wms", content=body, headers=headers)).status_code == 200:
                        return tries
                    await asyncio.sleep(0.05)
                raise AssertionError("never taken")

            return await asyncio.gather(*(until_taken(message(receipt(f"RC{n % 25}"))) for n in range(50)))

    asyncio.run(all_at_once())
    assert len(rows(postgres_dsn)) == 25


@pytest.mark.parametrize(
    "body",
    [
        message(receipt(), secret="another secret"),
        message(receipt(), sign=""),
        message(receipt()).replace("FG-100", "FG-200"),
        message(receipt(), appkey="somebody else"),
        message(receipt(), moment=NOW - timedelta(minutes=6)),
        message(receipt(), moment=NOW + timedelta(minutes=6)),
        message(receipt(), timestamp="today"),
        "data=x",
    ],
    ids=["secret", "none", "data", "appkey", "old", "early", "time", "bare"],
)
def test_who_cannot_prove_to_be_the_sender_is_refused(open_door, ledger, postgres_dsn, body, caplog):
    with caplog.at_level(logging.WARNING):
        answer = open_door(ledger).push(body)
    assert (answer.status_code, flag(answer)) == (401, "0")
    assert rows(postgres_dsn) == []
    assert any("Refused (401) a message for wms" in record.getMessage() for record in caplog.records)
    assert SECRET not in caplog.text + answer.text


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (message(receipt(), method="confirmEverything"), "method"),
        (message(receipt(number="")), "WMSReceiptNo"),
        (message(), "WMSReceiptNo"),
        (message(data='{"xmldata": {"data": [{"WMSReceiptNo"'), "data"),
        (message(data='{"xmldata": {"data": [{"WMSReceiptNo": "1", "WMSReceiptNo": "2"}]}}'), "twice"),
        (message(data="[1]"), "data"),
        (b"\xff\xfe", "form"),
        (b"", "form"),
    ],
    ids=["method", "number", "nothing", "half", "twice", "list", "bytes", "empty"],
)
def test_what_cannot_be_read_is_refused_by_name(open_door, ledger, postgres_dsn, body, named):
    answer = open_door(ledger).push(body)
    assert (answer.status_code, flag(answer)) == (400, "0")
    assert named in answer.json()["Response"]["return"]["returnDesc"]
    assert rows(postgres_dsn) == []


def test_an_unknown_role_and_a_huge_body_are_turned_away(open_door, ledger, postgres_dsn):
    door = open_door(ledger, most_bytes=1000)
    assert door.push(message(receipt()), role="nobody").status_code == 404
    assert door.push(b"x" * 1001).status_code == 413

    def chunks():
        for _ in range(50):
            yield b"x" * 100

    assert door.client.post("/inbound/wms", content=chunks()).status_code == 413
    assert rows(postgres_dsn) == []


def test_without_a_ledger_nobody_hears_that_we_have_it(open_door):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dsn = f"postgresql://nobody:{SECRET}@127.0.0.1:{closed.getsockname()[1]}/none"
    door = open_door(Ledger(dsn, clock=lambda: NOW))
    began = time.monotonic()
    answer = door.push(message(receipt()))
    assert (answer.status_code, flag(answer)) == (503, "0")
    assert time.monotonic() - began < 2
    assert SECRET not in answer.text
    assert door.client.get("/health").status_code == 503


def test_a_ledger_that_hangs_is_a_503_within_a_second_and_the_repeat_is_one_row(open_door, ledger, postgres_dsn):
    door = open_door(ledger)
    with psycopg.connect(postgres_dsn) as other:
        other.execute("lock table inbox in access exclusive mode")
        began = time.monotonic()
        assert door.push(message(receipt())).status_code == 503
        assert time.monotonic() - began < 1.5
    deadline = time.monotonic() + 10
    while (answer := door.push(message(receipt()))).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert flag(answer) == "1"
    assert len(rows(postgres_dsn)) == 1


@pytest.fixture
def systems(tmp_path):
    (tmp_path / "wms.yaml").write_text("role: wms\nproduct: flux\nconnection: wms\ncaptures: [receipt]\n")
    return tmp_path


def run_receiver(*arguments: str, **environment: str) -> subprocess.Popen:
    plugins = str(Path(inbound.__file__).parents[4])
    return subprocess.Popen(
        [sys.executable, "-m", "throughline.receiver", *arguments], stderr=subprocess.PIPE, text=True,
        env={"PYTHONPATH": plugins, "PATH": os.environ["PATH"], **environment},
    )  # fmt: skip


def test_the_command_serves_until_it_is_told_to_stop(postgres_dsn, systems):
    migrate(postgres_dsn)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    wms = {"host": "http://wms.example", "login": "plant-wms-key", "password": SECRET}
    process = run_receiver("--port", str(port), "--systems", str(systems), THROUGHLINE_LEDGER_DSN=postgres_dsn,
                           AIRFLOW_CONN_WMS=json.dumps(wms))  # fmt: skip
    door = Door2(f"http://127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + 30
        while process.poll() is None:
            try:
                assert door.client.get("/health").json()["ok"] is True
                break
            except httpx.ConnectError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert door.push(message(receipt(), moment=datetime.now(UTC))).status_code == 200
        assert door.push(message(receipt(), moment=datetime.now(UTC), secret="wrong")).status_code == 401
        assert len(rows(postgres_dsn)) == 1
    finally:
        process.terminate()
        _, said = process.communicate(timeout=20)
    assert process.returncode in (0, -15)
    assert "Refused (401)" in said
    assert SECRET not in said


def test_the_command_says_what_must_be_mended_first(systems):
    for environment, named in (
        ({}, "THROUGHLINE_LEDGER_DSN"),
        ({"THROUGHLINE_LEDGER_DSN": "postgresql://x"}, "AIRFLOW_CONN_WMS"),
    ):
        process = run_receiver("--port", "1", "--systems", str(systems), **environment)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 2
        assert named in said
