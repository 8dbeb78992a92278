"""A recorder that writes and tries again without much waiting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.history.recorders import Problems
from tui.history import recorder
from tui.history.database import FILE_NAME
from tui.history.recorder import Recorder


@pytest.fixture
def problems(monkeypatch: pytest.MonkeyPatch) -> Problems:
    monkeypatch.setattr(recorder, "EVERY_S", 0.03)
    monkeypatch.setattr(recorder, "RETRY_S", 0.03)
    monkeypatch.setattr(recorder, "LOCK_WAIT_S", 0.05)
    return Problems()


@pytest.fixture
def kept(tmp_path: Path, problems: Problems) -> Iterator[Recorder]:
    made = Recorder(tmp_path / FILE_NAME, problems.append)
    yield made
    made.close()
