"""A profile that is wrong is refused when it is read, with the file and the line to mend."""

from __future__ import annotations

import pytest

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.http.profile import Profile
from throughline.connectors.mechanisms.http.shapes import compile_shape
from throughline.connectors.registry import open_connector, products, profile_of
from throughline.connectors.yaml_files import read_model
from throughline.errors import Invalid, Misconfigured

GOOD = """\
product: trial
title: Trial
mechanism: http
verdict:
  - {is: ok, when: [{at: code, equals: 0}]}
test: {path: /ping}
objects:
  note:
    fence: W2 + W3
    identity: {their_id: id, changed: {at: changed, format: ms}}
    poll:
      call: {path: /notes, body: {from: $since}}
      records: notes
      cursor: {kind: modified_time, format: ms, overlap: {seconds: 60, every: 20}}
    find: {call: {path: /find}, record: note, their_id: $found.id}
    operations:
      create:
        tier: T2
        calls: [{path: /note, body: $payload}]
        answer: {their_id: $payload.id}
"""


@pytest.fixture
def read(tmp_path):
    def load(text: str) -> Profile:
        path = tmp_path / "profile.yaml"
        path.write_text(text)
        return read_model(path, Profile)

    return load


def test_a_good_profile_is_read(read):
    assert read(GOOD).objects["note"].fence == "W2 + W3"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("    fence: W2 + W3\n", "", 8, "declares its fence"),
        ("fence: W2 + W3", "fence: W2", 9, "W2 \\+ W3"),
        ("fence: W2 + W3", "fence: W1", 8, "no log"),
        ("fence: W2 + W3", "fence: {none_needed: because}", 9, "at least 20"),
        ("overlap: {seconds: 60, every: 20}", "window: open", 8, "overlap"),
        ("fence: W2 + W3", "fence: W3", 8, "snapshot"),
        ("every: 20", "every: 60", 14, "less than"),
        ("$since", "$sinse", 12, r"\$sinse begins with none of"),
        ("[{at: code, equals: 0}]", "[{status: 200}]", 5, "only if its body"),
        ("equals: 0", "equal: 0", 5, "equal"),
        ("title: Trial", "titel: Trial", 2, "titel"),
        ("    find: {call: {path: /find}, record: note, their_id: $found.id}\n", "", 8, "findable"),
        ("        answer: {their_id: $payload.id}\n", "", 17, "answer"),
        ("tier: T2", "tier: T5", 18, "T1"),
        ("    identity: {their_id: id, changed: {at: changed, format: ms}}\n", "", 8, "identity"),
        (", changed: {at: changed, format: ms}", "", 8, "identity.changed"),
        ("mechanism: http", "mechanism: http\nzone: Mars/Olympus", 4, "not a time zone"),
        ("calls: [{path: /note, body: $payload}]", "verb: complete", 19, "verb"),
        ("objects:", "objects: [", 8, "not YAML"),
        ("    poll:", "    push: {messages: [m], fence: at_least_once}\n    poll:", 1, "inbound"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(read, old, new, line, said):
    assert old in GOOD
    with pytest.raises(Misconfigured, match=said) as caught:
        read(GOOD.replace(old, new, 1))
    where = caught.value.where
    assert where.rpartition(":")[0].endswith("profile.yaml")
    assert abs(int(where.rpartition(":")[2]) - line) <= 1


def test_a_profile_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Misconfigured, match="does not exist"):
        read_model(tmp_path / "none.yaml", Profile)
    with pytest.raises(Misconfigured, match="no product sap"):
        open_connector("sap", "erp", Connection("erp", "http://x"))


@pytest.mark.parametrize("product", products())
def test_every_product_declares_tier_and_fence_of_all_it_offers(product):
    profile = profile_of(product)
    assert profile.product == product
    for name, declared in profile.objects.items():
        poll = getattr(declared, "poll", None)
        read = poll is not None or profile.mechanism == "sql"
        assert bool(read) == bool(getattr(declared, "fence", None)), name
        for operation in getattr(declared, "operations", {}).values():
            assert operation.tier.value in ("T1", "T2", "T3", "T4")


@pytest.mark.parametrize(
    ("host", "extra", "said"),
    [
        ("wms.example", {}, "http"),
        ("http://x", {"limits": {"concurrency": 0}}, "limits.concurrency"),
        ("http://x", {"limits": {"speed": 9}}, "limits.speed"),
        ("http://x", {"apptoken": ""}, "apptoken"),
    ],
)
def test_a_connection_that_cannot_work_is_named(host, extra, said):
    whole = {"apptoken": "t", "customer_id": "c", "warehouse_id": "w", "client_db": "d", **extra}
    with pytest.raises(Misconfigured, match=said) as caught:
        open_connector("flux", "wms", Connection("plant_wms", host, "key", "secret-secret", whole))
    assert caught.value.where == "connection plant_wms"


def test_a_shape_is_filled_in_and_nothing_more():
    shape = compile_shape({
        "a": "$payload.x", "b": ["$payload.list.1", "$payload.none?", "$$literal", 7],
        "c": {"$with": "$payload.inner", "$without": ["secret"], "k": "v"}, "d": "$payload.none?", "e": "price $5",
        "f": {"nothing": "to fill"},
    })  # fmt: skip
    scope = {"payload": {"x": 1, "list": ["p", "q"], "inner": {"k": "old", "m": 2, "secret": 3}}}
    expected = {
        "a": 1,
        "b": ["q", "$literal", 7],
        "c": {"k": "v", "m": 2},
        "e": "price $5",
        "f": {"nothing": "to fill"},
    }
    assert shape(scope) == expected
    with pytest.raises(Invalid, match=r"payload\.x"):
        shape({"payload": {}})
    hostile = {"payload": {"x": "{{ 7*7 }} $payload.list ${HOME}", "list": [0, 1], "inner": {}}}
    assert shape(hostile)["a"] == "{{ 7*7 }} $payload.list ${HOME}"
