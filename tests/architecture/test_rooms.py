"""Who may import whom, what may be called what, and how big things may grow."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "plugins" / "throughline"

ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "secrecy": set(),
    "lined_yaml": set(),
    "canonical": set(),
    "mapping": {"canonical"},
    "rules": {"canonical"},
    "connectors": {"canonical", "mapping"},
    "ledger": {"canonical"},
    "people": {"canonical", "ledger"},
    "process": {"canonical", "ledger", "mapping", "connectors", "rules", "people"},
    "quality": {"canonical", "ledger", "connectors"},
    "orchestration": {"canonical", "ledger", "mapping", "connectors", "rules", "people", "process", "quality"},
    "receiver": {"ledger", "process", "people", "connectors", "canonical"},
    "web": {"ledger", "process", "people", "canonical"},
    "local_platform": {"ledger", "connectors", "canonical"},
    "command_line": {"ledger", "process", "connectors", "canonical", "local_platform", "mapping", "people"},
}
EVERYWHERE = {"errors", "secrecy", "lined_yaml"}
HOMES = {
    "airflow": {"orchestration", "local_platform"},
    "pandas": {"quality"},
    "great_expectations": {"quality"},
    "psycopg": {"ledger", "orchestration", "local_platform", "connectors"},
    "alembic": {"ledger"},
    "aiohttp": {"connectors"},
    "httpx": {"connectors", "command_line", "local_platform"},
    "click": {"command_line"},
    "pymssql": {"connectors"},
}
JUNK = {"utils", "helpers", "common", "manager", "base", "core", "misc", "util", "helper"}


def modules() -> Iterator[Path]:
    """Every Python file of the package."""
    return (path for path in sorted(PACKAGE.rglob("*.py")) if "__pycache__" not in path.parts)


def room_of(path: Path) -> str:
    """The room a file lives in: the first folder below the package, or the file's own name."""
    part = path.relative_to(PACKAGE).parts[0]
    return part.removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Every module a file imports, wherever the import stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_what_its_room_may(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        assert not imports(path)
        return
    for module in imports(path):
        parts = module.split(".")
        if parts[0] == "throughline" and len(parts) > 1:
            assert parts[1] in ALLOWED[room] | EVERYWHERE | {room}, f"{room} may not import {module}"
        if parts[0] in HOMES:
            assert room in HOMES[parts[0]], f"{parts[0]} belongs to {sorted(HOMES[parts[0]])}, not to {room}"


def test_names_explain_themselves() -> None:
    for path in [*modules(), *PACKAGE.rglob("*/")]:
        assert path.stem not in JUNK, f"{path} says nothing about what is in it"


def test_no_top_level_plugin_file_shadows_a_library() -> None:
    """Airflow executes plugins/*.py under their bare names: there are none, and .airflowignore names the package."""
    assert not list((ROOT / "plugins").glob("*.py"))
    assert "throughline" in (ROOT / "plugins" / ".airflowignore").read_text().split()


def test_no_room_is_named_like_the_standard_library_at_top_level() -> None:
    folders = {path.name for path in (ROOT / "plugins").iterdir() if path.is_dir()}
    assert not folders & set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 300, f"{path.name} has grown past 300 lines: is it still one room?"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or 0) - node.lineno + 1
            assert size <= 60, f"{path.name}: {node.name} has {size} lines"


def test_every_room_says_what_it_is() -> None:
    for init in PACKAGE.rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(init.read_text())), f"{init} has no docstring"


def test_sql_is_only_in_the_ledger() -> None:
    statement = re.compile(r"\b(insert into|delete from|create table)\s+\w+", re.IGNORECASE)
    for path in modules():
        if room_of(path) != "ledger":
            assert not statement.search(path.read_text()), f"{path} speaks SQL"


def test_a_vendors_words_stay_in_its_profile() -> None:
    words = re.compile(r"SalesOrderObj|FBillNo|putASN|confirmSOData|life_status|sale\.sale|progress_report/_list")
    for path in modules():
        if "products" not in path.parts:
            assert not words.search(path.read_text()), f"{path} speaks a vendor's dialect"


def test_no_float_on_the_document_path() -> None:
    for room in ("canonical", "mapping", "rules"):
        for path in (PACKAGE / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    assert node.func.id != "float", f"{path}:{node.lineno} makes a float"


def test_product_folders_have_one_shape() -> None:
    optional = {"signer.py", "codec.py", "verbs.py", "verbs", "inbound.py", "__pycache__"}
    for folder in (PACKAGE / "connectors" / "products").iterdir():
        if folder.is_dir() and folder.name != "__pycache__":
            names = {path.name for path in folder.iterdir()}
            assert {"__init__.py", "profile.yaml", "tables"} <= names, f"{folder.name} lacks a file"
            assert names - optional == {"__init__.py", "profile.yaml", "tables"}, f"{folder.name}: {names}"


def test_dag_files_are_light() -> None:
    for path in (ROOT / "dags").glob("*.py"):
        assert path.read_text().count("\n") <= 60, f"{path.name} holds logic"
