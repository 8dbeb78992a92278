"""What the chat knows of running benchmarks: whose lock is held, and what each board is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from tests.screens.bench.prepared import BOARDS_RUN
from tui.app.bench_link import BenchLink, BenchLock, read_lock
from tui.bench.model.screen import BenchView
from tui.bench.store.folder import boards_folder, default_folder
from tui.bench.store.runs import Lock


class Following:
    """A session that follows the prepared run."""

    is_running = True

    def view(self) -> BenchView:
        return BenchView(run=BOARDS_RUN)


def test_a_run_on_many_boards_is_followed_and_leaves_this_machine_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    url = "http://127.0.0.1:8021"
    assert read_lock(url) == BenchLock()
    of_boards, own = Lock(boards_folder(default_folder())), Lock(default_folder())
    of_boards.take("batch")
    assert read_lock(url) == BenchLock(is_held=True)
    own.take("smoke")
    assert read_lock(url).is_here
    assert "smoke" in (read_lock(url).reason or "")
    of_boards.release()
    own.release()
    assert read_lock(url) == BenchLock()


def test_the_fleet_screen_is_told_what_each_board_is_asked() -> None:
    nothing = cast("Any", None)
    link = BenchLink(nothing, nothing, nothing, "f3")
    assert link.work_of_boards() == {}
    link._benchmarks = cast("Any", Following())
    # The others do not work.
    assert link.work_of_boards() == {"kitchen": "bench 24 done, now n7  0:05"}
