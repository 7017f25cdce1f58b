"""Which system plays which role; a file that does not fit is named with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from throughline.connectors.connections import connection_from_environment
from throughline.connectors.landscape import Landscape
from throughline.errors import Misconfigured

WMS = """\
role: wms
product: flux
connection: wms
owns: [receipt, shipment, stock_level]
captures: [receipt, shipment]
zone: Asia/Shanghai
"""
MES = "role: mes\nproduct: black_lake\nconnection: mes\nowns: [production_report]\ncaptures: [work_order]\n"


@pytest.fixture
def load(tmp_path):
    def read(**files: str) -> Landscape:
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        return Landscape.load(tmp_path)

    return read


def test_owners_and_systems(load):
    landscape = load(wms=WMS, mes=MES)
    assert landscape.owner_of("receipt") == "wms"
    assert landscape.owner_of("receipt_notice") == "hub"
    assert landscape.system("wms").deliver.concurrency == 4
    assert str(landscape.system("wms").zone_info) == "Asia/Shanghai"
    with pytest.raises(Misconfigured, match="no system plays the role crm"):
        landscape.system("crm")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (WMS.replace("flux", "sap"), 2, "no product sap"),
        (WMS.replace("[receipt, shipment]", "[invoice]"), 5, "no kind of document"),
        (WMS.replace("[receipt, shipment]", "[item]"), 5, "does not tell about item"),
        (WMS.replace("role: wms", "role: whs"), 1, "must be named whs.yaml"),
        (WMS.replace("shipment, stock_level", "production_report"), 4, "owned by mes already"),
        (WMS.replace("Asia/Shanghai", "Asia/Nowhere"), 6, "not a time zone"),
        (f"{WMS}colour: blue\n", 7, "colour"),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(load, text, line, said):
    with pytest.raises(Misconfigured, match=said) as caught:
        load(mes=MES, wms=text)
    assert caught.value.where.endswith(f"wms.yaml:{line}")


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(Misconfigured, match="no system file"):
        Landscape.load(tmp_path)


def test_the_plants_own_landscape_fits_together():
    landscape = Landscape.load(Path(__file__).parents[3] / "include" / "systems")
    assert set(landscape.systems) == {"crm", "erp", "mes", "wms", "mail"}
    owners = {"sales_order": "crm", "customer": "crm", "item": "erp", "work_order": "erp", "production_report": "mes",
              "receipt": "wms", "shipment": "wms", "stock_level": "wms", "outbound_order": "hub",
              "notice": "hub"}  # fmt: skip
    assert {kind: landscape.owner_of(kind) for kind in owners} == owners


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"conn_type": "throughline_flux", "host": "http://wms.example", "port": 8080, "login": "key",
                    "password": "p@ss/word-1", "extra": {"apptoken": "t"}}),
        json.dumps({"host": "http://wms.example:8080", "login": "key", "password": "p@ss/word-1",
                    "extra": '{"apptoken": "t"}'}),
        "http://key:p%40ss%2Fword-1@wms.example:8080/?apptoken=t",
    ],
)  # fmt: skip
def test_a_connection_is_read_where_airflow_looks(text):
    connection = connection_from_environment("wms", {"AIRFLOW_CONN_WMS": text})
    assert (connection.host, connection.login, connection.password) == ("http://wms.example:8080", "key", "p@ss/word-1")
    assert connection.extra == {"apptoken": "t"}
    assert "p@ss" not in repr(connection)


@pytest.mark.parametrize("text", ["", "{broken", '{"host": NaN}'])
def test_a_missing_or_broken_connection_names_its_variable(text):
    with pytest.raises(Misconfigured) as caught:
        connection_from_environment("wms", {"AIRFLOW_CONN_WMS": text})
    assert caught.value.where == "AIRFLOW_CONN_WMS"
