"""Tryton's models as verbs use them: read, search, create, write, and the buttons a person would press."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from throughline.connectors.mechanisms.http.verbs import Session

Record = Mapping[str, Any]
Domain = Sequence[Any]


def plain(amount: Decimal) -> Decimal:
    """The same amount without needless zeros: Tryton's 4.0 is 4."""
    return amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount.normalize()


class Models:
    """Every call of one operation, with the company's context; warnings that a person would click away are skipped."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def search(
        self, model: str, domain: Domain, fields: Sequence[str], *, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """The records of this domain, oldest first."""
        order = [["id", "ASC"]]
        found: list[dict[str, Any]] = await self._call(
            f"{model}.search_read", [domain, 0, limit, order, list(fields)], writes=False
        )
        return found

    async def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[dict[str, Any]]:
        """These records, in the order asked for."""
        if not ids:
            return []
        found: list[dict[str, Any]] = await self._call(f"{model}.read", [list(ids), list(fields)], writes=False)
        by_id = {record["id"]: record for record in found}
        return [by_id[key] for key in ids]

    async def one(self, model: str, key: int, fields: Sequence[str]) -> dict[str, Any]:
        """One record."""
        return (await self.read(model, [key], fields))[0]

    async def create(self, model: str, values: Mapping[str, Any]) -> int:
        """A new record; its id."""
        made: list[int] = await self._call(f"{model}.create", [[dict(values)]], writes=True)
        return made[0]

    async def write(
        self, model: str, key: int, values: Mapping[str, Any], *, seen: str | None = None
    ) -> None:  # fmt: skip
        """Change a record; with `seen` (its `_timestamp`) only if nobody changed it since we read it."""
        guard = {"_timestamp": {f"{model},{key}": seen}} if seen else {}
        await self._call(f"{model}.write", [[key], dict(values)], writes=True, **guard)

    async def press(self, model: str, button: str, *keys: int) -> Any:
        """Press a button on records."""
        return await self._call(f"{model}.{button}", [list(keys)], writes=True)

    async def skip_warning(self, name: str) -> None:
        """Click a warning away, once, as a person would; the same button may be pressed again then."""
        await self._call("res.user.warning.skip", [name, False], writes=True)

    async def _call(self, method: str, arguments: list[Any], *, writes: bool, **context: Any) -> Any:
        known = (await self.session.login())["context"]
        whole = {**known, "_skip_warnings": True, **context}
        body = await self.session.call(
            "rpc", {"method": f"model.{method}", "params": [*arguments, whole]}, writes=writes
        )
        return body["result"]
