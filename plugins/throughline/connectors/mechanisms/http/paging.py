"""Walks through an answer that comes in pages. Each walk ends by itself: a page that does not advance is an error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from throughline.connectors.mechanisms.http.declared_objects import Paging
from throughline.connectors.mechanisms.http.outgoing import PreparedCall
from throughline.connectors.mechanisms.http.paths import MISSING, Reader, compile_path
from throughline.connectors.mechanisms.http.talk import Talk
from throughline.connectors.mechanisms.http.verdicts import Answer
from throughline.errors import Invalid

Records = list[Mapping[str, Any]]
MOST_PAGES = 100_000


@dataclass(frozen=True)
class PageOfRecords:
    """The records of one page, how many the product says there are in all, and where keyset paging goes on."""

    records: Records
    total: int | None = None
    place: dict[str, Any] | None = None
    """the last record's own stamp and id, as plain values"""


class Pager:
    """One way of paging, ready to walk: the call, where its records are, and the declared paging."""

    def __init__(
        self, call: PreparedCall, records: str, paging: Paging, *, ties: PreparedCall | None = None,
        restamp: Callable[[Any], Any] | None = None,
        link: Callable[[PreparedCall, str], PreparedCall] | None = None, columns: tuple[str, ...] | None = None,
    ) -> None:  # fmt: skip
        self._call = call
        self._name = records
        self._records = compile_path(records)
        self._paging = paging
        self._ties = ties
        self._restamp = restamp
        self._link = link
        self._columns = columns
        self._total = compile_path(paging.total) if paging.total else None
        self._keys = [compile_path(key) for key in paging.keys]
        self._next = compile_path(paging.next) if paging.next else None

    def walk(
        self, talk: Talk, scope: dict[str, Any], at: Any = None, place: Mapping[str, Any] | None = None
    ) -> AsyncIterator[PageOfRecords]:
        """Every page from the beginning; for keyset paging from the stamp `at`, or behind a `place`."""
        kind = self._paging.kind
        if kind in ("offset", "page"):
            return self._numbered(talk, scope)
        if kind == "keyset":
            return self._keyset(talk, scope, at, place)
        return self._linked(talk, scope) if kind == "next_link" else self._single(talk, scope)

    def last_key(self, page: PageOfRecords) -> Any:
        """The id of the last record of a page, by which keyset paging goes on."""
        return self._place(page.records[-1])["id"]

    async def _single(self, talk: Talk, scope: dict[str, Any]) -> AsyncIterator[PageOfRecords]:
        yield (await self._page(talk, self._call, scope))[0]

    async def _numbered(self, talk: Talk, scope: dict[str, Any]) -> AsyncIterator[PageOfRecords]:
        size, first = self._paging.size, 1 if self._paging.first is None else self._paging.first
        seen = 0
        for turn in range(MOST_PAGES):
            scope["page"] = {"number": first + turn, "offset": turn * size, "size": size}
            page, _ = await self._page(talk, self._call, scope)
            seen += len(page.records)
            yield page
            if len(page.records) < size or (page.total is not None and seen >= page.total):
                return
        raise self._endless()

    async def _keyset(
        self, talk: Talk, scope: dict[str, Any], at: Any, place: Mapping[str, Any] | None
    ) -> AsyncIterator[PageOfRecords]:
        """By the last key seen: nothing is lost or read twice when rows come and go between pages."""
        size = self._paging.size
        scope["page"] = {"number": 1, "offset": 0, "size": size}
        start = 0 if self._paging.first is None else self._paging.first
        position = {"at": at, "id": start} if len(self._keys) == 2 else {"id": start if at is None else at}
        call = self._call
        if place is not None:
            position, call = self._restamped(place), self._ties or self._call
        for _ in range(MOST_PAGES):
            scope["position"] = position
            page, _ = await self._page(talk, call, scope)
            if page.records:
                own = self._place(page.records[-1])
                after = self._restamped(own)
                if after == position:
                    raise self._endless()
                position = after
                yield replace(page, place=own) if len(page.records) == size else page
            if len(page.records) == size:
                call = self._ties or self._call
            elif call is self._ties:
                call = self._call
            else:
                return
        raise self._endless()

    async def _linked(self, talk: Talk, scope: dict[str, Any]) -> AsyncIterator[PageOfRecords]:
        call, seen = self._call, set[str]()
        while True:
            page, answer = await self._page(talk, call, scope)
            yield page
            link = self._next_link(answer)
            if link is None:
                return
            if link in seen or self._link is None:
                raise self._endless()
            seen.add(link)
            call = self._link(self._call, below_host(link, talk.wire.host))

    async def _page(self, talk: Talk, call: PreparedCall, scope: dict[str, Any]) -> tuple[PageOfRecords, Answer]:
        scope["columns"] = ",".join(self._columns or ())
        answer = await talk.ask_whole(call, scope, writes=False)
        records = named(self._records(answer.body), self._columns)
        if not isinstance(records, list) or not all(isinstance(record, Mapping) for record in records):
            raise Invalid(
                f"{talk.wire.role} gave no list of records at {self._name}", system=talk.wire.role, call=call.name
            )
        return PageOfRecords(records, _number(self._total, answer.body)), answer

    def _place(self, record: Mapping[str, Any]) -> dict[str, Any]:
        values = [key(record) for key in self._keys]
        if any(value is MISSING for value in values):
            raise Invalid(
                f"a record without {' or '.join(self._paging.keys)} cannot be paged by it", call=self._call.name
            )
        return {"id": values[0]} if len(values) == 1 else {"at": values[0], "id": values[1]}

    def _restamped(self, place: Mapping[str, Any]) -> dict[str, Any]:
        """A place as a request wants it."""
        if "at" not in place or self._restamp is None:
            return dict(place)
        return {**place, "at": self._restamp(place["at"])}

    def _next_link(self, answer: Answer) -> str | None:
        found = self._next(answer.body) if self._next else _link_header(answer.headers.get("link", ""))
        return str(found) if found is not MISSING and found else None

    def _endless(self) -> Invalid:
        return Invalid(
            f"the pages of {self._call.name} do not advance: the same place is reached again", call=self._call.name
        )


