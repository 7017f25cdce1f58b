"""Whoever can change every row still cannot touch the audit unnoticed: hand edits of every kind, by an owner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import class_row

from throughline.errors import Invalid, Misconfigured
from throughline.ledger import Ledger
from throughline.ledger.audit_chain import START, SealedLine, Witness, inspect, seal_of
from throughline.ledger.audit_heads import daily_file, daily_files, head_of, read_head, write_head
from throughline.ledger.audit_verification import Verification, keep_head, read_heads, verify_audit
from throughline.ledger.entries import AuditEntry

SECRET = "only the platform knows"
TEXTS = ("actor", "action", "subject", "details", "prev_hash", "hash")

# what PostgreSQL can keep in a text column: no NUL, no half of a pair
KEEPABLE = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=70)
KEEPABLE_SHORT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=5)


def note(ledger: Ledger, count: int) -> None:
    with ledger.transaction() as books:
        books.audit.append(AuditEntry("wang", "replay", f"SO-{n}", n, {"n": n, "价": "0.10"}) for n in range(count))


@pytest.fixture
def by_hand(ledger: Ledger, ledger_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A person at `psql` with an owner's rights, the triggers switched off, an audit of nine lines."""
    note(ledger, 9)
    with psycopg.connect(ledger_dsn, autocommit=True) as database:
        database.execute("alter table audit disable trigger all")
        yield database


def verify(ledger: Ledger, folder: Path) -> Verification:
    with ledger.transaction() as books:
        return verify_audit(books, read_heads(daily_files(folder), SECRET))


def found(ledger: Ledger, folder: Path) -> tuple[str, int] | None:
    finding = verify(ledger, folder).inspection.finding
    return (finding.kind, finding.line) if finding else None


def sealed(number: int) -> list[SealedLine]:
    """A chain as the ledger writes it."""
    lines, before = [], START
    for seq in range(1, number + 1):
        at = datetime(2026, 11, 23, 8, 0, seq % 60, tzinfo=UTC)
        content = ("wang", "replay", f"SO-{seq}", seq, f'{{"n":{seq}}}')
        lines.append(SealedLine(seq, at, *content, before, seal_of(before, seq, at, *content)))
        before = lines[-1].hash
    return lines


def resealed(lines: list[SealedLine]) -> list[SealedLine]:
    """The same contents numbered and sealed anew by somebody who knows how."""
    made, before = [], START
    for seq, line in enumerate(lines, 1):
        content = (line.actor, line.action, line.subject, line.process_id, line.details)
        made.append(replace(line, seq=seq, prev_hash=before, hash=seal_of(before, seq, line.at, *content)))
        before = made[-1].hash
    return made


def test_a_chain_nobody_touched_is_whole() -> None:
    lines = sealed(40)
    assert inspect(lines, [Witness(40, lines[-1].hash, "a head"), Witness(0, START, "an early head")]).whole
    assert inspect([]).whole


@st.composite
def touched(draw: st.DrawFn) -> tuple[list[SealedLine], list[SealedLine]]:
    """A chain and what somebody made of it; the two differ."""
    lines = sealed(draw(st.integers(2, 25)))
    place = draw(st.integers(0, len(lines) - 1))
    other = draw(st.integers(0, len(lines) - 1).filter(lambda n: n != place))
    without = [*lines[:place], *lines[place + 1 :]]
    swapped = list(lines)
    swapped[place], swapped[other] = lines[other], lines[place]
    renamed = replace(lines[place], actor=draw(KEEPABLE_SHORT.filter(lambda text: text != "wang")))
    made = {
        "edit": lambda: [*lines[:place], _edited(draw, lines[place]), *lines[place + 1 :]],
        "drop": lambda: without,
        "drop and renumber": lambda: renumbered(without),
        "insert": lambda: renumbered([*lines[:place], replace(lines[other], actor="li"), *lines[place:]]),
        "swap": lambda: renumbered(swapped),
        "cut": lambda: lines[:place],
        "reseal": lambda: resealed([*lines[:place], renamed, *lines[place + 1 :]][: draw(_upto(place, lines))]),
    }  # fmt: skip
    return lines, made[draw(st.sampled_from(sorted(made)))]()


