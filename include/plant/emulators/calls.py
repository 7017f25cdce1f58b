"""A call that came in, the answer that goes out, and what every emulated product must be able to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl

from include.plant.emulators import exact_json
from include.plant.emulators.document_store import DocumentStore
from include.plant.emulators.seed import Seed
from include.plant.emulators.settings import Settings


class Refused(Exception):
    """The system says no, in its vendor's own code and words."""

    def __init__(self, code: int | str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.more = code, message, more


@dataclass
class Call:
    """One request as it arrived."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    _parsed: list[Any] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty object when it is none."""
        if not self._parsed:
            try:
                value = exact_json.loads(self.body)
            except ValueError:
                value = {}
            self._parsed.append(value if isinstance(value, dict) else {})
        parsed: dict[str, Any] = self._parsed[0]
        return parsed

    def form(self) -> dict[str, str]:
        """The body as form fields, decoded once."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    """What goes back: these vendors answer 200 whatever happened."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The bytes on the wire."""
        return exact_json.dumps(self.body).encode()


class Facade(Protocol):
    """One product's way of talking over the shared document store."""

    settings: Settings
    store: DocumentStore

    def operation(self, call: Call) -> str:
        """A short name of what is asked, for fault rules, limits and counts; never raises."""
        ...

    def answer(self, call: Call) -> Answer:
        """Carry the call out in one transaction and answer in the vendor's words."""
        ...

    def throttled(self) -> Answer:
        """How this vendor says that there were too many calls."""
        ...

    def act(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Do what people in the plant do by hand; `Refused` when the system would not let them."""
        ...

    def plant_seed(self, seed: Seed) -> None:
        """Put the master data in, at the first start."""
        ...
