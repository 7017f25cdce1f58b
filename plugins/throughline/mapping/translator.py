"""The message translator: their records into canonical documents and back, one document or a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from throughline.canonical import DOCUMENTS, CanonicalDocument, reference
from throughline.errors import Invalid, Misconfigured
from throughline.lined_yaml import shown_path
from throughline.mapping.codes import Codes
from throughline.mapping.complaints import Complaint
from throughline.mapping.identities import Identities, Identity
from throughline.mapping.lookups import Lookups, Registry
from throughline.mapping.reading import Reading, ReadRecord
from throughline.mapping.table import CREATE, Table
from throughline.mapping.writing import WriteRecord, Writing

Raw = Mapping[str, Any]
Given = TypeVar("Given")
Made = TypeVar("Made")

__all__ = ["Identity", "Translator"]


@dataclass(frozen=True)
class _Reader:
    table: Table
    record: ReadRecord
    identities: Identities


class Translator:
    """Every table of the landscape, ready to use.

    `owners` says which role numbers each kind of document (`hub` when none does); `zones` gives each role's time zone,
    which a table with local times cannot do without. The batch forms ask the registry once for each batch, and a
    document that does not fit stands in the result as the `Invalid` (or `Unknown`) it is: one bad document spares its
    neighbours. `broken` says what is wrong with tables that could not be loaded: asking for one raises that mistake.
    """

    def __init__(
        self, tables: Iterable[Table], codes: Codes, owners: Mapping[str, str], registry: Registry, *,
        zones: Mapping[str, str] | None = None, broken: Mapping[tuple[str, str], Misconfigured] | None = None,
    ) -> None:  # fmt: skip
        self._broken = dict(broken or {})
        self._tables = {(table.product, table.document): table for table in tables}
        self.codes = codes
        self._owners = dict(owners)
        self._registry = registry
        self._zones = dict(zones or {})
        self._readers: dict[tuple[str, str, str], _Reader] = {}
        self._writers: dict[tuple[str, str, str, str], WriteRecord] = {}

    def with_registry(self, registry: Registry) -> Translator:
        """The same tables over another registry (one ledger transaction's); compiled tables are shared."""
        other = Translator((), self.codes, self._owners, registry, zones=self._zones, broken=self._broken)
        other._tables, other._readers, other._writers = self._tables, self._readers, self._writers
        return other

    def version(self, product: str, document: str) -> str:
        """The version of the table and of the codes it uses, for the ledger."""
        return self._table(product, document).version

    def canonical_id(self, document: CanonicalDocument) -> str:
        """The canonical id of a document: its kind, the owner of the kind, its number."""
        return reference(document.kind, self._owners.get(document.kind, "hub"), document.number)

    def read(self, product: str, role: str, document: str, raw: Raw) -> CanonicalDocument:
        """Their record as a canonical document; raises `Invalid` or `Unknown`."""
        return _only(self.read_many(product, role, document, [raw]))

    def read_many(
        self, product: str, role: str, document: str, raws: Sequence[Raw]
    ) -> list[CanonicalDocument | Invalid]:
        """Their records as canonical documents, each or its error."""
        reader = self._reader(product, role, document)
        lookups, model = Lookups(self._registry, role, self._owners), DOCUMENTS[document]

        def one(raw: Raw) -> CanonicalDocument | None:
            root = raw if isinstance(raw, dict) else dict(raw)
            fields = reader.record(root, Reading(root, lookups))
            return None if lookups.pending else model.model_validate(fields)

        return self._settle(reader.table, lookups, raws, one)

    def read_identities(self, product: str, role: str, document: str, raw: Raw) -> list[Identity]:
        """Which canonical ids this record carries, header first, then lines; asks no registry."""
        reader = self._reader(product, role, document)
        root = raw if isinstance(raw, dict) else dict(raw)
        try:
            return reader.identities(root, Reading(root, Lookups(self._registry, role, self._owners)))
        except Complaint as complaint:
            raise _error(reader.table, complaint) from None

    def write(
        self, product: str, role: str, document: str, doc: CanonicalDocument, *, operation: str = CREATE,
        before: CanonicalDocument | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """The payload that carries out `operation` on this document; raises `Invalid` or `Unknown`."""
        return _only(self.write_many(product, role, document, [doc], operation=operation, befores=[before]))

    def write_many(
        self, product: str, role: str, document: str, docs: Sequence[CanonicalDocument], *, operation: str = CREATE,
        befores: Sequence[CanonicalDocument | None] | None = None,
    ) -> list[dict[str, Any] | Invalid]:  # fmt: skip
        """The payloads of these documents, each or its error.

        `befores` are the same documents as the target has them now, where known: what a change takes away is cleared.
        """
        record = self._writer(product, role, document, operation)
        lookups = Lookups(self._registry, role, self._owners)

        def one(pair: tuple[CanonicalDocument, CanonicalDocument | None]) -> dict[str, Any]:
            doc, before = pair
            scope = Writing(doc, lookups, before=before)
            record(doc, scope.root, scope)
            return scope.root

        pairs = list(zip(docs, befores or [None] * len(docs), strict=True))
        return self._settle(self._table(product, document), lookups, pairs, one)

    def _settle(
        self, table: Table, lookups: Lookups, given: Sequence[Given], one: Callable[[Given], Made | None]
    ) -> list[Made | Invalid]:
        """Translate; what met an unknown name is translated again once the registry has answered for all of them."""
        results: list[Any] = [None] * len(given)
        todo: Collection[int] = range(len(given))
        while todo:
            again: list[int] = []
            for index in todo:
                lookups.pending = False
                results[index] = _attempt(table, one, given[index])
                if lookups.pending and not isinstance(results[index], Invalid):
                    again.append(index)
            lookups.fetch()
            todo = again
        return results

    def _table(self, product: str, document: str) -> Table:
        if (product, document) in self._broken:
            raise self._broken[product, document].with_traceback(None)
        try:
            return self._tables[product, document]
        except KeyError:
            raise Misconfigured(f"there is no table for {document} of {product}", where=f"{product}/tables") from None

    def _reader(self, product: str, role: str, document: str) -> _Reader:
        found = self._readers.get((product, role, document))
        if found is None:
            table = self._table(product, document)
            if not table.reads:
                raise Misconfigured(f"this table does not read {document}", where=shown_path(table.path))
            bench = table.bench(self._owners, self._zones.get(role, ""))
            record = table.reader(bench)
            bench.refuse_to_run(shown_path(table.path))
            found = _Reader(table, record, table.identities(bench))
            self._readers[product, role, document] = found
        return found

    def _writer(self, product: str, role: str, document: str, operation: str) -> WriteRecord:
        key = (product, role, document, operation)
        if key not in self._writers:
            table = self._table(product, document)
            if not table.writes:
                raise Misconfigured(f"this table does not write {document}", where=shown_path(table.path))
            bench = table.bench(self._owners, self._zones.get(role, ""))
            record = table.writer(bench, operation)
            bench.refuse_to_run(shown_path(table.path))
            self._writers[key] = record
        return self._writers[key]


def _attempt(table: Table, one: Callable[[Given], Made | None], given: Given) -> Made | Invalid | None:
    try:
        return one(given)
    except Complaint as complaint:
        return _error(table, complaint)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        misfit = Complaint(f"does not fit: {first['msg']}", first["input"])
        misfit.trail = [f"[{part}]" if isinstance(part, int) else part for part in first["loc"]]
        misfit.line = table.line_of(str(first["loc"][0]) if first["loc"] else "")
        return _error(table, misfit)


def _error(table: Table, complaint: Complaint) -> Invalid:
    return complaint.as_error(table.product, table.document, shown_path(table.path))


def _only(results: list[Made | Invalid]) -> Made:
    (result,) = results
    if isinstance(result, Invalid):
        raise result
    return result
