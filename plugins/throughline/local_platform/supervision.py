"""Keeps the components alive: a `supervisord` of the instance's own, configured and asked by us.

Nothing starts by itself: `starting` says when each component's time has come. What dies afterwards is started again.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import Faults, SupervisorTransport

from throughline.errors import Transient
from throughline.local_platform.components import Component
from throughline.local_platform.environment import component_environment
from throughline.local_platform.settings import Settings, write_private

_LONGEST_SOCKET = 100
UP = frozenset({"STARTING", "RUNNING", "BACKOFF"})


@dataclass(frozen=True)
class Running:
    """What the supervisor says of one component."""

    name: str
    state: str
    pid: int | None
    seconds: float


@dataclass(frozen=True)
class Supervisor:
    """The supervisor of one instance; every question goes through a socket that only its owner may open."""

    settings: Settings

    @property
    def socket(self) -> Path:
        """Its socket: in the state directory, or in a short private one when that path is too long for a socket."""
        place = self.settings.state / "supervisor.sock"
        if len(str(place)) <= _LONGEST_SOCKET:
            return place
        name = hashlib.sha256(str(self.settings.state).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"throughline-{os.getuid()}-{name}" / "supervisor.sock"

    @property
    def _file(self) -> Path:
        return self.settings.state / "supervisord.conf"

    def start(self, components: Sequence[Component]) -> None:
        """Start the supervisor itself; no component yet."""
        self.socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self._file, configuration(self.settings, self.socket, components))
        with (self.settings.logs / "supervisor.out").open("ab") as log:
            subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._file)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                cwd=self.settings.project, env=component_environment(self.settings),
            )  # fmt: skip
        deadline = time.monotonic() + 20
        while not self.is_up():
            if time.monotonic() > deadline:
                raise Transient(f"the supervisor did not start: see {self.settings.logs / 'supervisor.out'}")
            time.sleep(0.05)

    def refresh(self, components: Sequence[Component]) -> Sequence[str]:
        """Take over how components are defined now; returns those that were stopped because it differs."""
        wanted = configuration(self.settings, self.socket, components)
        if self._file.read_text(encoding="utf-8") == wanted:
            return ()
        write_private(self._file, wanted)
        [[added, changed, removed]] = self._ask("reloadConfig")
        for name in (*changed, *removed):
            self._ask("stopProcessGroup", name)
            self._ask("removeProcessGroup", name)
        for name in (*changed, *added):
            self._ask("addProcessGroup", name)
        return [str(name) for name in changed]

    def is_up(self) -> bool:
        """Whether the supervisor answers."""
        try:
            return bool(self._ask("getState")["statename"] == "RUNNING")
        except Transient:
            return False

    def states(self) -> Mapping[str, Running]:
        """Each component's state, by name."""
        told = self._ask("getAllProcessInfo")
        return {
            one["name"]: Running(
                one["name"], one["statename"], one["pid"] or None, one["now"] - one["start"] if one["pid"] else 0
            )
            for one in told
        }

    def run(self, name: str) -> None:
        """Start one component, if it does not run."""
        self._ask("startProcess", name, False, unless=Faults.ALREADY_STARTED)

    def end(self, name: str) -> None:
        """Ask one component to stop; it is given its time and then ended by force."""
        self._ask("stopProcess", name, False, unless=Faults.NOT_RUNNING)

    def shutdown(self) -> int:
        """Ask the supervisor to end, with whatever it still keeps; returns its process id."""
        pid = int(self._ask("getPID"))
        self._ask("shutdown")
        return pid

    def _ask(self, question: str, *arguments: Any, unless: int | None = None) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self.socket}")
        try:
            proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport)
            return getattr(proxy.supervisor, question)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == unless:
                return None
            raise Transient(
                f"the supervisor refused {question} {' '.join(map(str, arguments))}: {fault.faultString}"
            ) from fault
        except (OSError, HTTPException) as error:
            raise Transient("the supervisor does not answer: nothing is running") from error
        finally:
            transport.close()


def configuration(settings: Settings, socket: Path, components: Sequence[Component]) -> str:
    """The supervisor's own file: secrets reach the components through the environment, never a command line."""
    sections: dict[str, Mapping[str, object]] = {
        "supervisord": {
            "nodaemon": "true",
            "logfile": settings.logs / "supervisor.log",
            "logfile_maxbytes": "5MB",
            "logfile_backups": 1,
            "pidfile": settings.state / "supervisor.pid",
            "childlogdir": settings.logs,
            **({"user": "root"} if os.getuid() == 0 else {}),
        },
        "unix_http_server": {"file": socket, "chmod": "0700"},
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
        "eventlistener:warden": {
            "command": shlex.join([sys.executable, "-m", "throughline.local_platform.warden"]),
            "events": "PROCESS_STATE_EXITED,PROCESS_STATE_FATAL",
            "stdout_logfile": "NONE",
            "stderr_logfile": settings.logs / "warden.log",
            "stopwaitsecs": 2,
        },
        **{f"program:{component.name}": _program(settings, component) for component in components},
    }
    return "\n".join(_section(name, values) for name, values in sections.items())


def _program(settings: Settings, component: Component) -> dict[str, object]:
    log = settings.logs / f"{component.name}.log"
    program: dict[str, object] = {
        "command": shlex.join(component.command),
        "directory": settings.project if component.user is None else "/",
        "autostart": "false",
        "autorestart": "true",
        "startsecs": 2,
        "startretries": 10,  # each after a second more; then the warden begins anew, for as long as it takes
        "stopsignal": component.stop_signal,
        "stopwaitsecs": component.stop_seconds,
        "stopasgroup": str(component.stop_group).lower(),
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": log,
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": 2,
    }
    if component.user:
        program["user"] = component.user
    if environment := component.environment():
        program["environment"] = ",".join(f"{name}='{value}'" for name, value in environment.items())
    return program


def _section(name: str, values: Mapping[str, object]) -> str:
    lines = (f"{key} = {str(value).replace('%', '%%')}" for key, value in values.items())
    return "\n".join((f"[{name}]", *lines, ""))
