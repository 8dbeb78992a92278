"""Finished jobs a second from /proc/interrupts."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.board import tree_files, trees
from tests.board.boards import Board
from tui.board.readers.npu_activity import parse_interrupts
from tui.core.board.reading import Reading


def rates(board: Board, seconds: float, *counts: int) -> Reading:
    board.change(tree_files.interrupts(*trees.VENDOR_ROWS, counts=counts))
    return board.after(seconds).get("npu.activity")


def test_rate_per_core(tmp_path: Path) -> None:
    with Board(tmp_path, trees.no_debugfs()) as board:
        assert rates(board, 0, 100, 200, 300).reason == "first sample"
        reading = rates(board, 2, 19100, 19000, 13900)
    assert reading.value == (9500.0, 9400.0, 6800.0)
    assert (reading.unit, reading.flags) == ("jobs/s", ("estimated",))


def test_rows_are_ordered_by_hardware_number(tmp_path: Path) -> None:
    with Board(tmp_path, trees.mainline()) as board:
        board.after(0)
        rows = (
            (41, 143, "fdaca000.iommu, fdac0000.npu"),
            (40, 142, "fdab9000.iommu, fdab0000.npu"),
            (42, 144, "fdada000.iommu, fdad0000.npu"),
        )
        board.change(tree_files.interrupts(*rows, counts=(107, 130, 1003)))
        assert board.after(1).get("npu.activity").value == (10.0, 100.0, 1000.0)


def test_a_counter_that_goes_back_gives_no_rate(tmp_path: Path) -> None:
    """After the driver was bound again the counters start at 0."""
    with Board(tmp_path, trees.idle()) as board:
        rates(board, 0, 5000, 5000, 5000)
        assert rates(board, 1, 10, 6000, 5500).value == (None, 1000.0, 500.0)
        assert rates(board, 1, 1, 2, 3).value is None
        assert rates(board, 1, 2, 4, 6).value == (1.0, 2.0, 3.0)


def test_a_suspended_board_gives_no_rate(tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle()) as board:
        rates(board, 0, 0, 0, 0)
        assert rates(board, 3600, 99, 99, 99).reason == "clock jump"
        assert rates(board, 1, 100, 100, 100).value == (1.0, 1.0, 1.0)


def test_two_samples_close_together_keep_the_earlier_rate(tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle()) as board:
        rates(board, 0, 0, 0, 0)
        assert rates(board, 1, 10, 20, 30).value == (10.0, 20.0, 30.0)
        assert rates(board, 0.05, 999, 999, 999).value == (10.0, 20.0, 30.0)


def test_cpus_come_and_go() -> None:
    eight = b" 40:   1 2 3 4 5 6 7 8   GICv3 142 Level   fdab9000.iommu, fdab0000.npu\n"
    six = b" 40:   1 2 3 4 5 6   GICv3 142 Level   fdab9000.iommu, fdab0000.npu\n"
    assert [counter.jobs for counter in parse_interrupts(eight + six)] == [21, 36]


def test_an_iommu_alone_is_no_core() -> None:
    assert parse_interrupts(b" 39:  7  GICv3 141 Level  fdab9000.iommu\n") == []


def test_long_table_is_read_to_its_end(tmp_path: Path) -> None:
    """The kernel gives /proc/interrupts a page at a time; the NPU's rows come late."""
    tree = trees.idle()
    text = str(tree["proc/interrupts"])
    head, _, rows = text.partition("\n")
    filler = "\n".join(f"{number}: {'1 ' * 8} GICv3 {number} Level x" for number in range(900))
    tree["proc/interrupts"] = f"{head}\n{filler}\n{rows}"
    with Board(tmp_path, tree) as board:
        assert board.settled().get("npu.activity").value == (0.0, 0.0, 0.0)


@given(st.binary(max_size=400))
def test_any_bytes(raw: bytes) -> None:
    for counter in parse_interrupts(b"40: 1 2 fdab0000.npu\n" + raw):
        assert counter.jobs >= 0
