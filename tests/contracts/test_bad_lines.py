"""Over a line that times out, cuts, resets, doubles and lies: every document arrives, and arrives once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from include.plant.fault_proxy import HTTP_FAULTS, RAW_FAULTS, FaultPlan, FaultProxy, Line, running_proxy
from tests.contracts.bad_lines import BadLine
from tests.contracts.conftest import SECRET, Site, fresh
from tests.contracts.specimens import SPECIMENS, Specimen, Write
from tests.stories.loopback import mail_server, served
from throughline.connectors.contract import Connection, Tier
from throughline.connectors.registry import open_connector

RATES = "all=0.02"
PATIENCE = {"rate": None, "answer_seconds": 1.0, "total_seconds": 5.0, "concurrency": 16}
CREATES = [(specimen, write) for specimen in SPECIMENS for write in specimen.creates]


def rates_for(write: Write) -> str:
    """A line that repeats a request by itself doubles it at a target that knows no reference (T3): not that one."""
    return f"{RATES},duplicate=0" if write.tier is Tier.T3 else RATES


def line_before(host: str, plan: FaultPlan, **about: Any) -> Line:
    """A line to what listens there; a late request comes after the client's patience is over."""
    address = urlsplit(host if "//" in host else f"//{host}")
    assert address.hostname
    assert address.port
    return Line((address.hostname, address.port), plan, name="line", late_seconds=1.5, drip_seconds=0.5, **about)


def bad_line_to(site: Site, write: Write, dsn: str, folder: Path, proxy: FaultProxy) -> BadLine:
    """The hub, and the emulated system behind the proxy."""
    extra = {**site.specimen.extra, **site.specimen.about(site), "limits": PATIENCE}
    host = f"http://127.0.0.1:{proxy.lines[0].listen}"
    connection = Connection(f"{site.specimen.role}_connection", host, site.specimen.login, SECRET, extra)
    payloads: dict[str, dict[str, Any]] = {}

    def payload(number: str) -> dict[str, Any]:
        if number not in payloads:
            payloads[number] = write.payload(site, number)
        return payloads[number]

    return BadLine(
        dsn, folder, lambda: open_connector(site.specimen.product, site.specimen.role, connection),
        role=site.specimen.role, document=write.document, payload=payload,
    )  # fmt: skip


async def all_arrive_once(
    start_site: Callable[[Specimen], Site], which: tuple[Specimen, Write], dsn: str, folder: Path, *, many: int,
    seed: int,
) -> Counter[str]:  # fmt: skip
    """Deliver so many; what the proxy did is the answer."""
    site, write = fresh(start_site, which[0]), which[1]
    site.act("settings", token_calls_per_minute=1_000_000, rate_calls=0)  # the specimens log in anew for every example
    before = site.count(write.counted)
    plan = FaultPlan(rates_for(write), seed=seed)
    with running_proxy(line_before(site.host, plan)) as proxy:
        line = bad_line_to(site, write, dsn, folder, proxy)
        line.take_over([f"NO-{number}" for number in range(many)])

        async def nothing_late() -> None:
            while proxy.still_to_come():
                await asyncio.sleep(0.05)

        await line.deliver_all(pause=nothing_late if write.tier is Tier.T3 else None)
        await nothing_late()
        done = Counter(plan.counts())
    assert line.states() == {"finished": many}, f"lost: {line.problems}"
    assert line.parked() == {}
    assert set(line.deliveries()) <= {"confirmed", "resolved"}
    assert site.count(write.counted) - before == many, "lost or doubled at the target"
    line.ledger.close()
    return done


@pytest.mark.parametrize("which", CREATES, ids=lambda which: f"{which[0].product}-{which[1].document}")
async def test_everything_arrives_once(
    start_site: Callable[[Specimen], Site], which: tuple[Specimen, Write], postgres_dsn: str, tmp_path: Path
) -> None:
    done = await all_arrive_once(start_site, which, postgres_dsn, tmp_path, many=60, seed=11)
    assert done["requests"] >= 60
    assert len(done) > 8, f"hardly a fault struck: {done}"


