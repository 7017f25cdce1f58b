"""A virtual environment for Tryton, or another system: made once from hash-checked requirements."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from throughline.errors import Misconfigured

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"


@dataclass(frozen=True)
class PlantEnvironment:
    """The environment in `directory`; the hub only ever starts programs in it."""

    directory: Path
    requirements: Path = REQUIREMENTS

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.directory / "bin" / "python"

    @property
    def trytond(self) -> Path:
        """The server program."""
        return self.directory / "bin" / "trytond"

    def prepare(self) -> bool:
        """Make it if it is missing or old; True if something was done."""
        stamp, wanted = self.directory / "made-from", self._fingerprint()
        if stamp.exists() and stamp.read_text() == wanted:
            return False
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        installer = _uv()
        if installer:
            _run(installer, "venv", "--quiet", "--python", sys.executable, str(self.directory))
            _run(installer, "pip", "sync", "--quiet", "--python", str(self.python), "--require-hashes",
                 "--compile-bytecode", str(self.requirements))  # fmt: skip
        else:
            _run(sys.executable, "-m", "venv", str(self.directory))
            _run(str(self.python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(self.requirements))
        stamp.write_text(wanted)
        return True

    def _fingerprint(self) -> str:
        digest = hashlib.sha256(self.requirements.read_bytes()).hexdigest()
        return f"{digest} python {sysconfig.get_python_version()}"


def _uv() -> str | None:
    """The fast installer, beside our own Python or on the path."""
    return shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Misconfigured(f"{command[1]} failed: {done.stderr[-2000:]}", where=command[0])
