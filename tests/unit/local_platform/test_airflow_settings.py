"""The file the Astro tools read is read as they do, and what this machine knows is filled in."""

from __future__ import annotations

from pathlib import Path

import pytest

from throughline.errors import Misconfigured
from throughline.local_platform.airflow_settings import read_airflow_settings
from throughline.local_platform.environment import connection_variables, named_values
from throughline.local_platform.settings import PROJECT, make_settings

FILE = """\
airflow:
  connections:
    - conn_id: erp
      conn_type: throughline_tryton
      conn_host: http://127.0.0.1:${THROUGHLINE_PORT_TRYTON}
      conn_password: ${THROUGHLINE_ERP_PASSWORD}
      conn_schema:
      conn_port: "8000"
      conn_extra: {database: erp, nested: {token: "x${THROUGHLINE_ERP_PASSWORD}"}}
    - conn_id:
      conn_type:
  pools:
    - {pool_name: erp, pool_slot: 4, pool_description: Licence seats}
  variables:
    - {variable_name: greeting, variable_value: 5}
"""
KNOWN = {"THROUGHLINE_PORT_TRYTON": "8088", "THROUGHLINE_ERP_PASSWORD": "s3cret"}


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "airflow_settings.yaml"
    path.write_text(text)
    return path


def test_connections_pools_and_variables_are_filled_in(tmp_path: Path) -> None:
    read = read_airflow_settings(written(tmp_path, FILE), KNOWN)
    assert read.connections == [
        {
            "conn_id": "erp",
            "conn_type": "throughline_tryton",
            "host": "http://127.0.0.1:8088",
            "password": "s3cret",
            "port": 8000,
            "extra": {"database": "erp", "nested": {"token": "xs3cret"}},
        }
    ]
    assert read.pools == [{"name": "erp", "slots": 4, "description": "Licence seats"}]
    assert read.variables == {"greeting": "5"}
    assert "s3cret" not in repr(read)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("${THROUGHLINE_ERP_PASSWORD}", "${NOBODY}"), "airflow_settings.yaml:3: nothing is called NOBODY here"),
        (("conn_host", "conn_hots"), "airflow_settings.yaml:3: 'conn_hots' is not known here"),
        (("pool_slot: 4", "pool_slot: none"), "pool 'erp' needs a pool_slot of 1 or more"),
        (("airflow:", "airflaw:"), "the file must begin with 'airflow:'"),
        (("airflow:", "airflow: ["), "this is not YAML"),
        (("- conn_id: erp", "- just a word\n    - conn_id: erp"), "an entry of 'connections' must be a mapping"),
    ],
)
def test_what_is_odd_is_named_with_its_line(tmp_path: Path, change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        read_airflow_settings(written(tmp_path, FILE.replace(*change)), KNOWN)
    assert sentence in refused.value.message


def test_the_projects_own_file_names_only_what_an_instance_knows(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, environment={})
    read = read_airflow_settings(PROJECT / "airflow_settings.yaml", named_values(settings))
    assert {one["conn_id"] for one in read.connections} == {"crm", "erp", "mes", "wms", "mail", "ledger"}
    assert not [one for one in read.connections if "${" in str(one)]
    variables = connection_variables(settings)
    assert settings.secrets["wms_secret"] in variables["AIRFLOW_CONN_WMS"]
    assert "AIRFLOW_CONN_LEDGER" not in variables
