"""A field table: loaded from YAML, checked word by word, compiled for reading and for writing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from throughline.canonical import DOCUMENTS
from throughline.errors import Misconfigured
from throughline.lined_yaml import LinedFile, Location, read_lined, shown_path
from throughline.mapping.bench import Bench
from throughline.mapping.clearing import CHANGE
from throughline.mapping.codes import Codes
from throughline.mapping.identities import Identities, read_identities
from throughline.mapping.kinds import Wrong
from throughline.mapping.reading import ReadRecord, read_record
from throughline.mapping.vocabulary import FieldSpec, OperationSection, TableSpec, merged
from throughline.mapping.writing import WriteRecord, write_record

CREATE = "create"
TOP: Location = ("fields",)


@dataclass(frozen=True)
class Table:
    """How one product spells one kind of document; `version` changes with the file and with the codes it uses."""

    product: str
    document: str
    path: Path
    spec: TableSpec
    codes: Codes = field(repr=False)
    version: str = ""

    @classmethod
    def load(cls, path: Path, codes: Codes) -> Table:
        """The table in this file, or `Misconfigured` naming every mistake with its line."""
        file = read_lined(path)
        spec = _parsed(file)
        for name, place in _placed(spec):
            name.place(file.line, place)
        if spec.document not in DOCUMENTS:
            file.refuse([(("document",), f"{spec.document} is not a kind of document")])
        table = cls(spec.product, spec.document, path, spec, codes)
        used = table._check(file)
        digest = hashlib.sha256(file.source + codes.fingerprint(used).encode()).hexdigest()[:16]
        return cls(spec.product, spec.document, path, spec, codes, digest)

    @property
    def reads(self) -> bool:
        """Whether this table reads their records."""
        return bool(self.spec.fields or self.spec.read)

    @property
    def writes(self) -> bool:
        """Whether this table writes theirs."""
        return bool(self.spec.fields or self.spec.write or self.spec.operations)

    def read_fields(self) -> dict[str, FieldSpec]:
        """Every field that reading fills."""
        return merged(self.spec.fields, self.spec.read.fields if self.spec.read else {})

    def write_fields(self, operation: str = CREATE) -> tuple[dict[str, FieldSpec], dict[str, Any]]:
        """The fields and the constants of one operation's payload."""
        section = self.spec.write
        fields = merged(self.spec.fields, section.fields if section else {})
        constant = dict(section.constant if section else {})
        own = self.spec.operations.get(operation, OperationSection())
        if own.only is not None:
            fields, constant = {name: fields[name] for name in own.only if name in fields}, {}
        return merged(fields, own.fields), constant | own.constant

    def line_of(self, name: str) -> int:
        """The line on which this canonical field stands."""
        found = self.read_fields().get(name)
        return found.line if found else 0

    def bench(self, owners: Mapping[str, str], zone: str) -> Bench:
        """What this table is compiled with."""
        return Bench(self.product, self.document, self.codes, owners, zone, header=self.read_fields())

    def reader(self, bench: Bench) -> ReadRecord:
        """Their record -> canonical fields."""
        place = ("read", *TOP) if self.spec.read and self.spec.read.fields else TOP
        return read_record(bench, self.read_fields(), DOCUMENTS[self.document], place)

    def writer(self, bench: Bench, operation: str = CREATE) -> WriteRecord:
        """Canonical document -> their record."""
        fields, constant = self.write_fields(operation)
        return write_record(bench, fields, constant, DOCUMENTS[self.document], changes=operation == CHANGE)

    def identities(self, bench: Bench) -> Identities:
        """Their record -> which canonical ids it carries."""
        return read_identities(bench, self.spec.key, self.read_fields())

    def _check(self, file: LinedFile) -> set[str]:
        bench = self.bench({}, "UTC")
        if not (self.reads or self.writes):
            bench.problem((), Wrong("this table has no fields"))
        if self.reads:
            self._check_reading(bench)
        if self.writes:
            self._check_writing(bench)
        if bench.problems:
            file.refuse(bench.problems)
        return bench.used

    def _check_reading(self, bench: Bench) -> None:
        self.reader(bench)
        try:
            if not bench.problems:
                self.identities(bench)
        except Wrong as wrong:
            bench.problem((), wrong)

    def _check_writing(self, bench: Bench) -> None:
        for operation in dict.fromkeys((CREATE, CHANGE, *self.spec.operations)):
            self.writer(bench, operation)
        known = {*self.spec.fields, *(self.spec.write.fields if self.spec.write else ())}
        for operation, section in self.spec.operations.items():
            for index, name in enumerate(section.only or []):
                if name not in known:
                    place = ("operations", operation, "only", index)
                    bench.problem(place, Wrong(f"{name} is not written by this table"))


def _parsed(file: LinedFile) -> TableSpec:
    if not isinstance(file.content, dict):
        file.refuse([((), "this file is not a table")])
    try:
        return TableSpec.model_validate(file.content)
    except ValidationError as error:
        file.refuse([(found["loc"], _sentence(found)) for found in error.errors()])


def _sentence(found: Any) -> str:
    if found["type"] == "extra_forbidden":
        return "is not a word a table knows here"
    return str(found["msg"]).removeprefix("Value error, ")


def _placed(spec: TableSpec) -> Iterable[tuple[FieldSpec, Location]]:
    sections: list[tuple[Location, dict[str, FieldSpec]]] = [(TOP, spec.fields)]
    sections += [((name, "fields"), part.fields) for name, part in (("read", spec.read), ("write", spec.write)) if part]
    sections += [(("operations", name, "fields"), part.fields) for name, part in spec.operations.items()]
    return [(found, (*place, name)) for place, fields in sections for name, found in fields.items()]


def load_tables(products: Path, codes: Codes, overrides: Path | None = None) -> list[Table]:
    """Every product's tables; a file `<overrides>/<product>/<document>.yaml` takes the place of the product's own."""
    found: dict[tuple[str, str], Table] = {}
    for path in sorted(products.glob("*/tables/*.yaml")):
        table = table_at(path, path.parent.parent.name, codes)
        found[table.product, table.document] = table
    for path in sorted(overrides.glob("*/*.yaml")) if overrides else ():
        table = table_at(path, path.parent.name, codes)
        found[table.product, table.document] = table
    return list(found.values())


def table_at(path: Path, product: str, codes: Codes) -> Table:
    """The table in this file, which must be the one its folder and name say."""
    table = Table.load(path, codes)
    if (table.product, table.document) != (product, table.path.stem):
        raise Misconfigured(f"this table is for {table.product}/{table.document}, which is not where it lies",
                            where=f"{shown_path(table.path)}:1")  # fmt: skip
    return table
