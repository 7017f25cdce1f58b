"""The guide's example is run as it stands, and prints what the guide says."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[4]


def test_the_worked_example_of_the_guide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / "docs" / "guides" / "matching.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(python|text)\n(.*?)```", text, re.DOTALL)
    assert [kind for kind, _ in blocks] == ["python", "text", "python", "text"]
    names: dict[str, Any] = {}
    for (_, code), (_, expected) in zip(blocks[::2], blocks[1::2], strict=True):
        printed = StringIO()
        with redirect_stdout(printed):
            exec(code, names)  # noqa: S102 — the guide's own code
        assert printed.getvalue() == expected
