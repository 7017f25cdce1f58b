"""PostgreSQL refuses to run as root: as root we run it as `nobody`, who must be able to reach its files."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def identity() -> dict[str, Any]:
    """What `subprocess` needs to start PostgreSQL as somebody it accepts: nothing, unless we are root."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def reachable(path: Path) -> bool:
    """Whether `nobody` may walk to this path (always true when we are not root)."""
    if os.getuid() != 0:
        return True
    existing = (part for part in (path, *path.parents) if part.exists())
    return all(part.stat().st_mode & stat.S_IXOTH for part in existing)


def reachable_directory(wanted: Path, owner: str) -> Path:
    """The wanted directory, or one of the same owner (an instance) outside a closed home directory."""
    if wanted.exists() or reachable(wanted.parent):  # once chosen it stays, whatever becomes of the way to it
        return wanted
    return Path("/var/tmp") / f"throughline-{owner}"  # noqa: S108 - `give` makes it private


def reachable_copy(home: Path, parts: Sequence[str]) -> Path:
    """The directory the programs lie in, or, when `nobody` cannot reach it, a copy of its named parts, made once."""
    if all(reachable(home / part) for part in parts):
        return home
    stamp = "|".join(f"{home / part}|{(home / part).stat().st_mtime_ns}" for part in parts)
    copy = Path("/var/tmp") / f"throughline-programs-{hashlib.sha256(stamp.encode()).hexdigest()[:12]}"  # noqa: S108
    if not copy.exists():
        draft = Path(tempfile.mkdtemp(prefix=f"{copy.name}-", dir=copy.parent))
        for part in parts:
            shutil.copytree(home / part, draft / part, symlinks=True)
        draft.chmod(0o755)
        draft.rename(copy)
    if copy.stat().st_uid != os.getuid():
        raise PermissionError(f"{copy} belongs to somebody else: remove it")
    return copy


def give(path: Path) -> None:
    """As root, hand a file or directory to `nobody`; a directory that is not there yet is made."""
    if not path.exists():
        path.mkdir(parents=True, mode=0o700)
    owner = identity()
    if owner:
        os.chown(path, owner["user"], owner["group"])
