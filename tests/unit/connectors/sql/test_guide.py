"""What the guide tells a plant to write works as it stands there, and so does the example in include/products."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.connectors.sql.conftest import READER, order, poll
from throughline.canonical import DOCUMENTS
from throughline.connectors.landscape import Landscape, whole_kinds
from throughline.connectors.mechanisms.sql.connector import SqlConnector
from throughline.connectors.places import product_folders
from throughline.connectors.registry import profile_of
from throughline.mapping import Codes, Translator, load_tables
from throughline.orchestration.strangers import Strangers

ROOT = Path(__file__).parents[4]
GUIDE = (ROOT / "docs" / "guides" / "profiles.md").read_text()


def block(language: str, section: str = "Reading your own tables") -> str:
    """The only block of this language in a section of the guide."""
    text = next(part for part in GUIDE.split("\n## ") if part.startswith(section))
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return str(found)


async def test_the_tables_of_the_guide_are_read_by_the_profile_of_the_guide(source, address, tmp_path, monkeypatch):
    source.execute(block("sql").replace("note_transaction", "note_report"))
    source.execute(f"grant select on reports to {READER}")
    source.execute("insert into reports (report_no, good) values ('R-1', 1.50), ('R-2', 2)")
    home = tmp_path / "include" / "products" / "own_reports"
    home.mkdir(parents=True)
    (home / "profile.yaml").write_text(block("yaml"))
    systems = tmp_path / "include" / "systems"
    systems.mkdir()
    (systems / "own.yaml").write_text(
        "role: own\nproduct: own_reports\nconnection: own\ncaptures: [production_report]\n"
    )
    monkeypatch.setenv("THROUGHLINE_INCLUDE", str(tmp_path / "include"))
    system = Landscape.load(systems).system("own")
    assert whole_kinds(system) == ["production_report"]
    async with SqlConnector(profile_of("own_reports"), "own", address) as connector:
        records, cursor = await poll(connector, "production_report")
        assert [record.number for record in records] == ["R-1", "R-2"]
        source.execute("update reports set good = 3 where report_no = 'R-1'")
        records, _ = await poll(connector, "production_report", cursor)
        assert [record.number for record in records] == ["R-1"]


def test_the_python_of_the_guide_is_python():
    compile(block("python"), "guide", "exec")


async def test_the_example_reads_as_documents(connect, source):
    source.execute("insert into customers values ('C-1', '青岛重工集团')")
    order(source, "S-1", lines=2)
    codes = Codes.load(ROOT / "include" / "codes")
    tables = load_tables(product_folders()[1], codes)
    owners = {"customer": "legacy", "item": "legacy", "sales_order": "legacy"}
    translator = Translator(tables, codes, owners, Strangers(), zones={"legacy": "Asia/Shanghai"})
    async with connect() as connector:
        for kind in ("customer", "sales_order"):
            (record,), _ = await poll(connector, kind)
            document = translator.read("postgres_tables", "legacy", kind, record.raw)
            assert isinstance(document, DOCUMENTS[kind])
            assert translator.read_identities("postgres_tables", "legacy", kind, record.raw)
