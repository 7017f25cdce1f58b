"""A query that does more than read, or a table without a fence, is refused when the profile is loaded."""

from __future__ import annotations

import pytest

from throughline.connectors.mechanisms.sql.profile import SqlProfile
from throughline.connectors.yaml_files import read_model
from throughline.errors import Misconfigured

GOOD = """\
product: trial
title: Trial
mechanism: sql
dialect: postgresql
objects:
  note:
    fence: W1 + W3
    query: select id, tx, written_at from notes where kind like 'a%'
    key: id
    changed_at: written_at
    changes: {column: tx, kind: xid8}
    lines:
      parts:
        query: select note_id, place from parts
        parent: note_id
        order_by: place
"""
QUERY = "select id, tx, written_at from notes where kind like 'a%'"


def load(tmp_path, text: str) -> SqlProfile:
    path = tmp_path / "profile.yaml"
    path.write_text(text)
    return read_model(path, SqlProfile)


def test_a_good_declaration_is_read(tmp_path):
    note = load(tmp_path, GOOD).objects["note"]
    assert (note.key, note.fence) == (["id"], "W1 + W3")


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("    fence: W1 + W3\n", "", 6, "fence"),
        ("W1 + W3", "W2 + W3", 6, "guessed at by an overlap"),
        ("W1 + W3", "W3", 6, "names the column of the transaction"),
        ("    changes: {column: tx, kind: xid8}\n", "", 6, "names the column of the transaction"),
        ("column: tx", "column: xt", 6, "no column xt"),
        ("key: id", "key: [id, tx]", 6, "known by one column"),
        ("parent: note_id", "parent: note", 6, "no column note"),
        ("dialect: postgresql", "dialect: oracle", 4, "postgresql"),
        (QUERY, "delete from notes", 8, "one SELECT"),
        (QUERY, "select 1 as id; drop table notes", 8, "one SELECT"),
        (QUERY, "select id, tx, written_at from notes for update", 8, "only reads"),
        (QUERY, "select id, tx, written_at into copy from notes", 8, "only reads"),
        (QUERY, "with gone as (delete from notes returning *) select id, tx, written_at from gone", 8, "only reads"),
        (QUERY, "select id, tx, written_at from notes where id = $1", 8, "only reads"),
        (QUERY, "select id, tx, written_at, 1 + 1 from notes", 8, "needs a name"),
        (QUERY, "select id, tx, written_at, written_at from notes", 8, "same name"),
        (QUERY, "select id, (tx from", 8, "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path, old, new, line, said):
    assert old in GOOD
    with pytest.raises(Misconfigured, match=said) as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert abs(int(caught.value.where.rpartition(":")[2]) - line) <= 1
