"""Tasks are processes; their logins are shared through a shelf of encrypted files, against a real (emulated) CRM."""

from __future__ import annotations

import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from cryptography.fernet import Fernet

from include.plant.emulators.assembly import assemble
from include.plant.emulators.settings import Settings
from throughline.connectors.contract import Connection
from throughline.connectors.registry import open_connector
from throughline.errors import Transient
from throughline.orchestration import kept_logins
from throughline.orchestration.kept_logins import Shelf

LATER = datetime.now(UTC) + timedelta(hours=1)


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Connection]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = assemble(Settings("fxiaoke", tmp_path / "crm.sqlite", "FSAID_plant", "crm-secret"))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    extra = {"permanent_code": "plant-permanent-code", "ea": "huadong", "user_id": "1000"}
    yield Connection("crm", f"http://127.0.0.1:{listener.getsockname()[1]}", "FSAID_plant", "crm-secret", extra)
    server.should_exit = server.force_exit = True
    thread.join(5)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "logins", Fernet.generate_key())


async def another_task(crm: Connection, shelf: Shelf | None) -> str:
    """What a new process does: a connector of its own, and one harmless question."""
    async with open_connector("fxiaoke", "crm", crm, shelf=shelf) as connector:
        return await connector.test()


def logins(crm: Connection) -> int:
    calls: dict[str, int] = httpx.get(f"{crm.host}/_plant/state?counts=1").json()["calls"]
    return calls.get("token carried out", 0)


async def test_thirty_tasks_log_in_once(crm: Connection, shelf: Shelf) -> None:
    for _ in range(30):
        assert "lets us in" in await another_task(crm, shelf)
    assert logins(crm) == 1


async def test_without_the_shelf_the_crm_refuses_the_eleventh_login(crm: Connection) -> None:
    for _ in range(10):
        await another_task(crm, None)
    with pytest.raises(Transient, match="频率限制"):
        await another_task(crm, None)


async def test_a_login_that_is_refused_is_made_anew_and_kept(crm: Connection, shelf: Shelf) -> None:
    shelf.put(crm, {"token": "long-forgotten"}, LATER)
    assert "lets us in" in await another_task(crm, shelf)
    assert "lets us in" in await another_task(crm, shelf)
    assert logins(crm) == 1


async def test_a_login_that_is_old_is_not_used(crm: Connection, shelf: Shelf) -> None:
    shelf.put(crm, {"token": "old"}, datetime.now(UTC) - timedelta(seconds=1))
    assert "lets us in" in await another_task(crm, shelf)
    assert logins(crm) == 1


def test_nothing_readable_lies_on_the_shelf(crm: Connection, shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(crm, {"token": "a-secret-token"}, LATER)
    (file,) = [path for path in (tmp_path / "logins").iterdir() if path.suffix != ".lock"]
    assert b"a-secret-token" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert shelf.take(crm) == ({"token": "a-secret-token"}, LATER)


def test_another_secret_another_key_or_rubbish_is_no_login(crm: Connection, shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(crm, {"token": "t0ken"}, LATER)
    changed = Connection(crm.name, crm.host, crm.login, "new-secret", crm.extra)
    assert shelf.take(changed) is None
    assert Shelf(tmp_path / "logins", Fernet.generate_key()).take(crm) is None
    shelf.path(crm).write_bytes(b"rubbish")
    assert shelf.take(crm) is None


def test_a_shelf_that_cannot_be_written_stops_nobody(crm: Connection, tmp_path: Path) -> None:
    (tmp_path / "a_file").touch()
    shelf = Shelf(tmp_path / "a_file" / "logins", Fernet.generate_key())
    shelf.put(crm, {"token": "t0ken"}, LATER)
    assert shelf.take(crm) is None


PROCESS = """
import asyncio, sys
from pathlib import Path
from throughline.connectors.contract import Connection
from throughline.connectors.registry import open_connector
from throughline.errors import Misconfigured
from throughline.orchestration.kept_logins import Shelf

async def attempt(host, secret, folder, key):
    extra = {"permanent_code": "plant-permanent-code", "ea": "huadong", "user_id": "1000"}
    crm = Connection("crm", host, "FSAID_plant", secret, extra)
    try:
        async with open_connector("fxiaoke", "crm", crm, shelf=Shelf(Path(folder), key.encode())) as connector:
            print(await connector.test())
    except Misconfigured as error:
        print(error.message)

asyncio.run(attempt(*sys.argv[1:]))
"""


@pytest.mark.parametrize(("secret", "said"), [("wrong", "check login and password"), (None, "lets us in")])
def test_processes_that_want_in_at_the_same_moment_log_in_once(
    crm: Connection, tmp_path: Path, secret: str | None, said: str
) -> None:
    key = Fernet.generate_key().decode()
    words = [sys.executable, "-c", PROCESS, crm.host, secret or crm.password, str(tmp_path / "logins"), key]
    tasks = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    told = [task.communicate(timeout=120)[0] for task in tasks]
    assert all(said in one for one in told), told
    calls = httpx.get(f"{crm.host}/_plant/state?counts=1").json()["calls"]
    assert calls["token received"] == 1, calls


async def test_a_lock_that_nobody_gives_back_is_not_waited_for_for_ever(
    crm: Connection, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_logins, "LONGEST_LOGIN", 0.2)
    async with shelf.alone(crm):
        assert "lets us in" in await another_task(crm, shelf)
