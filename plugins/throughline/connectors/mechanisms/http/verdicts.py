"""Decides what an answer means: ordered rules over its status, headers and body, compiled once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx

from throughline.connectors.mechanisms.http.declared_calls import Meaning, Test, VerdictRule
from throughline.connectors.mechanisms.http.paths import MISSING, Reader, compile_path

Check = Callable[["Answer"], bool]


@dataclass(slots=True)
class Answer:
    """What came back. `body` is the JSON value, or MISSING when the body was not JSON."""

    status: int
    raw_headers: list[tuple[bytes, bytes]]
    body: Any
    content: bytes

    @property
    def headers(self) -> httpx.Headers:
        """The headers, by name in any case; made only when somebody asks."""
        return httpx.Headers(self.raw_headers)


@dataclass(slots=True)
class Verdict:
    """What the answer means, with the system's own code and words."""

    means: Meaning
    code: str | None = None
    message: str | None = None
    retry_after: float | None = None


_OK = Verdict(Meaning.OK)


def _same(value: Any, expected: Any) -> bool:
    """Equal, or written alike: products answer 200 and "200", true and "true" for the same thing."""
    if value is MISSING or value is None or expected is None:
        return value is expected
    return bool(value == expected) or str(value).lower() == str(expected).lower()


def compile_value_check(test: Test) -> Callable[[Any], bool]:
    """A function that asks this test's question of one value."""
    if test.present is not None:
        wanted = test.present
        return lambda value: (value is not MISSING and value not in (None, "", [])) is wanted
    if test.exists is not None:
        there = test.exists
        return lambda value: (value is not MISSING) is there
    if test.matches is not None:
        pattern = re.compile(test.matches)
        return lambda value: value is not MISSING and value is not None and bool(pattern.search(str(value)))
    if test.not_in is not None:
        outside = test.not_in
        return lambda value: value is not MISSING and not any(_same(value, entry) for entry in outside)
    accepted = [test.equals] if test.one_of is None else test.one_of
    return lambda value: any(_same(value, entry) for entry in accepted)


def compile_record_checks(tests: Iterable[Test]) -> Callable[[Any], bool]:
    """Whether all tests hold for one record (paths start at the record)."""
    checks = [(compile_path(test.at or "."), compile_value_check(test)) for test in tests]
    return lambda record: all(check(read(record)) for read, check in checks)


def _compile_test(test: Test) -> Check:
    if test.status is not None:
        return _compile_status(test.status)
    check = compile_value_check(test)
    if test.header is not None:
        name = test.header
        return lambda answer: check(answer.headers.get(name, MISSING))
    read: Reader = compile_path(test.at or ".")
    return lambda answer: answer.body is not MISSING and check(read(answer.body))


def _compile_status(status: int | list[int] | str) -> Check:
    if isinstance(status, str):
        hundreds = int(status[0])
        return lambda answer: answer.status // 100 == hundreds
    statuses = frozenset([status] if isinstance(status, int) else status)
    return lambda answer: answer.status in statuses


def compile_verdict(rules: Iterable[VerdictRule]) -> Callable[[Answer], Verdict]:
    """A function from an answer to what it means, by these rules and then by HTTP's own meaning."""
    compiled = [([_compile_test(test) for test in rule.when], _compile_outcome(rule)) for rule in rules]

    def judge(answer: Answer) -> Verdict:
        for checks, outcome in compiled:
            if all(check(answer) for check in checks):
                return outcome(answer)
        return by_status(answer)

    return judge


def _compile_outcome(rule: VerdictRule) -> Callable[[Answer], Verdict]:
    if rule.means is Meaning.OK:
        return lambda _: _OK
    code, message = compile_path(rule.code or "."), compile_path(rule.message or ".")
    pause = compile_path(rule.retry_after_at) if rule.retry_after_at else None

    def outcome(answer: Answer) -> Verdict:
        said_code = _text(code(answer.body)) if rule.code else f"HTTP {answer.status}"
        said = _text(message(answer.body)) if rule.message else None
        waits = _seconds(pause(answer.body)) if pause else None
        return Verdict(rule.means, said_code, said, waits or rule.retry_after or retry_after(answer.headers))

    return outcome


def by_status(answer: Answer) -> Verdict:
    """What HTTP itself says, for answers no rule of the profile knows. Never ok: an unknown shape proves nothing."""
    status, code = answer.status, f"HTTP {answer.status}"
    if status == 401:
        return Verdict(Meaning.AUTH_LOST, code)
    if status == 429:
        return Verdict(Meaning.THROTTLED, code, retry_after=retry_after(answer.headers))
    if 300 <= status < 400 or status in (403, 404, 405, 407):
        return Verdict(Meaning.MISCONFIGURED, code, f"it answered HTTP {status}: check the address and the rights")
    if 400 <= status < 500 and status not in (408, 425):
        return Verdict(Meaning.REJECTED, code)
    return Verdict(Meaning.IN_DOUBT, code, retry_after=retry_after(answer.headers))


def retry_after(headers: httpx.Headers) -> float | None:
    """The seconds of a Retry-After header (a date there is left to our own backoff)."""
    return _seconds(headers.get("retry-after", MISSING))


def _seconds(value: Any) -> float | None:
    try:
        return max(0.0, float(value)) if value is not MISSING and value is not None else None
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str | None:
    return None if value is MISSING or value is None else str(value)[:500]
