"""How a profile declares one call, and how it declares what an answer means."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from throughline.connectors.mechanisms.http.shapes import check_shape
from throughline.connectors.yaml_files import Strict

ShapeSource = Annotated[Any, AfterValidator(check_shape)]
"""The shape of a request or of an answer: a YAML structure whose leaves may be references."""


class Meaning(StrEnum):
    """What an answer means for the call."""

    OK = "ok"
    AUTH_LOST = "auth_lost"
    """Our login is no longer good: log in once more and ask once more."""
    THROTTLED = "throttled"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    """Refused because it is there already: the write counts as carried out."""
    ABSENT = "absent"
    """What was asked for is not there."""
    TRANSIENT = "transient"
    """The system did not manage, and it is certain that nothing was carried out."""
    IN_DOUBT = "in_doubt"
    INVALID = "invalid"
    MISCONFIGURED = "misconfigured"


class Test(Strict):
    """One question about an answer: about its status, a header, or a value in its body (`at`)."""

    __test__ = False

    status: int | list[int] | Literal["2xx", "3xx", "4xx", "5xx"] | None = None
    header: str | None = None
    at: str | None = None
    equals: Any = None
    one_of: Annotated[list[Any] | None, Field(alias="in")] = None
    not_in: list[Any] | None = None
    matches: str | None = None
    present: bool | None = None
    """Whether something is said there: null, an empty text and an empty list say nothing."""
    exists: bool | None = None
    """Whether the place is there at all, even with null in it."""

    @model_validator(mode="after")
    def _one_subject(self) -> Test:
        if sum(subject is not None for subject in (self.status, self.header, self.at)) != 1:
            raise ValueError("a test asks about exactly one of status, header or at")
        asked = self.model_fields_set & {"equals", "one_of", "not_in", "matches", "present", "exists"}
        if (self.status is None) != (len(asked) == 1):
            raise ValueError(
                "say exactly one of equals, in, not_in, matches, present, exists (none of them for a status)"
            )
        return self


class VerdictRule(Strict):
    """If all of `when` hold, the answer means `is`; the first rule that fits decides."""

    means: Annotated[Meaning, Field(alias="is")]
    when: Annotated[list[Test], Field(min_length=1)]
    code: str | None = None
    message: str | None = None
    retry_after: float | None = None
    retry_after_at: str | None = None

    @model_validator(mode="after")
    def _never_ok_unread(self) -> VerdictRule:
        read = any(test.at is not None or test.status == 204 for test in self.when)
        if self.means is Meaning.OK and not read:
            raise ValueError("an answer is ok only if its body says so (`at`), or the status is 204")
        return self


class Call(Strict):
    """One request: where it goes and what shape it has."""

    name: str = "call"
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: Annotated[str | list[str], AfterValidator(check_shape)]
    """Below the connection's host; a list is joined by slashes, and may hold references."""
    query: Annotated[dict[str, Any], AfterValidator(check_shape)] = Field(default_factory=dict)
    headers: Annotated[dict[str, Any], AfterValidator(check_shape)] = Field(default_factory=dict)
    body: ShapeSource = None
    body_kind: Literal["json", "form", "form_json"] = "json"
    """`form_json`: a form whose structured fields are JSON text."""
    message: str | None = None
    """For products whose calls share one address: which of them this is."""
    verdict: list[VerdictRule] = Field(default_factory=list)
    """Asked before the profile's own."""
    unless_state: list[str] = Field(default_factory=list)
    """In an operation: not needed when the document is in one of these states already."""
    reads: bool = False
    """In an operation: this step changes nothing, so its failure leaves no doubt."""