def named(rows: Any, columns: tuple[str, ...] | None) -> Any:
    """Rows that are bare lists as records, each value under the name of its column; anything else as it is.

    A name with a dot, `FSupplierId.FNumber`, is a field of a record inside.
    """
    if columns is None or not isinstance(rows, list):
        return rows
    return [_nested(columns, row) if isinstance(row, list) and len(row) == len(columns) else row for row in rows]


def _nested(columns: tuple[str, ...], row: list[Any]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, value in zip(columns, row, strict=True):
        *records, field = name.split(".")
        place = record
        for each in records:
            place = place.setdefault(each, {})
        place[field] = value
    return record


def _number(read: Reader | None, body: Any) -> int | None:
    found = MISSING if read is None else read(body)
    return int(found) if isinstance(found, int) or (isinstance(found, str) and found.isdigit()) else None


def _link_header(header: str) -> str | None:
    for link in header.split(","):
        target, _, attributes = link.partition(";")
        if 'rel="next"' in attributes.replace(" ", "") or "rel=next" in attributes.replace(" ", ""):
            return target.strip().strip("<>")
    return None


def below_host(link: str, host: str) -> str:
    """The path and query of a link to the same host; a link anywhere else is refused, our credentials stay here."""
    there, here = urlsplit(link), urlsplit(host)
    if there.netloc and (there.scheme, there.netloc) != (here.scheme, here.netloc):
        raise Invalid("the next page lies on another host", link_host=there.netloc)
    path = there.path.removeprefix(here.path.rstrip("/")) if here.path else there.path
    return f"{path}?{there.query}" if there.query else path
