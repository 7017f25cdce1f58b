"""The profile the guide shows for a SQL Server reads a table such as the guide describes."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.sqlserver_fixtures import account_set, people, poll
from tests.unit.connectors.sql.test_guide import block
from throughline.connectors.mechanisms.sql.connector import SqlConnector
from throughline.connectors.registry import profile_of

__all__ = ["account_set", "people"]
ARTICLES = """
create table articles (code varchar(30) primary key, title varchar(100), changed_at datetime, stamp rowversion);
create function stamp_stamp() returns trigger language plpgsql as $$
begin
    new.stamp := next_rowversion();
    return new;
end $$;
create trigger stamp before insert or update on articles for each row execute function stamp_stamp();
insert into articles values ('A-1', '螺栓', '2026-11-23 08:00:00'), ('A-2', 'a draft', null);
"""


async def test_the_profile_of_the_guide_reads_its_table(account_set, people, tmp_path, monkeypatch):
    people.execute(ARTICLES)
    home = tmp_path / "include" / "products" / "own_stock"
    home.mkdir(parents=True)
    (home / "profile.yaml").write_text(block("yaml", "Reading a SQL Server"))
    monkeypatch.setenv("THROUGHLINE_INCLUDE", str(tmp_path / "include"))
    async with SqlConnector(profile_of("own_stock"), "own", account_set.address()) as connector:
        (record,), cursor = await poll(connector, "item")
        assert (record.number, record.raw["title"]) == ("A-1", "螺栓")
        assert record.changed_at == datetime(2026, 11, 23, tzinfo=UTC)
        people.execute("update articles set title = '螺母' where code = 'A-1'")
        (again,), _ = await poll(connector, "item", cursor)
        assert again.raw["title"] == "螺母"
