"""What a product brings in Python beside its profile: signer, codec, verbs, inbound. Each is one optional module."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from throughline.connectors.mechanisms.http.profile import Profile
from throughline.errors import Misconfigured


@dataclass(frozen=True)
class ProductParts:
    """The Python modules of one product, None where it needs none."""

    signer: ModuleType | None = None
    codec: ModuleType | None = None
    verbs: ModuleType | None = None
    inbound: ModuleType | None = None

    def encode(self) -> Callable[[Any], Any] | None:
        """How this product writes JSON values of its own, if it does."""
        return getattr(self.codec, "encode", None)

    def decode(self) -> Callable[[Any], Any] | None:
        """How this product's own JSON values are read, if it has any."""
        return getattr(self.codec, "decode", None)


def load_parts(package: str) -> ProductParts:
    """The modules that are there in the product's package."""

    def part(name: str) -> ModuleType | None:
        full = f"{package}.{name}"
        return importlib.import_module(full) if find_spec(full) else None

    return ProductParts(part("signer"), part("codec"), part("verbs"), part("inbound"))


def function_of(module: ModuleType | None, name: str, *, part: str, profile: Profile, path: Path) -> Any:
    """A function the profile names, or `Misconfigured`."""
    found = getattr(module, name, None)
    if not callable(found):
        raise Misconfigured(f"{profile.product} has no function {name} in {part}.py", where=str(path))
    return found
