"""A warning about the board is seen in the narrow layout too, where its panel has no room."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests.app.npulse import REPOSITORY, running

BOARDS = REPOSITORY / "tests" / "board" / "data"


@pytest.mark.slow
def test_80_columns_say_that_something_is_wrong_and_where(tmp_path: Path) -> None:
    with tarfile.open(BOARDS / "throttle-78.tgz") as archive:
        archive.extractall(tmp_path)
    arguments = ("--url", "http://127.0.0.1:9", "--root", str(tmp_path / "throttle-78"))
    with running(tmp_path, *arguments, size=(80, 24)) as terminal:
        terminal.wait_for("! F5")
        terminal.keys("f5")
        terminal.wait_for("too hot")
        terminal.keys("escape", "ctrl+q")
        assert terminal.wait_gone() == 0
