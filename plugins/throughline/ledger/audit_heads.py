"""Heads of the audit kept outside the database: one file a day, signed; a chain sealed anew and a forged head show.

Whoever may change every row of the database still cannot change these files, nor sign new ones without the secret.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from throughline.errors import Invalid, Misconfigured
from throughline.ledger.audit_chain import Witness
from throughline.ledger.exact_json import dumps

SECRET = "THROUGHLINE_AUDIT_SECRET"  # noqa: S105 - the name of the variable
FOLDER = "THROUGHLINE_AUDIT_HEADS"
_SCHEME = "hmac-sha256:"


@dataclass(frozen=True)
class Head:
    """The number and seal of the audit's last line at a moment; line 0 is an audit without lines."""

    line: int
    seal: str
    written_at: str

    def as_witness(self, who: str) -> Witness:
        """What it knows of the chain."""
        return Witness(self.line, self.seal, who)


def head_of(line: int, seal: str, now: datetime) -> Head:
    """The head as it is at this moment."""
    return Head(line, seal, now.astimezone(UTC).isoformat(timespec="seconds"))


def heads_folder(environment: Mapping[str, str], state: Path | None = None) -> Path:
    """Where the daily files lie: `THROUGHLINE_AUDIT_HEADS`, or `audit-heads` in the state directory."""
    if chosen := environment.get(FOLDER):
        return Path(chosen).expanduser()
    home = state or (Path(environment["THROUGHLINE_STATE"]) if environment.get("THROUGHLINE_STATE") else None)
    if home is None:
        raise Misconfigured("there is no place for the audit's heads: set this variable to a folder", where=FOLDER)
    return home.expanduser() / "audit-heads"


def write_head(path: Path, head: Head, secret: str) -> None:
    """Sign and write a head, all at once or not at all; read it with `read_head`."""
    if not secret:
        raise Misconfigured("there is no secret to sign the audit's head with", where=SECRET)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps({**asdict(head), "signature": _signature(head, secret)}, indent=2) + "\n", "utf-8")
    draft.replace(path)


def read_head(path: Path, secret: str | None) -> Head:
    """Read a head; one that was not signed with our secret is `Invalid`. Without a secret nobody looks at that."""
    try:
        told = json.loads(path.read_text("utf-8"))
        signature = str(told.pop("signature"))
        head = Head(**told)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Invalid(f"{path} is not a head of the audit") from error
    if secret and not hmac.compare_digest(signature.encode(), _signature(head, secret).encode()):
        raise Invalid(f"{path} was not signed by this hub: it is forged, or the secret was changed")
    if type(head.line) is not int:
        raise Invalid(f"{path} is not a head of the audit")
    return head


def daily_file(folder: Path, now: datetime) -> Path:
    """The file of a day, by UTC."""
    return folder / f"{now.astimezone(UTC):%Y-%m-%d}.json"


def daily_files(folder: Path) -> list[Path]:
    """Every head kept so far, oldest first."""
    return sorted(folder.glob("*.json"))


def _signature(head: Head, secret: str) -> str:
    return _SCHEME + hmac.new(secret.encode(), dumps(asdict(head)).encode(), hashlib.sha256).hexdigest()
