"""What one running instance on this machine knows of itself: where its state lies, its ports and its secrets."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from throughline.errors import Misconfigured
from throughline.local_platform.ports import choose_ports, line_before

PROJECT = Path(__file__).resolve().parents[3]
"""The working tree: dags/, include/, plugins/."""

SECRETS = (
    "admin_password", "api_secret", "audit_secret", "crm_secret", "erp_password", "fernet_key", "jwt_secret",
    "ledger_password", "mes_secret", "postgres_password", "wms_secret",
)  # fmt: skip

LEDGER_USER = "hub"
"""The hub's own login at the ledger."""


@dataclass(frozen=True)
class Settings:
    """One instance: everything it writes lies in `state`; at `speed` 1 the plant's people work in real time."""

    state: Path
    instance: str
    ports: Mapping[str, int]
    secrets: Mapping[str, str] = field(repr=False)
    speed: float = 60.0
    faulty: int = 0
    """The seed of the bad lines between the hub and its systems; 0: the lines are good."""
    project: Path = PROJECT

    @property
    def logs(self) -> Path:
        """A log file per component."""
        return self.state / "logs"

    @property
    def mail(self) -> Path:
        """Every mail the hub sent, as a file."""
        return self.state / "mail"

    def port_towards(self, name: str) -> int:
        """Where others reach a component: its own port, or that of the bad line before it."""
        return self.ports.get(line_before(name), self.ports[name])

    @property
    def ui(self) -> str:
        """The address of Airflow's pages."""
        return f"http://127.0.0.1:{self.ports['airflow']}"

    def dsn(self, database: str) -> str:
        """The address of one database as its owner, password included: never print it."""
        return (
            f"postgresql://postgres:{self.secrets['postgres_password']}@127.0.0.1:{self.ports['postgres']}/{database}"
        )

    @property
    def ledger_dsn(self) -> str:
        """The ledger's address as the hub's own user, who may add to the audit but not change it."""
        password = self.secrets.get("ledger_password")
        if password is None:  # started by an older version, and not again since
            return self.dsn("ledger")
        return f"postgresql://{LEDGER_USER}:{password}@127.0.0.1:{self.ports['postgres']}/ledger"


def state_directory(environment: Mapping[str, str] | None = None) -> Path:
    """Where the state lies: `THROUGHLINE_STATE`, or `.throughline` in the project."""
    chosen = (environment if environment is not None else os.environ).get("THROUGHLINE_STATE")
    return Path(chosen).expanduser().resolve() if chosen else PROJECT / ".throughline"


def load_settings(state: Path | None = None) -> Settings | None:
    """The settings of the instance in this state directory, or None when nothing was ever started there."""
    state = state or state_directory()
    if not (state / "settings.json").exists() or not (state / "secrets.json").exists():
        return None
    known = _read(state / "settings.json")
    kept = _read(state / "secrets.json")
    try:
        return Settings(
            state=state,
            instance=str(known["instance"]),
            ports={str(name): int(port) for name, port in known["ports"].items()},
            secrets={str(name): str(value) for name, value in kept.items()},
            speed=float(known.get("speed", Settings.speed)),
            faulty=int(known.get("faulty", 0)),
        )
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise Misconfigured(
            "the file is not what this program wrote: remove it and start again", where=f"{state / 'settings.json'}"
        ) from error


def make_settings(
    state: Path | None = None, *, port_base: int | None = None, speed: float | None = None,
    faulty: int | None = None, environment: Mapping[str, str] | None = None,
) -> Settings:  # fmt: skip
    """Load the instance's settings, or make them: a name, ports, and secrets nobody chose. None keeps what was."""
    environment = os.environ if environment is None else environment
    state = state or state_directory(environment)
    old = load_settings(state)
    faulty = (old.faulty if old else 0) if faulty is None else faulty
    ports = choose_ports(environment, old.ports if old else {}, port_base, faulty=faulty > 0)
    settings = Settings(
        state=state,
        instance=old.instance if old else secrets.token_hex(6),
        ports=ports,
        secrets={name: (old.secrets.get(name) if old else None) or _new_secret(name) for name in SECRETS},
        speed=speed or (old.speed if old else Settings.speed),
        faulty=faulty,
    )
    for directory in (state, settings.logs, settings.mail):
        directory.mkdir(parents=True, exist_ok=True)
    write_private(state / "secrets.json", json.dumps(dict(settings.secrets), indent=2))
    known = {
        "instance": settings.instance, "ports": dict(settings.ports), "speed": settings.speed,
        "faulty": settings.faulty,
    }  # fmt: skip
    write_private(state / "settings.json", json.dumps(known, indent=2))
    return settings


def _new_secret(name: str) -> str:
    if name == "fernet_key":
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_hex(48 if name in {"jwt_secret", "api_secret"} else 12)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, all at once or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Misconfigured("the file cannot be read: remove it and start again", where=str(path)) from error
    if not isinstance(content, dict):
        raise Misconfigured("the file is not what this program wrote: remove it and start again", where=str(path))
    return content
