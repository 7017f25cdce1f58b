"""How a profile declares the way a product knows who is calling."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from throughline.connectors.mechanisms.http.declared_calls import Call
from throughline.connectors.mechanisms.http.shapes import check_shape
from throughline.connectors.yaml_files import Strict


class Place(Strict):
    """Where a token travels in every call."""

    kind: Literal["header", "query", "cookie", "body"]
    name: str
    prefix: str = ""


class NoAuth(Strict):
    """The product asks for nothing."""

    kind: Literal["none"] = "none"


class BasicAuth(Strict):
    """Login and password in every call."""

    kind: Literal["basic"]


class HeaderAuth(Strict):
    """Fixed headers in every call, such as an API key."""

    kind: Literal["header"]
    headers: Annotated[dict[str, Any], AfterValidator(check_shape)]


class TokenAuth(Strict):
    """A secret is exchanged for a token that lasts `ttl` seconds and travels in every call."""

    kind: Literal["token"]
    call: Call
    token: str
    """Where the token is in the answer."""
    keeps: dict[str, str] = Field(default_factory=dict)
    """What else of the answer to remember, for `$session.<name>`."""
    ttl: Annotated[float, Field(gt=0)]
    place: Place


class LoginCall(Call):
    """One call of a login, and what of its answer to remember as `$session.<name>`."""

    keeps: dict[str, str] = Field(default_factory=dict)


class SessionAuth(Strict):
    """A login of one or more calls; afterwards a header made by the product's `signer.py`, or its cookies, say who."""

    kind: Literal["session"]
    calls: Annotated[list[LoginCall], Field(min_length=1)]
    introduction: str | None = None
    """A function in signer.py: (connection) -> headers of the login calls, where they are not plain values."""
    credential: str | None = None
    """A function in signer.py: (connection, kept) -> headers of every further call, login calls included."""
    cookies: bool = False
    ttl: Annotated[float, Field(gt=0)] = 86_400


class SignedAuth(Strict):
    """Every call is signed by a function of the product's `signer.py`."""

    kind: Literal["signed"]
    signer: str = "sign"
    options: dict[str, Any] = Field(default_factory=dict)


Auth = Annotated[NoAuth | BasicAuth | HeaderAuth | TokenAuth | SessionAuth | SignedAuth, Field(discriminator="kind")]
