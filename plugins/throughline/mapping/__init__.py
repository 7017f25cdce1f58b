"""The message translator: one field table per product and document, read in both directions.

A table (YAML) says which of a product's fields is which canonical field. `Table.load` refuses whatever is not exactly
right, with file and line; `load_sound_tables` uses the others all the same. A `Translator` turns their records into
canonical documents and back, exactly: no floats, no guessed codes, no silently changed numbers.
"""

from throughline.mapping.codes import Codes
from throughline.mapping.lookups import Registry
from throughline.mapping.sound_tables import SoundTables, load_sound_tables
from throughline.mapping.table import Table, load_tables
from throughline.mapping.translator import Identity, Translator

__all__ = [
    "Codes", "Identity", "Registry", "SoundTables", "Table", "Translator", "load_sound_tables", "load_tables",
]  # fmt: skip
