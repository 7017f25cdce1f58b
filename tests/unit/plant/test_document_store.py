"""What every emulator rests on: all or nothing, unique fields, stamps, and look-ups that stay cheap."""

from __future__ import annotations

import itertools

import pytest

from include.plant.emulators.document_store import DocumentStore, Duplicate


@pytest.fixture
def store(tmp_path):
    ticks = itertools.count(1000)
    made = DocumentStore(tmp_path / "state.db", clock=lambda: next(ticks))
    yield made
    made.close()


def test_what_is_refused_leaves_nothing_behind(store):
    def take_two():
        with store.transaction():
            assert store.next_number("n") == 1
            store.insert("order", "a", {}, unique={"code": "X"})
            store.insert("order", "b", {}, unique={"code": "X"})

    with pytest.raises(Duplicate) as twice:
        take_two()
    assert (twice.value.field, twice.value.value, twice.value.holder) == ("code", "X", "a")
    assert store.count("order") == 0
    assert store.holder("order", "code", "X") is None
    assert store.next_number("n") == 1


def test_saving_gives_a_later_stamp_and_keeps_the_first(store):
    record = store.insert("order", "a", {"quantity": "1.10"}, number="N", parent="P", status="new")
    record.body["quantity"] = "2"
    store.save(record)
    found = store.get("order", "a")
    assert (found.created, found.changed) == (1000, 1001)
    assert found.body == {"quantity": "2"}
    assert store.numbered("order", "N") == found
    assert store.children("order", "P") == [found]


def test_a_removed_document_frees_its_unique_values(store):
    record = store.insert("order", "a", {}, unique={"code": "X"})
    store.remove(record)
    store.insert("order", "b", {}, unique={"code": "X"})
    assert store.holder("order", "code", "X") == "b"


@pytest.mark.parametrize(
    ("where", "order", "index"),
    [("parent=?", "created, id", "by_parent"), ("parent IN (?) AND status<>'x' AND id>''", "id", "by_parent"),
     ("number=?", "id", "by_number"), ("changed>?", "changed, id", "by_change"),
     ("status IN (?)", "changed, id", "by_status")],
)  # fmt: skip
def test_look_ups_never_read_a_whole_kind(store, where, order, index):
    plan = store.connection.execute(
        f"EXPLAIN QUERY PLAN SELECT * FROM documents WHERE kind=? AND ({where}) ORDER BY {order} LIMIT 5",
        ("order", "1"),
    ).fetchall()
    assert f"USING INDEX {index}" in plan[0][3]