@pytest.mark.heavy
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("which", CREATES, ids=lambda which: f"{which[0].product}-{which[1].document}")
async def test_thousands_arrive_once(
    start_site: Callable[[Specimen], Site], which: tuple[Specimen, Write], postgres_dsn: str, tmp_path: Path
) -> None:
    done = await all_arrive_once(start_site, which, postgres_dsn, tmp_path, many=2000, seed=12)
    assert done["requests"] >= 2500
    assert set(HTTP_FAULTS) <= set(done)
    print(f"\n{which[0].product} {which[1].document}: {dict(done)}")


async def test_a_letter_whose_end_is_unknown_is_never_sent_again_unasked(postgres_dsn: str, tmp_path: Path) -> None:
    many = 60
    plan = FaultPlan("drop_answer=0.1,cut_request=0.1,cut_answer=0.05,reset=0.05,drip=0.05", seed=4, known=RAW_FAULTS)
    with mail_server(tmp_path / "mails") as (host, box), running_proxy(line_before(host, plan, raw=True)) as proxy:
        extra = {"from_email": "orders@huadong.example", "disable_ssl": True, "disable_tls": True}
        connection = Connection("mail", f"127.0.0.1:{proxy.lines[0].listen}", extra=extra)
        line = BadLine(
            postgres_dsn, tmp_path, lambda: open_connector("smtp", "mail", connection), role="mail", document="notice",
            payload=lambda number: {"to": "buyer@qingdao.example", "subject": f"About {number}.", "text": "已发货"},
        )  # fmt: skip
        numbers = [f"NO-{number}" for number in range(many)]
        line.take_over(numbers)
        await line.deliver_all()
        doubtful = line.parked()
        letters = {number: len(box.letters(f"About {number}.")) for number in numbers}
        assert all(count == 1 for number, count in letters.items() if number not in doubtful)
        assert all(count <= 1 for count in letters.values()), "a letter came twice"
        assert {letters[number] for number in doubtful} == {0, 1}, "both kinds of doubt happened"
        plan.change("")
        for number, case in doubtful.items():
            line.engine.replay(ids=[case], by="somebody who looked into the mailbox", arrived=letters[number] == 1)
        await line.deliver_all()
        assert [len(box.letters(f"About {number}.")) for number in numbers] == [1] * many
        line.ledger.close()


class Shelf:
    """A system that files whatever it is sent, and asks no questions."""

    def __init__(self) -> None:
        self.filed: Counter[str] = Counter()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.filed[(await receive())["body"].decode()] += 1
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"{}"})


@pytest.fixture
def shelf() -> Iterator[tuple[Shelf, str]]:
    shelf = Shelf()
    with served(shelf) as host:
        yield shelf, host


@pytest.mark.parametrize("design", ["a time-out counts as sent", "a time-out is tried again"])
def test_the_line_is_bad_enough_to_catch_naive_designs(shelf: tuple[Shelf, str], design: str) -> None:
    """Otherwise the tests above would show nothing."""
    system, host = shelf
    with (
        running_proxy(line_before(host, FaultPlan(RATES, seed=5))) as proxy,
        httpx.Client(base_url=f"http://127.0.0.1:{proxy.lines[0].listen}", timeout=0.5) as client,
    ):
        for number in range(150):
            _naively(client, f"NO-{number}", again=design == "a time-out is tried again")
    lost = 150 - len(system.filed)
    doubled = sum(count > 1 for count in system.filed.values())
    assert (lost > 0) is (design == "a time-out counts as sent")
    assert doubled > 0, "the line itself delivers twice"


def _naively(client: httpx.Client, number: str, *, again: bool) -> None:
    for _ in range(30):
        try:
            if client.post("/file", content=number).status_code == 200 or not again:
                return
        except httpx.HTTPError:
            if not again:
                return
