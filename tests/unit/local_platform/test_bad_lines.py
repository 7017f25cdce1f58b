"""With `--faulty` the hub reaches its systems over the fault proxy; the people of the plant do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from throughline.errors import Misconfigured
from throughline.local_platform import starting
from throughline.local_platform.components import components
from throughline.local_platform.environment import connection_variables, named_values
from throughline.local_platform.ports import BAD_LINES, NAMES, line_before
from throughline.local_platform.settings import load_settings, make_settings
from throughline.local_platform.starting import refuse_other_lines


def test_connections_lead_to_the_lines_and_the_lines_to_the_systems(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, port_base=21000, faulty=7, environment={})
    assert set(settings.ports) == {*NAMES, *map(line_before, BAD_LINES), "proxy"}
    assert named_values(settings)["THROUGHLINE_PORT_CRM"] == str(settings.ports["crm_line"])
    assert f"127.0.0.1:{settings.ports['mes_line']}" in connection_variables(settings)["AIRFLOW_CONN_MES"]
    running = {component.name: component for component in components(settings)}
    command = " ".join(running["proxy"].command)
    for name in BAD_LINES:
        assert f"--listen {settings.ports[line_before(name)]} --to 127.0.0.1:{settings.ports[name]}" in command
    assert f"--seed 7 --control {settings.ports['proxy']}" in command
    assert f":{settings.ports['receiver_line']}/inbound/wms" in " ".join(running["wms"].command)


def test_it_is_kept_and_ended(tmp_path: Path) -> None:
    make_settings(tmp_path, port_base=21000, faulty=7, environment={})
    kept = make_settings(tmp_path, environment={})
    assert (kept.faulty, load_settings(tmp_path)) == (7, kept)
    ended = make_settings(tmp_path, faulty=0, environment={})
    assert (ended.faulty, set(ended.ports)) == (0, set(NAMES))
    assert named_values(ended)["THROUGHLINE_PORT_CRM"] == str(ended.ports["crm"])
    assert "proxy" not in {component.name for component in components(ended)}


def test_lines_do_not_change_under_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THROUGHLINE_STATE", str(tmp_path))
    refuse_other_lines(3)
    make_settings(tmp_path, environment={})
    refuse_other_lines(3)
    monkeypatch.setattr(starting.Supervisor, "is_up", lambda self: True)
    refuse_other_lines(None)
    refuse_other_lines(0)
    with pytest.raises(Misconfigured, match="`throughline down` first"):
        refuse_other_lines(3)
