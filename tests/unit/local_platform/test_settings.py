"""Ports can be chosen, secrets are nobody's choice and never shown, and what was once chosen stays."""

from __future__ import annotations

import json
import socket
import stat
from pathlib import Path

import pytest

from throughline.errors import Misconfigured
from throughline.local_platform.environment import component_environment
from throughline.local_platform.ports import NAMES, choose_ports, is_free, refuse_taken
from throughline.local_platform.settings import SECRETS, load_settings, make_settings, state_directory


def test_a_new_instance_gets_ports_a_name_and_secrets_only_its_owner_may_read(tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "state", environment={})
    assert set(settings.ports) == set(NAMES)
    assert set(settings.secrets) == set(SECRETS)
    assert len(settings.secrets["jwt_secret"].encode()) >= 64
    assert len(set(settings.secrets.values())) == len(SECRETS)
    for name in ("secrets.json", "settings.json"):
        assert stat.S_IMODE((tmp_path / "state" / name).stat().st_mode) == 0o600


def test_it_is_the_same_instance_the_next_time(tmp_path: Path) -> None:
    first = make_settings(tmp_path, port_base=21000, speed=30, environment={})
    again = make_settings(tmp_path, environment={})
    assert again == first == load_settings(tmp_path)
    assert (again.ports["airflow"], again.ports["receiver"], again.speed) == (21000, 21001, 30)


def test_nothing_is_loaded_where_nothing_was_started(tmp_path: Path) -> None:
    assert load_settings(tmp_path) is None
    assert state_directory({"THROUGHLINE_STATE": str(tmp_path)}) == tmp_path


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    make_settings(tmp_path, environment={})
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(Misconfigured, match=r"settings\.json: the file cannot be read"):
        load_settings(tmp_path)
    (tmp_path / "settings.json").write_text(json.dumps({"instance": "x"}))
    with pytest.raises(Misconfigured, match="not what this program wrote"):
        load_settings(tmp_path)


def test_secrets_are_not_in_what_is_printed(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, environment={})
    assert not [secret for secret in settings.secrets.values() if secret in repr(settings)]


def test_one_port_can_be_chosen_and_wins_over_the_base() -> None:
    told = {"THROUGHLINE_PORT_BASE": "21000", "THROUGHLINE_PORT_CRM": "30000"}
    ports = choose_ports(told, {})
    assert (ports["airflow"], ports["crm"]) == (21000, 30000)
    assert choose_ports({}, {"airflow": 4444})["airflow"] == 4444
    assert choose_ports(told, {"airflow": 4444}, base=22000)["airflow"] == 22000


@pytest.mark.parametrize("value", ["x", "80", "70000", "-1"])
def test_a_port_that_is_none_is_refused_by_the_name_of_its_setting(value: str) -> None:
    with pytest.raises(Misconfigured, match="THROUGHLINE_PORT_CRM: a port is a number from 1024 to 65535"):
        choose_ports({"THROUGHLINE_PORT_CRM": value}, {})


def test_two_components_cannot_have_one_port() -> None:
    with pytest.raises(Misconfigured, match="port 21001 is given to both receiver and crm"):
        choose_ports({"THROUGHLINE_PORT_BASE": "21000", "THROUGHLINE_PORT_CRM": "21001"}, {})


def test_a_taken_port_names_the_port_the_setting_and_the_holder() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(Misconfigured) as refused:
            refuse_taken({"crm": port})
    assert f"port {port} for crm is taken by process" in refused.value.message
    assert "THROUGHLINE_PORT_CRM" in refused.value.message
    assert "--port-base" in refused.value.message


def test_components_get_our_settings_and_nothing_of_somebody_elses_airflow(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, environment={})
    outside = {
        "PATH": "/usr/bin",
        "AIRFLOW_HOME": "/theirs",
        "AIRFLOW__CORE__EXECUTOR": "X",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment = component_environment(settings, outside)
    assert environment["AIRFLOW_HOME"] == str(tmp_path / "airflow")
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert environment["THROUGHLINE_INSTANCE"] == settings.instance
    assert environment["PATH"].endswith("/usr/bin")
