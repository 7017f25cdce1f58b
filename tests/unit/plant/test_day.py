"""The plant's people work by themselves: everything gets made, received and shipped, once, whatever goes down."""

from __future__ import annotations

import subprocess
import sys
import time
from decimal import Decimal

import pytest

from include.plant.day.__main__ import areas, open_warehouse
from include.plant.day.pace import Pace, Timers
from include.plant.day.shop_floor import next_part
from include.plant.day.warehouse import FluxWarehouse, halved, shippable
from include.plant.day.workday import Area
from include.plant.emulators.clients import MesPeople, WarehousePeople
from tests.unit.plant.conftest import ROOT, Emulator, free_port
from tests.unit.plant.test_wms_emulator import asn, call, order

ALWAYS = Pace(split_production=1, scrap=1, split_shipment=1)
NEVER = Pace(split_production=0, scrap=0, split_shipment=0)


def work_order(good="0", scrap="0", planned="10", **fields):
    return {"code": "WO-1", "plannedAmount": planned, "qualifiedAmount": good, "unqualifiedAmount": scrap, **fields}


@pytest.mark.parametrize(
    ("told", "pace", "expected"),
    [
        (work_order(), NEVER, ("10", "0", True)),
        (work_order(), ALWAYS, ("5", "0", False)),
        (work_order("5"), ALWAYS, ("4", "1", True)),
        (work_order("5"), NEVER, ("5", "0", True)),
        (work_order("5", planned="5"), ALWAYS, ("0", "0", True)),
        (work_order(planned="1"), ALWAYS, ("1", "0", True)),
        (work_order("5", customFields={"supplements": "WO-0"}), ALWAYS, ("5", "0", True)),
    ],
)
def test_the_next_report_follows_from_the_work_order_alone(told, pace, expected):
    good, scrap, finished = next_part(told, pace)
    assert (str(good), str(scrap), finished) == expected


def test_what_happens_to_an_order_depends_on_seed_and_number_only():
    numbers = [f"WO-{n}" for n in range(400)]
    first = [Pace(seed=3).happens(0.4, "split", n) for n in numbers]
    assert first == [Pace(seed=3).happens(0.4, "split", n) for n in numbers]
    assert first != [Pace(seed=4).happens(0.4, "split", n) for n in numbers]
    assert 120 < sum(first) < 200


def test_stock_decides_what_can_be_shipped():
    told = {"details": [{"lineNo": "1", "sku": "A", "qtyOrdered": "5", "shipped": "1"},
                        {"lineNo": "2", "sku": "A", "qtyOrdered": "3", "shipped": "0"}]}  # fmt: skip
    assert shippable(told, {"A": Decimal(7)}) == ([{"lineNo": "1", "qty": "4"}, {"lineNo": "2", "qty": "3"}], True)
    assert shippable(told, {"A": Decimal(5)}) == ([{"lineNo": "1", "qty": "4"}, {"lineNo": "2", "qty": "1"}], False)
    assert shippable(told, {}) == ([], False)


def test_halves_are_whole_units():
    assert halved([{"lineNo": "1", "qty": "5"}, {"lineNo": "2", "qty": "1"}]) == [{"lineNo": "1", "qty": "2"}]
    assert halved([{"lineNo": "1", "qty": "1"}]) == [{"lineNo": "1", "qty": "1"}]


def test_a_timer_starts_again_with_a_new_state_and_forgets_what_is_gone():
    timers = Timers()
    assert timers.waited(10, "A", "0") == 0
    assert timers.waited(12, "A", "0") == 2
    assert timers.waited(12, "A", "5") == 0
    timers.forget_the_rest()
    timers.forget_the_rest()
    assert timers.waited(20, "A", "0") == 0


