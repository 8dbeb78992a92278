"""RAM, swap, zram and memory pressure."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.board import tree_files, trees
from tests.board.boards import Board, path_of
from tui.board.readers.files import Files
from tui.board.readers.parse import kilobyte_fields
from tui.board.readers.reasons import is_transient, reason_of

KIB = 1024
MM_STAT = "sys/block/zram0/mm_stat"


def test_a_model_counts_as_used_without_a_server_in_sight(tmp_path: Path) -> None:
    with Board(tmp_path, tree_files.without(trees.decoding(), "proc/4242")) as board:
        snapshot = board.settled()
    reading = snapshot.get("ram.model")
    assert (reading.value, reading.flags) == (4690000 * KIB, ("estimated",))
    assert snapshot.number("ram.used") == 6480364 * KIB


def test_a_front_end_without_the_model_does_not_hide_it(tmp_path: Path) -> None:
    status = trees.SERVER_STATUS.replace("4685000", "   1200")
    with Board(tmp_path, trees.decoding() | {"proc/4242/status": status}) as board:
        reading = board.settled().get("ram.model")
    assert (reading.value, reading.flags) == (4690000 * KIB, ("estimated",))


def test_kernel_without_available(tmp_path: Path) -> None:
    memory = {name: value for name, value in trees.IDLE_MEMORY.items() if name != "MemAvailable"}
    with Board(tmp_path, trees.idle() | tree_files.meminfo(**memory)) as board:
        reading = board.settled().get("ram.available")
    assert reading.value == (14210000 + 41000 + 910000 - 21000) * KIB
    assert reading.flags == ("estimated",)


@pytest.mark.parametrize("raw", ["", "MemTotal:  kB\n", "MemTotal: x kB\n", "MemTotal: 0 kB\n"])
def test_no_total_no_memory(raw: str, tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | {"proc/meminfo": raw}) as board:
        snapshot = board.settled()
    for name in ("ram.total", "ram.available", "ram.used", "ram.model", "swap.used"):
        assert snapshot.get(name).value is None


def test_more_available_than_there_is(tmp_path: Path) -> None:
    memory = trees.IDLE_MEMORY | {"MemAvailable": 99999999}
    with Board(tmp_path, trees.idle() | tree_files.meminfo(**memory)) as board:
        snapshot = board.settled()
    assert snapshot.get("ram.available").reason == "unreadable (implausible)"
    assert snapshot.get("ram.used").value is None


@pytest.mark.parametrize("raw", ["", "1 2", "a b c", "4096 86", "-1 2 3"])
def test_short_zram_line(raw: str, tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | {MM_STAT: raw}) as board:
        assert board.settled().get("zram.used").value is None


def test_empty_zram_has_no_ratio(tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | {MM_STAT: "0 0 0 0 0 0 0 0\n"}) as board:
        snapshot = board.settled()
    assert snapshot.get("zram.used").value == 0
    assert snapshot.get("zram.ratio").value is None


def test_all_zram_disks_add_up(tmp_path: Path) -> None:
    tree = trees.idle() | {MM_STAT: "100 50 60\n", "sys/block/zram1/mm_stat": "300 50 70 0\n"}
    with Board(tmp_path, tree) as board:
        snapshot = board.settled()
    assert [snapshot.number(f"zram.{name}") for name in ("used", "compressed", "ratio")] == [
        400,
        130,
        4.0,
    ]


def test_pressure(tmp_path: Path) -> None:
    text = "some avg10=12.34 avg60=0.00 avg300=0.00 total=1\nfull avg10=1.00 avg60=0 total=1\n"
    with Board(tmp_path, trees.idle() | {"proc/pressure/memory": text}) as board:
        snapshot = board.settled()
    assert (snapshot.number("psi.memory"), snapshot.number("psi.memory_full")) == (12.34, 1.0)


def test_pressure_switched_off(tmp_path: Path) -> None:
    """With psi=0 the file opens, and reading it fails."""

    def pread(fd: int, size: int, offset: int) -> bytes:
        if path_of(fd).endswith("pressure/memory"):
            raise OSError(errno.EOPNOTSUPP, "not supported")
        return os.pread(fd, size, offset)

    with Board(tmp_path, trees.idle(), Files(tmp_path, pread=pread)) as board:
        assert board.settled().get("psi.memory").reason == "unreadable (EOPNOTSUPP)"


def test_reasons_of_errors() -> None:
    assert reason_of(FileNotFoundError(errno.ENOENT, "x"), "no driver") == "no driver"
    assert reason_of(PermissionError(errno.EACCES, "x")) == "no permission"
    assert reason_of(OSError(errno.EIO, "x")) == "unreadable (EIO)"
    assert reason_of(OSError("odd")) == "unreadable (error)"
    assert is_transient("unreadable (EIO)")
    assert not is_transient("no permission")


@given(st.binary(max_size=300))
def test_any_bytes_of_meminfo(raw: bytes) -> None:
    assert all(value >= 0 for value in kilobyte_fields(raw).values())
