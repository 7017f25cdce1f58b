"""What the profile of a database may declare: one query per document, how to know its rows again, and its fence."""

from __future__ import annotations

from codecs import lookup
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic.functional_validators import ModelWrapValidatorHandler

from throughline.connectors.fences import Fenced, fence_words
from throughline.connectors.mechanisms.http.profile import known_zone
from throughline.connectors.mechanisms.sql.dialects import DIALECTS, KINDS, Dialect
from throughline.connectors.mechanisms.sql.queries import ANY_COLUMN, columns_of
from throughline.connectors.yaml_files import Strict

_spoken: ContextVar[Dialect] = ContextVar("spoken", default=Dialect.POSTGRESQL)
"""The dialect of the profile that is just being read: what its queries are checked by."""


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _checked(query: str) -> str:
    columns_of(query, _spoken.get())
    return query


def _known_code_page(name: str) -> str:
    try:
        lookup(name)
    except LookupError:
        raise ValueError(f"{name} is no code page; GBK is written gbk or gb18030") from None
    return name


Texts = Annotated[
    dict[str, Annotated[str, AfterValidator(_known_code_page)]],
    Field(default_factory=dict, description="columns the query gives as bytes, and the code page they are text in"),
]
Columns = Annotated[list[str], BeforeValidator(_one_or_many), Field(min_length=1)]
Query = Annotated[str, AfterValidator(_checked)]


class WrittenColumn(Strict):
    """What tells when a row was written, by the database's own log.

    `xid8`: a column the source fills with `pg_current_xact_id()` when a row is inserted and when it is changed; can be
    indexed. `xmin`: PostgreSQL's own system column; needs nothing of the source, but no index helps: every look reads
    the whole table. `rowversion` (once called `timestamp`): SQL Server fills it by itself whenever a row is written.
    """

    column: str
    kind: Annotated[Literal["xid8", "xmin", "rowversion"], Field(validate_default=True)] = "xid8"

    @field_validator("kind")
    @classmethod
    def _of_this_database(cls, kind: str) -> str:
        if kind not in KINDS[_spoken.get()]:
            raise ValueError(f"this database tells by {' or '.join(KINDS[_spoken.get()])}, not by {kind}")
        return kind


class Lines(Strict):
    """Rows that belong to a header (order lines), put into it under our name for them."""

    query: Query
    parent: str
    """Which column names the header's key."""
    order_by: Columns
    texts: Texts
    changes: WrittenColumn | None = None
    """With it, a header counts as changed when one of its lines was; without, only when it was itself."""


class SqlObject(Strict):
    """One kind of document as a query over the source's tables."""

    fence: Fenced
    query: Query
    key: Columns
    number: str | None = None
    revision: str | None = None
    """The source's own version of a row; without it, what `changes` names."""
    changed_at: str | None = None
    deleted: str | None = None
    """A yes/no column: the row is there but counts as gone."""
    texts: Texts
    """Columns the query gives as bytes, decoded strictly: a driver that decodes by itself hides what is broken."""
    changes: WrittenColumn | None = None
    lines: dict[str, Lines] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fence_is_kept(self) -> SqlObject:
        fences = fence_words(self.fence)
        if "W2" in fences:
            raise ValueError("a database is asked for its transactions (W1), not guessed at by an overlap (W2)")
        if ("W1" in fences) != (self.changes is not None):
            raise ValueError(
                "fence W1, and only that, names the column of the transaction that wrote a row (`changes`)"
            )
        return self

    @model_validator(mode="after")
    def _columns_are_there(self) -> SqlObject:
        named = [*self.key, self.number, self.revision, self.changed_at, self.deleted]
        _require(self.query, [*named, *self.texts, self.changes.column if self.changes else None])
        for lines in self.lines.values():
            written = lines.changes.column if lines.changes else None
            _require(lines.query, [lines.parent, *lines.order_by, *lines.texts, written])
        if self.lines and len(self.key) != 1:
            raise ValueError("a document with lines is known by one column, which its lines name")
        return self


def _require(query: str, named: Iterable[str | None]) -> None:
    there = columns_of(query, _spoken.get())
    missing = [name for name in named if name is not None and name not in there]
    if missing and ANY_COLUMN not in there:
        raise ValueError(f"the query has no column {', '.join(missing)}")


class SqlLimits(Strict):
    """How patient we are with the database, and how many rows travel at once."""

    connect_seconds: Annotated[float, Field(gt=0)] = 5
    answer_seconds: Annotated[float, Field(gt=0)] = 30
    rows: Annotated[int, Field(gt=0, le=5000)] = 500


class SqlProfile(Strict):
    """The declaration of a database we may read."""

    product: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    mechanism: Literal["sql"]
    dialect: Literal["postgresql", "sqlserver"]
    zone: Annotated[str, AfterValidator(known_zone)] = "UTC"
    """By which clock SQL Server's moments are written, which name no zone."""
    requires: list[str] = Field(default_factory=lambda: ["database"])
    limits: SqlLimits = SqlLimits()
    objects: Annotated[dict[str, SqlObject], Field(min_length=1)]

    @field_validator("zone")
    @classmethod
    def _only_where_none_is_told(cls, zone: str, told: ValidationInfo) -> str:
        if told.data.get("dialect") == "postgresql" and zone != "UTC":
            raise ValueError("PostgreSQL tells its moments with their zone (timestamptz); only sqlserver needs this")
        return zone

    @field_validator("objects", mode="wrap")
    @classmethod
    def _in_their_dialect(
        cls, objects: Any, check: ModelWrapValidatorHandler[dict[str, SqlObject]], told: ValidationInfo
    ) -> dict[str, SqlObject]:
        before = _spoken.set(DIALECTS.get(told.data.get("dialect", ""), Dialect.POSTGRESQL))
        try:
            return check(objects)
        finally:
            _spoken.reset(before)

    @property
    def zone_info(self) -> ZoneInfo:
        """The zone of moments that name none."""
        return ZoneInfo(self.zone)

    @property
    def spoken(self) -> Dialect:
        """The dialect as the parser names it."""
        return DIALECTS[self.dialect]