def test_an_area_rests_when_its_system_is_down_and_says_so_once():
    said, broken = [], [True]

    def work(now):
        if broken:
            raise OSError("down")
        return [f"worked at {now:g}"]

    area = Area("x", work, said.append)
    for now in (0.0, 0.1, 0.7, 2.0):
        area.turn(now)
    broken.clear()
    area.turn(60.0)
    assert said == ["x: no answer, will try again (OSError: down)", "x: back at work", "x: worked at 60"]


def test_config_names_the_areas():
    assert len(areas({"mes": {"url": "http://x"}, "wms": {"url": "http://y"}}, 60)) == 2
    assert areas({}, 60) == []
    assert isinstance(open_warehouse({"kind": "flux", "url": "http://y"}, NEVER), FluxWarehouse)
    made = open_warehouse({"kind": f"{__name__}:warehouse_of_a_test"}, NEVER)
    assert made == ({"kind": f"{__name__}:warehouse_of_a_test"}, NEVER)
    with pytest.raises(ValueError, match="pace has no haste"):
        areas({"pace": {"haste": 1}}, 60)


def warehouse_of_a_test(wms, pace):
    return wms, pace


@pytest.fixture
def day(tmp_path, mes: Emulator, wms: Emulator):
    started: list[subprocess.Popen] = []

    def begin(wms_url: str = wms.url):
        config = tmp_path / "day.yaml"
        config.write_text(
            f"poll_seconds: 0.05\nmes: {{url: '{mes.url}'}}\nwms: {{kind: flux, url: '{wms_url}'}}\n"
            "pace: {seed: 2, split_production: 0.5, scrap: 0.3, split_shipment: 0.5}\n"
        )
        command = [sys.executable, "-m", "include.plant.day", "--config", str(config), "--speed", "400"]
        started.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=10)


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_a_day_survives_a_kill_and_lost_answers(day, mes, wms):
    people = MesPeople(mes.url)
    for n in range(12):
        people.call("work_order/_create", {"code": f"WO-{n}", "materialCode": "FG-100", "plannedAmount": "10"})
    mes.faults({"kind": "timeout_after", "seconds": 0, "times": 3, "match": {"method": "_progress_report"}})
    wms.faults({"kind": "error_5xx", "times": 3})
    for n in range(6):
        call_until_ok(wms, asn(f"ASN-{n}"))
        call_until_ok(wms, order(f"OUT-{n}"))
    first = day()
    until(lambda: len(mes.documents("progress_report")) >= 4)
    first.kill()
    day()
    until(lambda: not people.work_orders())
    until(lambda: not (left := WarehousePeople(wms.url).open())["orders"] and not left["asns"])
    made = mes.documents("work_order")
    assert all(Decimal(w["qualifiedAmount"]) + Decimal(w["unqualifiedAmount"]) == 10 for w in made)
    reports = mes.documents("progress_report")
    assert 12 < len(reports) <= 24
    assert len([r for r in reports if r["finished"]]) == 12
    shipped = [Decimal(line["QtyShipped"]) for s in wms.documents("shipment") for line in s["item"]]
    assert sum(shipped) == 60
    assert 6 < len(shipped) <= 12
    assert len(wms.documents("receipt")) == 6
    people.close()


def call_until_ok(wms, document):
    kind = "putASN" if "asnType" in document["xmldata"]["header"][0] else "putSalesOrder"
    for _ in range(5):
        try:
            return call(wms, kind, document)
        except AssertionError:
            continue
    raise AssertionError("five errors in a row")


def test_a_warehouse_that_is_down_does_not_stop_the_shop_floor(day, mes):
    people = MesPeople(mes.url)
    people.call("work_order/_create", {"code": "WO-1", "materialCode": "FG-100", "plannedAmount": "10"})
    process = day(f"http://127.0.0.1:{free_port()}")
    until(lambda: not people.work_orders())
    assert process.poll() is None
    process.terminate()
    said, _ = process.communicate(timeout=10)
    assert process.returncode == 0, "asked to stop, it stops"
    assert said.count("warehouse: no answer, will try again") == 1
    people.close()
