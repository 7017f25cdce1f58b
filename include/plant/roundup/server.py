"""One tracker and its server: made from the files beside this one, served in the foreground."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from include.plant.emulators.seed import Seed
from include.plant.tryton.environment import PlantEnvironment
from throughline.errors import Misconfigured

HERE = Path(__file__).parent
_SETTINGS = {
    ("main", "password_pbkdf2_default_rounds"): "1000",  # every request brings the password: 250,000 rounds take 0.5 s
    ("main", "admin_email"): "admin@plant.example",
    ("mail", "domain"): "plant.example",
    ("mail", "host"): "127.0.0.1",
    ("rdbms", "backend"): "sqlite",
    ("web", "api_calls_per_interval"): "0",
}


@dataclass(frozen=True)
class RoundupServer:
    """The plant's Roundup: its environment under `home`, its tracker in `tracker` (else under `home` too)."""

    home: Path
    port: int
    tracker: Path | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def web(self) -> str:
        """What it calls itself; who writes has to say that he comes from there."""
        return f"{self.address}/"

    @property
    def environment(self) -> PlantEnvironment:
        """The virtual environment it runs in."""
        return PlantEnvironment(self.home.resolve() / "venv-roundup", HERE / "requirements.txt")

    @property
    def directory(self) -> Path:
        """The tracker's own files and its database."""
        return (self.tracker or self.home / "roundup").resolve()

    def prepare(self, *, password: str) -> None:
        """Make whatever is missing; a tracker that is there is kept with all that is in it."""
        self.environment.prepare()
        if (self.directory / "made").exists():
            return
        shutil.rmtree(self.directory, ignore_errors=True)
        self._admin("install", "minimal", "sqlite")
        self._configure()
        for name, place in (("schema", "."), ("initial_data", "."), ("approval", "detectors")):
            shutil.copy(HERE / "tracker" / f"{name}.roundup", self.directory / place / f"{name}.py")
        told = {"password": password, "staff": Seed.load().staff}
        self._admin("initialise", password, PLANT_ROUNDUP=json.dumps(told))
        (self.directory / "made").touch()

    def command(self) -> list[str]:
        """The foreground command a supervisor runs."""
        return [str(self.environment.python), str(HERE / "inside" / "serve.py"), str(self.directory), str(self.port)]

    def start(self) -> subprocess.Popen[bytes]:
        """Start it as a child of this process, for tests; its log lies in the tracker."""
        with (self.directory / "server.log").open("ab") as log:
            clean = {**os.environ, "PYTHONPATH": ""}
            return subprocess.Popen(self.command(), stdout=log, stderr=log, env=clean, start_new_session=True)

    def ready(self) -> bool:
        """Whether it answers now."""
        try:
            with urllib.request.urlopen(f"{self.address}/rest", timeout=5):  # noqa: S310 - our own address
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def _admin(self, *words: str, **more: str) -> None:
        program = self.environment.directory / "bin" / "roundup-admin"
        environment = {**os.environ, "PYTHONPATH": "", **more}
        command = [str(self.environment.python), str(program), "-i", str(self.directory), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            raise Misconfigured(
                f"roundup-admin {words[0]} failed: {(done.stderr or done.stdout)[-2000:]}", where=command[1]
            )

    def _configure(self) -> None:
        path, wanted = self.directory / "config.ini", {**_SETTINGS, ("tracker", "web"): self.web}
        path.write_text("\n".join(_set(path.read_text().splitlines(), wanted)) + "\n")
        for other in (self.directory / "detectors").iterdir():
            shutil.rmtree(other) if other.is_dir() else other.unlink()


def _set(lines: list[str], wanted: dict[tuple[str, str], str]) -> Iterator[str]:
    section = ""
    for line in lines:
        if line.startswith("["):
            section = line.strip("[] ")
        name = line.lstrip("#").partition("=")[0].strip()
        yield f"{name} = {wanted[section, name]}" if "=" in line and (section, name) in wanted else line
