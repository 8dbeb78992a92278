"""Pipes and devices in the place of a file: one sentence, and nobody waits for their writer."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tui.bench.importers import files
from tui.bench.model import batch, suite
from tui.bench.model.suite import SuiteError
from tui.bench.store.runs import RunError


@pytest.mark.parametrize("read", [batch.load, suite.load_file, files.load])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_it_is_refused_at_once(read: Callable[[Path], object], kind: str, tmp_path: Path) -> None:
    path = tmp_path / "it"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    with pytest.raises((SuiteError, RunError), match=r"not a plain file|Is a directory"):
        read(path)
