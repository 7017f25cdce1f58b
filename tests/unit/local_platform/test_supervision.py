"""A real supervisord with small components: what dies starts again, what it left is ended, `down` leaves nothing."""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from throughline.errors import Transient
from throughline.local_platform import supervision
from throughline.local_platform.alone import alone
from throughline.local_platform.components import Component
from throughline.local_platform.environment import MARK, component_environment
from throughline.local_platform.settings import Settings, make_settings
from throughline.local_platform.stopping import stop
from throughline.local_platform.supervision import Supervisor, configuration
from throughline.local_platform.sweep import end_all, processes_of
from throughline.local_platform.warden import restarts

_PARENT = (
    "import os, subprocess, sys, time, pathlib;"
    "child = subprocess.Popen(['sleep', '300']);"
    "pathlib.Path(sys.argv[1]).write_text(str(child.pid));"
    "time.sleep(300)"
)


def until(check: Callable[[], bool], within: float = 20) -> None:
    deadline = time.monotonic() + within
    while not check():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = make_settings(tmp_path / "state", environment={})
    yield settings
    end_all(settings)


@pytest.fixture
def parent(tmp_path: Path) -> Component:
    command = (sys.executable, "-c", _PARENT, str(tmp_path / "child"))
    secret = {"PLANT_SECRET": "100% se,cret"}
    return Component("day", "A parent", command, (), lambda: True, environment=lambda: secret)


def test_what_is_killed_is_started_again_and_its_children_do_not_stay(
    settings: Settings, parent: Component, tmp_path: Path
) -> None:
    supervisor = Supervisor(settings)
    supervisor.start([parent])
    assert stat.S_IMODE(supervisor.socket.stat().st_mode) == 0o700
    assert supervisor.states()["day"].state == "STOPPED"
    supervisor.run("day")
    until(lambda: supervisor.states()["day"].state == "RUNNING" and (tmp_path / "child").exists())
    first, child = supervisor.states()["day"].pid, int((tmp_path / "child").read_text())
    assert first is not None
    assert psutil.Process(first).environ()["PLANT_SECRET"] == "100% se,cret"
    os.kill(first, signal.SIGKILL)
    until(lambda: supervisor.states()["day"].state == "RUNNING" and supervisor.states()["day"].pid != first)
    until(lambda: restarts(settings.state) == {"day": 1})
    until(lambda: not alive(child))
    stopped = stop(settings, lambda *_: None)
    assert stopped.was_up
    assert stopped.swept == []
    assert list(processes_of(settings)) == []
    assert not supervisor.is_up()


def test_nothing_is_given_up_however_long_what_it_needs_is_away(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impatient(*about: Any) -> dict[str, object]:
        return {**program(*about), "startretries": 0}

    program = supervision._program
    monkeypatch.setattr(supervision, "_program", impatient)
    needs = str(tmp_path / "there")
    script = f"import pathlib, sys, time; pathlib.Path({needs!r}).exists() or sys.exit(3); time.sleep(99)"
    supervisor = Supervisor(settings)
    supervisor.start([Component("day", "Needs a file", (sys.executable, "-c", script), (), lambda: True)])
    supervisor.run("day")
    log = settings.logs / "supervisor.log"
    until(lambda: log.read_text().count("entered FATAL state") >= 2)
    (tmp_path / "there").touch()
    until(lambda: supervisor.states()["day"].state == "RUNNING")


def test_what_got_away_from_a_killed_supervisor_is_found_by_its_mark(settings: Settings, parent: Component) -> None:
    supervisor = Supervisor(settings)
    supervisor.start([parent])
    supervisor.run("day")
    until(lambda: supervisor.states()["day"].state == "RUNNING")
    os.kill(int((settings.state / "supervisor.pid").read_text()), signal.SIGKILL)
    until(lambda: not supervisor.is_up())
    stopped = stop(settings, lambda *_: None)
    assert not stopped.was_up
    assert any("-c" in left.what for left in stopped.swept)
    assert list(processes_of(settings)) == []


def test_a_process_that_renames_itself_is_found_too(settings: Settings) -> None:
    """As Airflow's workers do, which outlive a killed scheduler: their new name once overwrote the mark."""
    script = "import setproctitle, time; setproctitle.setproctitle('airflow worker -- <idle>'); time.sleep(40)"
    with psutil.Popen([sys.executable, "-c", script], env=component_environment(settings)) as worker:
        until(lambda: worker.cmdline()[0].startswith("airflow worker"))
        assert [left.pid for left in end_all(settings)] == [worker.pid]


def test_another_instance_is_left_alone(settings: Settings, tmp_path: Path) -> None:
    other = make_settings(tmp_path / "other", environment={})
    with psutil.Popen(["sleep", "300"], env={MARK: other.instance}) as theirs:
        assert end_all(settings) == []
        assert theirs.is_running()
        assert [left.pid for left in end_all(other)] == [theirs.pid]


def test_nothing_running_is_a_sentence(settings: Settings) -> None:
    with pytest.raises(Transient, match="nothing is running"):
        Supervisor(settings).states()


def test_no_secret_is_on_a_command_line(settings: Settings, parent: Component) -> None:
    text = configuration(settings, settings.state / "s", [parent])
    commands = [line for line in text.splitlines() if line.startswith("command")]
    assert commands
    assert not [secret for secret in settings.secrets.values() if secret in " ".join(commands)]


def test_a_socket_in_a_deep_directory_lies_elsewhere(tmp_path: Path) -> None:
    deep = make_settings(tmp_path / ("d" * 120), environment={})
    assert len(str(Supervisor(deep).socket)) < 100
    assert Supervisor(deep).socket != Supervisor(make_settings(tmp_path / ("e" * 120), environment={})).socket


def test_two_people_do_not_start_and_stop_at_once(settings: Settings) -> None:
    with alone(settings.state), pytest.raises(Transient, match="another `throughline up` or `down` is at work"):
        stop(settings, lambda *_: None)


def test_what_is_defined_anew_is_taken_over_and_the_rest_runs_on(settings: Settings, parent: Component) -> None:
    other = replace(parent, name="smtp", command=("sleep", "300"))
    supervisor = Supervisor(settings)
    supervisor.start([parent, other])
    for name in ("day", "smtp"):
        supervisor.run(name)
    until(lambda: {one.state for one in supervisor.states().values() if one.name != "warden"} == {"RUNNING"})
    before = supervisor.states()["smtp"].pid
    assert supervisor.refresh([parent, other]) == ()
    assert supervisor.refresh([replace(parent, command=("sleep", "200")), other]) == ["day"]
    assert supervisor.states()["day"].state == "STOPPED"
    assert supervisor.states()["smtp"].pid == before
    stop(settings, lambda *_: None)
