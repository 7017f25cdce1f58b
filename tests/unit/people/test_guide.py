"""The example in docs/guides/people.md is run as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from throughline.people.asking import TaskRules

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "guides" / "people.md").read_text(encoding="utf-8")


def test_the_example_does_what_the_guide_says(ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    [code] = re.findall(r"```python\n(.*?)```", GUIDE, re.S)
    told: dict[str, object] = {"ledger": ledger}
    exec(code, told)  # noqa: S102 - our own guide
    assert told["swept"]


def test_the_rules_in_the_guide_are_rules() -> None:
    [text] = re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)
    found = TaskRules.model_validate(YAML(typ="safe").load(text))
    assert found.ask == ("position:purchasing_manager", "head_of:finance")
    assert found.least == 2
