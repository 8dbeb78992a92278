"""Every board of the fixtures gives exactly the readings that it should, and no others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.board import expected, trees
from tests.board.boards import Board
from tests.board.compare import as_expected
from tests.board.tree_files import Tree
from tui.board.advice.report import to_text

BOARDS = [
    (trees.idle, expected.IDLE),
    (trees.decoding, expected.DECODING),
    (trees.mistuned, expected.MISTUNED),
    (trees.hot, expected.HOT),
    (trees.proc_load, expected.PROC_LOAD),
    (trees.no_debugfs, expected.NO_DEBUGFS),
    (trees.mainline, expected.MAINLINE),
    (trees.no_driver, expected.NO_NPU_DRIVER),
    (trees.single_core, expected.SINGLE_CORE),
    (trees.laptop, expected.LAPTOP),
]


@pytest.mark.parametrize(
    ("tree", "readings"), BOARDS, ids=lambda item: getattr(item, "__name__", "")
)
def test_snapshot(tree: Callable[[], Tree], readings: dict[str, object], tmp_path: Path) -> None:
    with Board(tmp_path, tree()) as board:
        assert as_expected(board.settled()) == readings


@pytest.mark.parametrize(
    ("tree", "readings"), BOARDS, ids=lambda item: getattr(item, "__name__", "")
)
def test_later_samples_say_the_same(
    tree: Callable[[], Tree], readings: dict[str, object], tmp_path: Path
) -> None:
    """Slow readings are repeated from the earlier read, with the flags that belong to them."""
    with Board(tmp_path, tree()) as board:
        board.settled()
        for _ in range(8):
            assert as_expected(board.after(1)) == readings


def test_sources_name_the_rung(tmp_path: Path) -> None:
    with Board(tmp_path, trees.proc_load()) as board:
        assert board.settled().get("npu.load").source == "/proc/rknpu/load"
    with Board(tmp_path / "b", trees.decoding()) as board:
        assert board.settled().get("npu.load").source == "/sys/kernel/debug/rknpu/load"


def test_no_source_shows_where_the_tree_lies(tmp_path: Path) -> None:
    with Board(tmp_path, trees.decoding()) as board:
        for reading in board.settled().readings.values():
            assert str(tmp_path) not in reading.source


def test_simulated_tree_says_so(tmp_path: Path) -> None:
    with Board(tmp_path, trees.decoding() | {"npulse-simulated": "qwen3-4b\n"}) as board:
        snapshot = board.settled()
    assert snapshot.get("board.simulated").value == "qwen3-4b"
    assert "SIMULATED board, profile qwen3-4b" in to_text(snapshot)


def test_mainline_report_names_the_kernel_that_is_needed(tmp_path: Path) -> None:
    with Board(tmp_path, trees.no_driver()) as board:
        text = to_text(board.settled())
    assert "RKLLM needs the vendor kernel (5.10 or 6.1) with the rknpu driver 0.9.8" in text


def test_host_report_offers_the_demo_instead(tmp_path: Path) -> None:
    with Board(tmp_path, trees.laptop()) as board:
        text = to_text(board.settled())
    assert "npulse --demo" in text
    assert "vendor kernel" not in text
