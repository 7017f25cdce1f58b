"""Fetches the records that belong to a page of headers (order lines) and puts them into their headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from throughline.connectors.mechanisms.http.consequences import NotThere
from throughline.connectors.mechanisms.http.declared_objects import Children
from throughline.connectors.mechanisms.http.outgoing import PreparedCall
from throughline.connectors.mechanisms.http.paging import Pager, Records, named
from throughline.connectors.mechanisms.http.paths import Reader, compile_path
from throughline.connectors.mechanisms.http.talk import Talk
from throughline.errors import Invalid


@dataclass(frozen=True)
class ChildReader:
    """One kind of child: its name in the header, how to ask for it, and how a child names its header."""

    name: str
    declared: Children
    pager: Pager
    header_id: Reader
    parent: Reader

    async def attach(self, talk: Talk, headers: Records) -> Records:
        """The headers, each with the list of its children under our name for them, in the declared order."""
        ids = [self.header_id(header) for header in headers]
        found: dict[str, list[Mapping[str, Any]]] = {str(key): [] for key in ids}
        for first in range(0, len(ids), self.declared.at_most):
            scope = talk.wire.scope(parents=ids[first : first + self.declared.at_most])
            async for page in self.pager.walk(talk, scope):
                for child in page.records:
                    found.setdefault(str(self.parent(child)), []).append(child)
        return [{**header, self.name: self._ordered(found[str(key)])} for header, key in zip(headers, ids, strict=True)]

    def _ordered(self, children: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        if self.declared.order_by is None:
            return children
        read = compile_path(self.declared.order_by)
        return sorted(children, key=lambda child: _natural(read(child)))


@dataclass(frozen=True)
class DetailReader:
    """What a list leaves out of its records, asked for one by one."""

    name: str
    call: PreparedCall
    record: Reader
    columns: tuple[str, ...] | None

    async def attach(self, talk: Talk, headers: Records) -> Records:
        """The records, each with its detail under our name for it; one that is gone meanwhile is left out."""
        whole: Records = []
        for header in headers:
            scope = talk.wire.scope(found=header, columns=",".join(self.columns or ()))
            try:
                found = self.record(await talk.ask(self.call, scope, writes=False))
            except NotThere:
                continue
            if not isinstance(found, Mapping | list):
                raise Invalid(
                    f"{talk.wire.role} gave no detail of a record", system=talk.wire.role, call=self.call.name
                )
            whole.append({**header, self.name: named(found, self.columns) if isinstance(found, list) else found})
        return whole


def _natural(value: Any) -> tuple[int, int, str]:
    """Numbers before words, 2 before 10."""
    text = str(value)
    return (0, int(text), "") if text.isdecimal() else (1, 0, text)
