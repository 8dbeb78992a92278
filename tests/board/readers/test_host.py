"""A machine without /proc: what psutil says agrees with what /proc says where both are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.board import sampler
from tui.board.readers.files import Files
from tui.board.readers.host import SOURCE, has_proc
from tui.board.sampler import Sampler


def test_a_board_is_read_from_its_files(tmp_path: Path) -> None:
    assert has_proc(Files(tmp_path))
    assert has_proc(Files())


def test_a_machine_without_proc_has_ram_and_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    by_files = Sampler()
    monkeypatch.setattr(sampler, "has_proc", lambda files: False)
    by_psutil = Sampler()
    try:
        one, two = by_files.sample(), by_psutil.sample()
        assert two.get("ram.total").source == SOURCE
        assert one.number("ram.total") == two.number("ram.total")
        free, ours = one.number("ram.available"), two.number("ram.available")
        assert free is not None
        assert ours is not None
        assert abs(free - ours) < 0.1 * free
        assert len(two.numbers("cpu.load")) >= 1
        assert (two.number("npulse.rss") or 0) > 10 * 2**20
    finally:
        by_files.close()
        by_psutil.close()