def _upto(place: int, lines: list[SealedLine]) -> st.SearchStrategy[int]:
    return st.integers(place + 1, len(lines))


def renumbered(lines: list[SealedLine]) -> list[SealedLine]:
    return [replace(line, seq=seq) for seq, line in enumerate(lines, 1)]


def _edited(draw: st.DrawFn, line: SealedLine) -> SealedLine:
    column = draw(st.sampled_from((*TEXTS, "seq", "at", "process_id")))
    old = getattr(line, column)
    if column in TEXTS:
        return replace(line, **{column: draw(KEEPABLE.filter(lambda new: new != old))})
    if column == "at":
        moved: timedelta = draw(st.timedeltas(-timedelta(9), timedelta(9)).filter(bool))
        return replace(line, at=line.at + moved)
    return replace(line, **{column: draw(st.integers(-5, 60).filter(lambda new: new != old))})


@given(touched())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_touch_is_found_when_a_head_was_kept(case: tuple[list[SealedLine], list[SealedLine]]) -> None:
    lines, changed = case
    numbered = sorted(changed, key=lambda line: line.seq)
    if any(one.seq == other.seq for one, other in pairwise(numbered)):
        return  # the database's primary key refuses it
    seen = inspect(numbered, [Witness(len(lines), lines[-1].hash, "the head of the day")])
    assert seen.finding, "nobody noticed"
    alike = 0
    while alike < min(len(lines), len(numbered)) and lines[alike] == numbered[alike]:
        alike += 1
    sealed_anew = changed == resealed(changed)
    assert seen.finding.line == alike + 1 or seen.finding.line < 1 or sealed_anew, "the first line concerned is named"


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("update audit set actor = 'li' where seq = 3", ("changed", 3)),
        ("update audit set actor = 'li' where seq = 9", ("changed", 9)),
        ("update audit set at = at - interval '1 microsecond' where seq = 1", ("changed", 1)),
        ("update audit set action = action || ' ' where seq = 4", ("changed", 4)),
        ("update audit set subject = 'SO-99' where seq = 4", ("changed", 4)),
        ("update audit set process_id = null where seq = 4", ("changed", 4)),
        ("""update audit set details = '{"n": 4}' where seq = 4""", ("changed", 4)),
        ("update audit set prev_hash = repeat('a', 64) where seq = 4", ("changed", 4)),
        ("update audit set hash = repeat('a', 64) where seq = 4", ("changed", 4)),
        ("update audit set seq = 12 where seq = 9", ("changed", 9)),
        ("delete from audit where seq = 1", ("dropped", 1)),
        ("delete from audit where seq in (5, 6)", ("dropped", 5)),
        ("delete from audit where seq = 5; update audit set seq = seq - 1 where seq > 5", ("dropped", 5)),
        ("delete from audit where seq >= 8", ("cut off", 8)),
        ("truncate audit", ("cut off", 1)),
        ("update audit set seq = 100 where seq = 3; update audit set seq = 3 where seq = 7; "
         "update audit set seq = 7 where seq = 100", ("reordered", 3)),
        ("update audit set seq = seq + 100 where seq >= 4; insert into audit select 4, at, 'li', action, subject, "
         "process_id, details, prev_hash, hash from audit where seq = 104; update audit set seq = seq - 99 "
         "where seq >= 104", ("inserted", 4)),
        ("insert into audit select 10, at, 'li', action, subject, process_id, details, hash, repeat('b', 64) "
         "from audit where seq = 9", ("changed", 10)),
    ],
)  # fmt: skip
def test_what_a_person_changed_in_psql_is_named(
    by_hand: psycopg.Connection[Any], ledger: Ledger, tmp_path: Path, statement: str, finding: tuple[str, int]
) -> None:
    assert found(ledger, tmp_path) is None
    for one in statement.split("; "):
        by_hand.execute(one)
    assert found(ledger, tmp_path) == finding
    by_hand.execute("alter table audit enable trigger all")
    note(ledger, 3)
    assert found(ledger, tmp_path) in {finding, ("dropped", finding[1])}, "and stays so when the hub writes on"


