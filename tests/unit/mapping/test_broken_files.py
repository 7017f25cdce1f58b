"""A broken table or code list stops what needs it, names its line, and leaves everything else at work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.unit.mapping.conftest import OWNERS, PRODUCTS, ROOT, ZONES, Everybody
from throughline.errors import Misconfigured
from throughline.mapping import Codes, SoundTables, Translator, load_sound_tables

CODES = ROOT / "include" / "codes"


def translator(found: SoundTables) -> Translator:
    return Translator(found.tables, found.codes, OWNERS, Everybody(), zones=ZONES, broken=found.broken)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A plant's own tables: one of them broken, in the place of one of the product's that is in order."""
    home = tmp_path / "mappings" / "flux"
    home.mkdir(parents=True)
    table = (PRODUCTS / "flux" / "tables" / "shipment.yaml").read_text(encoding="utf-8")
    (home / "shipment.yaml").write_text(table.replace("fields:", "feilds:", 1), encoding="utf-8")
    return tmp_path / "mappings"


def test_a_broken_table_leaves_all_others_in_use(own: Path) -> None:
    whole, found = load_sound_tables([PRODUCTS], CODES), load_sound_tables([PRODUCTS], CODES, own)
    assert not whole.broken
    assert set(found.broken) == {("flux", "shipment")}
    assert len(found.tables) == len(whole.tables) - 1, "not even the product's own table is used instead"
    words = translator(found)
    assert words.version("flux", "receipt") == translator(whole).version("flux", "receipt")
    for _ in range(2):
        with pytest.raises(Misconfigured, match=r"mappings/flux/shipment\.yaml:\d+: .*feilds"):
            words.read("flux", "wms", "shipment", {})
    with pytest.raises(Misconfigured, match="feilds"):
        words.with_registry(Everybody()).read_many("flux", "wms", "shipment", [{}])


def test_a_mended_table_is_used_again(own: Path) -> None:
    (own / "flux" / "shipment.yaml").unlink()
    assert not load_sound_tables([PRODUCTS], CODES, own).broken


@pytest.mark.parametrize("name", ["currencies", "units"])
def test_a_broken_code_list_stops_the_tables_that_use_it(name: str, tmp_path: Path) -> None:
    codes = tmp_path / "codes"
    shutil.copytree(CODES, codes)
    (codes / f"{name}.yaml").write_text("title: {en: Broken}\nwords:\n  CNY: [\n", encoding="utf-8")
    found, whole = load_sound_tables([PRODUCTS], codes), load_sound_tables([PRODUCTS], CODES)
    assert found.broken
    assert found.tables, "tables that do not use the list"
    assert {str(mistake) for mistake in found.broken.values()} == {str(found.codes.broken[name])}
    assert f"codes/{name}.yaml:" in str(found.codes.broken[name])
    kept = {(table.product, table.document): table.version for table in found.tables}
    usual = {(table.product, table.document): table.version for table in whole.tables}
    assert kept.items() <= usual.items()
    assert all(place in usual for place in found.broken)
    with pytest.raises(Misconfigured, match=f"codes/{name}.yaml"):
        Codes.load(codes)


def test_a_product_of_the_first_folder_is_taken_from_there(tmp_path: Path) -> None:
    for product, document in (("flux", "shipment"), ("own_wms", "shipment")):
        home = tmp_path / product / "tables"
        home.mkdir(parents=True)
        table = (PRODUCTS / "flux" / "tables" / f"{document}.yaml").read_text(encoding="utf-8")
        (home / f"{document}.yaml").write_text(table.replace("product: flux", f"product: {product}"), encoding="utf-8")
    found = load_sound_tables([PRODUCTS, tmp_path], CODES)
    assert not found.broken
    (ours,) = [table for table in found.tables if table.product == "own_wms"]
    assert ours.path.is_relative_to(tmp_path)
    assert all(table.path.is_relative_to(PRODUCTS) for table in found.tables if table is not ours)
