"""For SQL Server, too, a query that does more than read or would lose rows is refused when the profile is loaded."""

from __future__ import annotations

import pytest

from throughline.connectors.mechanisms.sql.profile import SqlProfile
from throughline.connectors.yaml_files import read_model
from throughline.errors import Misconfigured

QUERY = "select top (10) [id], rv as ufts, told = upper(name) from dbo.notes where name like N'a%d' order by id"
GOOD = f"""\
product: trial
title: Trial
mechanism: sql
dialect: sqlserver
zone: Asia/Shanghai
objects:
  note:
    fence: W1 + W3
    query: {QUERY}
    key: id
    changes: {{column: ufts, kind: rowversion}}
    lines:
      parts:
        query: select note_id, place from parts
        parent: note_id
        order_by: place
"""
PLAIN = "select id, rv as ufts from notes"


def load(tmp_path, text: str) -> SqlProfile:
    path = tmp_path / "profile.yaml"
    path.write_text(text)
    return read_model(path, SqlProfile)


def test_a_good_declaration_is_read(tmp_path):
    profile = load(tmp_path, GOOD)
    assert profile.spoken.value == "tsql"
    assert profile.zone_info.key == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("kind: rowversion", "kind: xmin", 11, "tells by rowversion"),
        (", kind: rowversion", "", 11, "tells by rowversion"),
        ("dialect: sqlserver", "dialect: postgresql", 5, "with their zone"),
        ("Asia/Shanghai", "Asia/Peking", 5, "no time zone|not a time zone"),
        ("W1 + W3", "W2 + W3", 8, "guessed at by an overlap"),
        ("column: ufts", "column: rv", 8, "no column rv"),
        (QUERY, "delete from notes", 9, "one SELECT"),
        (QUERY, f"{PLAIN}; drop table notes", 9, "one SELECT"),
        (QUERY, "exec sp_who", 9, "one SELECT"),
        (QUERY, "select id, rv as ufts into copy from notes", 9, "only reads"),
        (QUERY, f"{PLAIN} where id = @p", 9, "only reads"),
        (QUERY, f"{PLAIN} with (nolock)", 9, "no hint"),
        (QUERY, f"{PLAIN} as n with (readpast)", 9, "no hint"),
        (QUERY, "select n.id, n.rv as ufts from notes n join (select id from x with (nolock)) o on o.id = n.id", 9,
         "no hint"),
        (QUERY, f"{PLAIN} order by id", 9, "without ORDER BY"),
        (QUERY, f"{PLAIN} option (maxdop 1)", 9, "without WITH"),
        (QUERY, f"with n as ({PLAIN}) select id, ufts from n", 9, "without WITH"),
        (QUERY, "select next value for numbers as id, rv as ufts from notes", 9, "changes a sequence"),
        (QUERY, "select id, ufts from openquery(other, 'delete from notes') as n", 9, "only reads this database"),
        (QUERY, "select id, rv as ufts, 1 + 1 from notes", 9, "needs a name"),
        (QUERY, "select id, (rv from", 9, "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path, old, new, line, said):
    assert old in GOOD
    with pytest.raises(Misconfigured, match=said) as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert abs(int(caught.value.where.rpartition(":")[2]) - line) <= 1


def test_one_profile_does_not_teach_the_next_its_dialect(tmp_path):
    load(tmp_path, GOOD)
    with pytest.raises(Misconfigured, match="tells by xid8 or xmin"):
        load(tmp_path, GOOD.replace("sqlserver\nzone: Asia/Shanghai", "postgresql").replace(QUERY, PLAIN))
