"""The NPU's load: forms of the file, and which file is read when."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.board import tree_files, trees
from tests.board.boards import Board
from tui.board.readers import parse
from tui.board.readers.reasons import UnreadableError

LOAD = "sys/kernel/debug/rknpu/load"
FORMS = [
    (b"NPU load:  Core0:  0%, Core1:  0%, Core2:  0%,\n", (0, 0, 0)),
    (b"NPU load:  Core0:   %, Core1:   %, Core2:   %,\n", (0, 0, 0)),
    (b"NPU load:  Core0: 86%, Core1: 84%, Core2: 61%,\n", (86, 84, 61)),
    (b"NPU load:  Core0:  7%, Core1: 11%,\n", (7, 11)),
    (b"NPU load:  0%\n", (0,)),
    (b"NPU load: 74%\n", (74,)),
    (b"NPU load: 100%\n", (100,)),
    (b"NPU load:  %\n", (0,)),
    (b"NPU0: 100%, NPU1: 98%\n", (100, 98)),
    (b"Core0: 0%, Core1: 10%, Core2: 20%", (0, 10, 20)),
    (b"NPU load:  Core2: 5%, Core0: 9%,\n", (9, None, 5)),
    (b"NPU load:  Core0:  1%, Core1: ", (1,)),
]
NO_FORMS = [
    b"",
    b"\n",
    b"NPU load: ",
    b"NPU load:  Core0: ",
    b"\xff\xfe",
    b"N/A\n",
    b"NPU load: -5%",
]


@pytest.mark.parametrize(("raw", "loads"), FORMS)
def test_every_form_of_the_file(raw: bytes, loads: tuple[int | None, ...], tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | {LOAD: raw}) as board:
        reading = board.after(0).get("npu.load")
    assert reading.value == loads
    assert reading.flags == ()


@pytest.mark.parametrize("raw", NO_FORMS)
def test_what_is_no_load_is_absent(raw: bytes, tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | {LOAD: raw}) as board:
        reading = board.after(0).get("npu.load")
    assert reading.value is None
    assert str(reading.reason).startswith("unreadable (")


def test_a_hung_job_is_clamped_and_flagged(tmp_path: Path) -> None:
    tree = trees.idle() | {
        LOAD: "NPU load:  Core0: 20000%, Core1: 99999999999999999%, Core2: 3%,\n"
    }
    with Board(tmp_path, tree) as board:
        reading = board.after(0).get("npu.load")
    assert reading.value == (100, 100, 3)
    assert reading.flags == ("clamped",)


def test_a_core_number_beyond_reason_is_not_believed() -> None:
    assert parse.npu_load(b"Core0: 1%, Core9999: 5%").by_core == {0: 1}
    with pytest.raises(UnreadableError, match="malformed"):
        parse.npu_load(b"Core9999: 5%")


def test_a_cut_read_keeps_its_prefix_and_flags_the_rest(tmp_path: Path) -> None:
    with Board(tmp_path, trees.decoding()) as board:
        board.after(0)
        board.change({LOAD: "NPU load:  Core0: 11%, Core1: "})
        reading = board.after(1).get("npu.load")
        assert reading.value == (11, 84, 61)
        assert reading.flags == ("stale",)
        board.change({LOAD: "NPU load:  Core0: 12%, Core1: 13%, Core2: 14%,\n"})
        reading = board.after(1).get("npu.load")
        assert (reading.value, reading.flags) == ((12, 13, 14), ())


def test_old_loads_are_not_held_for_ever(tmp_path: Path) -> None:
    with Board(tmp_path, trees.decoding()) as board:
        board.after(0)
        board.change({LOAD: "NPU load:  Core0: 11%, Core1: "})
        assert [board.after(1).get("npu.load").value for _ in range(5)][-1] == (11,)


def test_the_devfreq_constant_is_never_a_load(tmp_path: Path) -> None:
    tree = tree_files.without(trees.decoding(), "sys/kernel/debug/rknpu/load")
    with Board(tmp_path, tree) as board:
        for name, reading in board.settled().readings.items():
            assert ".npu/load" not in reading.source, name
        assert board.after(1).get("npu.load").value is None


def test_proc_file_comes_before_debugfs(tmp_path: Path) -> None:
    with Board(tmp_path, trees.decoding()) as board:
        assert board.after(0).get("npu.load").value == (86, 84, 61)
        board.change({"proc/rknpu/load": "NPU load:  Core0: 1%, Core1: 2%, Core2: 3%,\n"})
        reading = board.after(1).get("npu.load")
        assert (reading.value, reading.source) == ((1, 2, 3), "/proc/rknpu/load")
        board.change({"proc/rknpu/load": None})
        assert board.after(1).get("npu.load").value == (86, 84, 61)


def test_a_malformed_rung_falls_to_the_next(tmp_path: Path) -> None:
    tree = trees.decoding() | {"proc/rknpu/load": "N/A\n"}
    with Board(tmp_path, tree) as board:
        assert board.after(0).get("npu.load").source == "/sys/kernel/debug/rknpu/load"


def stamp(board: Board, age_s: float) -> None:
    """Give the sampler's file that age by the board's clock."""
    moment = board.wall_s - age_s
    os.utime(board.root / "run/npu/load", (moment, moment))


def test_sampler_file_is_read_while_it_is_fresh(tmp_path: Path) -> None:
    tree = tree_files.without(trees.idle(), LOAD)
    with Board(tmp_path, tree | {"run/npu/load": "NPU load:  Core0: 9%, Core1: 8%,\n"}) as board:
        stamp(board, 1)
        reading = board.after(0).get("npu.load")
        assert (reading.value, reading.source) == ((9, 8), "/run/npu/load")
        reading = board.after(2.5).get("npu.load")
        assert (reading.value, reading.reason) == (None, "stale")
        assert reading.source == "/run/npu/load"
        activity = board.after(1).get("npu.activity")
        assert activity.value == (0.0, 0.0, 0.0)


def test_sampler_file_from_the_future_is_not_trusted(tmp_path: Path) -> None:
    tree = tree_files.without(trees.idle(), LOAD)
    with Board(tmp_path, tree | {"run/npu/load": "NPU load:  Core0: 9%,\n"}) as board:
        stamp(board, -3600)
        assert board.after(0).get("npu.load").reason == "stale"


def test_sampler_file_replaced_by_a_rename_is_followed(tmp_path: Path) -> None:
    tree = tree_files.without(trees.idle(), LOAD)
    with Board(tmp_path, tree | {"run/npu/load": "NPU load:  Core0: 9%,\n"}) as board:
        stamp(board, 0)
        board.after(0)
        for load in (10, 20, 30):
            new = tmp_path / "run/npu/.load.new"
            new.write_text(f"NPU load:  Core0: {load}%,\n")
            new.rename(tmp_path / "run/npu/load")
            stamp(board, -1)
            assert board.after(1).get("npu.load").value == (load,)


def test_stale_sampler_gives_way_to_debugfs(tmp_path: Path) -> None:
    tree = trees.decoding() | {"run/npu-sampler/load": "NPU load:  Core0: 9%,\n"}
    with Board(tmp_path, tree) as board:
        os.utime(tmp_path / "run/npu-sampler/load", (1, 1))
        assert board.after(0).get("npu.load").source == "/sys/kernel/debug/rknpu/load"


def test_a_kernel_without_the_file_is_told_from_one_without_debugfs(tmp_path: Path) -> None:
    tree = tree_files.without(trees.idle(), "sys/kernel/debug/")
    with Board(tmp_path, tree) as board:
        assert board.after(0).get("npu.load").reason == "debugfs not mounted"
        board.change({"sys/kernel/debug/clk/clk_summary": "x\n"})
        assert board.after(1).get("npu.load").reason == "not on this kernel"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_load_or_unreadable(raw: bytes) -> None:
    try:
        loads = parse.npu_load(raw)
    except UnreadableError:
        return
    assert loads.by_core
    for core, load_pct in loads.by_core.items():
        assert 0 <= core < parse.MAX_CORES
        assert 0 <= load_pct <= 100


@given(st.lists(st.integers(0, 100), min_size=1, max_size=8))
def test_what_the_kernel_writes_is_read_back(loads: list[int]) -> None:
    cores = "".join(f" Core{core}: {load:2d}%," for core, load in enumerate(loads))
    assert parse.npu_load(f"NPU load: {cores}\n".encode()).by_core == dict(enumerate(loads))


def test_a_file_without_a_length_has_no_age(tmp_path: Path) -> None:
    """A bind-mounted file of debugfs has no length and the time of the driver's start. A file of
    /proc stands in for it: it is read (and is no load), not called stale."""
    (tmp_path / "run/npu").mkdir(parents=True)
    (tmp_path / "run/npu/load").symlink_to("/proc/version")
    tree = tree_files.without(trees.idle(), LOAD)
    with Board(tmp_path, tree) as board:
        assert board.after(0).get("npu.load").reason == "unreadable (malformed)"
