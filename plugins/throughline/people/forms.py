"""The fields a person fills in, and how what came back is checked: types, ranges, choices. Amounts stay exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from throughline.people.words import Name, Title, Words, calendar_day

_WIDEST = 24
_PLACES = 6


def exact(told: object) -> object:
    """A number written in quotes, or a whole one; never a fraction a computer has rounded already."""
    if isinstance(told, bool) or not isinstance(told, str | int | Decimal):
        raise ValueError("write the number in quotes, so that it stays exactly that")  # noqa: TRY004 - pydantic's way
    return Decimal(str(told)) if not isinstance(told, Decimal) else told


Exact = Annotated[Decimal, BeforeValidator(exact)]


class FormField(Words):
    """One field: what it is called, what may stand in it."""

    title: Title
    kind: Literal["text", "number", "integer", "date", "choice", "yes_no"] = "text"
    required: bool = False
    at_least: Exact | None = None
    at_most: Exact | None = None
    decimals: Annotated[int, Field(ge=0, le=_PLACES)] = 2
    longest: Annotated[int, Field(gt=0, le=4000)] = 500
    choices: dict[Name, Title] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> FormField:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError("a choice, and only that, lists its choices")
        ranged = self.at_least is not None or self.at_most is not None
        if ranged and self.kind not in ("number", "integer"):
            raise ValueError("only a number has at_least and at_most")
        return self


class Misfit(ValueError):
    """What was filled in does not fit its field; the sentence in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.title = Title(en=en, zh=zh)


Form = Mapping[str, FormField]


def check_form(form: Form, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Title]]:
    """What was filled in, as plain values that keep numbers exact (texts), and what is wrong by field."""
    kept: dict[str, Any] = {}
    wrong: dict[str, Title] = {
        str(name)[:60]: Title(en="there is no such field", zh="没有这个字段") for name in values if name not in form
    }
    for name, field in form.items():
        told = values.get(name)
        if told is None or told == "":
            if field.required:
                wrong[name] = Title(en="must be filled in", zh="必填")
            continue
        try:
            kept[name] = _READERS[field.kind](field, told)
        except Misfit as misfit:
            wrong[name] = misfit.title
    return kept, wrong


def _text(field: FormField, told: Any) -> str:
    if not isinstance(told, str) or "\x00" in told:
        raise Misfit("must be a text", "必须是文字")
    if len(told) > field.longest:
        raise Misfit(f"may have {field.longest} characters at most", f"最多 {field.longest} 个字符")
    return told


def _number(field: FormField, told: Any) -> str:
    """An exact number as text; a float is refused, because it is not what was typed."""
    if isinstance(told, bool | float) or not isinstance(told, str | int | Decimal) or len(str(told)) > _WIDEST:
        raise Misfit("must be a number, written as text", "必须是数字")
    try:
        number = Decimal(str(told).strip())
    except InvalidOperation:
        raise Misfit("must be a number", "必须是数字") from None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or "e" in str(told).lower():
        raise Misfit("must be a number", "必须是数字")
    places = 0 if field.kind == "integer" else field.decimals
    if -exponent > places:
        raise Misfit(f"may have {places} decimal places at most", f"最多 {places} 位小数")
    _in_range(field, number)
    return format(number, "f")


def _in_range(field: FormField, number: Decimal) -> None:
    if field.at_least is not None and number < field.at_least:
        raise Misfit(f"must be at least {field.at_least}", f"不能小于 {field.at_least}")
    if field.at_most is not None and number > field.at_most:
        raise Misfit(f"must be at most {field.at_most}", f"不能大于 {field.at_most}")


def _date(_: FormField, told: Any) -> str:
    try:
        found: date = calendar_day(told)
    except ValueError:
        raise Misfit("must be a day written 2026-12-31", "必须是日期,例如 2026-12-31") from None
    return found.isoformat()


def _choice(field: FormField, told: Any) -> str:
    if not isinstance(told, str) or told not in field.choices:
        raise Misfit(f"must be one of {', '.join(field.choices)}", f"必须是其中之一:{'、'.join(field.choices)}")
    return told


def _yes_no(_: FormField, told: Any) -> bool:
    if isinstance(told, bool):
        return told
    if told in ("yes", "no"):
        return bool(told == "yes")
    raise Misfit("must be yes or no", "必须是“是”或“否”")


_READERS: Mapping[str, Callable[[FormField, Any], Any]] = {
    "text": _text, "number": _number, "integer": _number, "date": _date, "choice": _choice, "yes_no": _yes_no,
}  # fmt: skip