def test_a_valid_line_behind_the_ledgers_back_is_not_believed(
    by_hand: psycopg.Connection[Any], ledger: Ledger, tmp_path: Path
) -> None:
    with by_hand.cursor(row_factory=class_row(SealedLine)) as rows:
        last = rows.execute("select *, details::text as details from audit order by seq desc limit 1").fetchone()
    assert last
    content = ("li", "approve", "SO-1", None, "{}")
    forged = (10, last.at, *content, last.hash, seal_of(last.hash, 10, last.at, *content))
    by_hand.execute("insert into audit values (%s, %s, %s, %s, %s, %s, %s, %s, %s)", forged)
    assert found(ledger, tmp_path) == ("inserted", 10)


def reseal_everything(database: psycopg.Connection[Any]) -> None:
    """What somebody does who has read our code: change a line, seal all after it anew, and the ledger's note too."""
    with database.cursor(row_factory=class_row(SealedLine)) as rows:
        lines = rows.execute("select *, details::text as details from audit order by seq").fetchall()
    forged = resealed([replace(line, actor="li") if line.seq == 5 else line for line in lines])
    for line in forged:
        database.execute(
            "update audit set actor = %s, prev_hash = %s, hash = %s where seq = %s",
            (line.actor, line.prev_hash, line.hash, line.seq),
        )
    database.execute("update audit_end set hash = %s", (forged[-1].hash,))


def test_a_chain_sealed_anew_is_found_by_the_head_kept_elsewhere(
    by_hand: psycopg.Connection[Any], ledger: Ledger, tmp_path: Path
) -> None:
    with ledger.transaction() as books:
        path, head = keep_head(books, tmp_path, SECRET)
    assert (path, head.line) == (daily_file(tmp_path, books.now), 9)
    reseal_everything(by_hand)
    verified = verify(ledger, tmp_path)
    assert verified.inspection.finding
    assert (verified.inspection.finding.kind, verified.inspection.finding.line) == ("rewritten", 1)
    assert path.name in verified.sentence
    with pytest.raises(Invalid, match="No new head is kept"), ledger.transaction() as books:
        keep_head(books, tmp_path, SECRET)
    path.unlink()
    assert verify(ledger, tmp_path).whole, "without a head kept elsewhere nobody can know: that is what heads are for"


def test_a_forged_head_is_noticed(ledger: Ledger, tmp_path: Path) -> None:
    note(ledger, 4)
    with ledger.transaction() as books:
        head = head_of(*books.audit.head(), books.now)
        write_head(tmp_path / "2026-11-22.json", head, "somebody else's secret")
    verified = verify(ledger, tmp_path)
    assert (verified.whole, verified.inspection.whole) == (False, True)
    assert "not signed by this hub" in verified.sentence
    ours = tmp_path / "2026-11-21.json"
    write_head(ours, head, SECRET)
    ours.write_text(ours.read_text().replace('"line": 4', '"line": 3'))
    with pytest.raises(Invalid, match="not signed by this hub"):
        read_head(ours, SECRET)
    for nonsense in ("", "[]", "{}", '{"signature": "x"}', "\x00"):
        ours.write_text(nonsense)
        with pytest.raises(Invalid, match="not a head of the audit"):
            read_head(ours, SECRET)


def test_a_head_is_never_written_without_a_secret(ledger: Ledger, tmp_path: Path) -> None:
    with ledger.transaction() as books, pytest.raises(Misconfigured, match="no secret"):
        keep_head(books, tmp_path, "")
    assert daily_files(tmp_path) == []


def test_the_day_has_one_head_and_the_newest(ledger: Ledger, tmp_path: Path) -> None:
    for lines in (2, 5):
        note(ledger, lines)
        with ledger.transaction() as books:
            keep_head(books, tmp_path, SECRET)
    (only,) = daily_files(tmp_path)
    assert read_head(only, SECRET).line == 7
    assert verify(ledger, tmp_path).whole
