"""As root, PostgreSQL runs as `nobody`, also from a checkout in a closed home directory."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from throughline.local_platform.unprivileged import identity, reachable, reachable_copy, reachable_directory

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root must step down")


@pytest.fixture
def closed() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="throughline-closed-") as directory:  # mode 0700, as a home may be
        yield Path(directory)


def test_a_program_in_a_closed_directory_is_copied_to_where_nobody_can_run_it(closed: Path) -> None:
    program = closed / "programs"
    (program / "bin").mkdir(parents=True)
    shutil.copy2("/bin/true", program / "bin" / "true")
    assert not reachable(program)
    copy = reachable_copy(closed, ["programs/bin"])
    try:
        assert copy == reachable_copy(closed, ["programs/bin"]) != closed
        subprocess.run([copy / "programs" / "bin" / "true"], check=True, cwd="/", **identity())
    finally:
        shutil.rmtree(copy)


def test_the_place_of_the_data_is_chosen_once(closed: Path) -> None:
    wanted = closed / "postgres"
    assert reachable_directory(wanted, "abc") == Path("/var/tmp/throughline-abc")  # noqa: S108
    wanted.mkdir()
    assert reachable_directory(wanted, "abc") == wanted
