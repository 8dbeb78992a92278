"""The sampler itself: what it opens, how often, from several threads, and after its end."""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.board import tree_files, trees
from tests.board.boards import Board
from tui.board.readers.files import Files
from tui.board.sampler import Sampler


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_descriptors_are_kept(tmp_path: Path) -> None:
    """A sample opens nothing that it has open, except what is looked for and not there."""
    opened: Counter[str] = Counter()

    def open_file(path: str, flags: int) -> int:
        opened[path.removeprefix(str(tmp_path))] += 1
        return os.open(path, flags)

    with Board(tmp_path, trees.decoding(), Files(tmp_path, open_file=open_file)) as board:
        board.settled()
        board.after(1)
        opened.clear()
        for _ in range(4):
            board.after(1)
    for kept in ("/sys/kernel/debug/rknpu/load", "/proc/meminfo", "/proc/stat", "/proc/interrupts"):
        assert opened[kept] == 0
    assert opened["/sys/class/devfreq/dmc/cur_freq"] == 0
    assert opened["/sys/class/thermal/thermal_zone0/temp"] == 0
    assert sum(opened.values()) < 60


def test_slow_things_are_read_seldom(tmp_path: Path) -> None:
    with Board(tmp_path, trees.decoding()) as board:
        board.settled()
        board.change({"sys/class/devfreq/fdab0000.npu/governor": "performance\n"})
        governors = [board.after(1).text("npu.governor") for _ in range(6)]
    assert governors[0] == "rknpu_ondemand"
    assert governors[-1] == "performance"


def test_it_closes_what_it_opened(tmp_path: Path) -> None:
    before = open_descriptors()
    with Board(tmp_path, trees.decoding()) as board:
        board.settled()
        assert open_descriptors() > before + 30
    assert open_descriptors() == before


def test_after_its_end_the_last_snapshot_stands(tmp_path: Path) -> None:
    before = open_descriptors()
    with Board(tmp_path, trees.decoding()) as board:
        last = board.settled()
    assert board.after(1) is last
    assert open_descriptors() == before


@pytest.mark.slow
def test_files_that_vanish_do_not_keep_descriptors(tmp_path: Path) -> None:
    before = open_descriptors()
    with Board(tmp_path, trees.decoding()) as board:
        board.settled()
        for _ in range(20):
            board.change({name: None for name in trees.decoding()})
            board.after(1)
            board.change(trees.decoding())
            board.after(1)
        board.settled()
        assert open_descriptors() < before + 120


def test_from_several_threads_at_once(tmp_path: Path) -> None:
    tree_files.write(trees.decoding(), tmp_path)
    sampler = Sampler(tmp_path)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(50):
                assert sampler.sample().get("npu.load").value == (86, 84, 61)
                sampler.watch_server(8021, None)
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sampler.close()
    assert errors == []


def test_a_snapshot_does_not_change_afterwards(tmp_path: Path) -> None:
    with Board(tmp_path, trees.decoding()) as board:
        first = board.settled()
        copy = dict(first.readings)
        board.change(trees.hot())
        board.after(9)
        assert dict(first.readings) == copy


def test_runtime_versions(tmp_path: Path) -> None:
    tree = trees.decoding() | {
        "usr/lib/librkllmrt.so": b"\x7fELF" + b"\0" * 9000 + b"RKLLM SDK (version: 1.2.3, date)\0",
        "usr/lib/librknnrt.so": b"\x7fELF\0librknnrt version: 2.3.2 (abc)\0",
    }
    with Board(tmp_path, tree) as board:
        snapshot = board.settled()
    assert snapshot.text("npu.runtime") == "1.2.3"
    assert snapshot.text("npu.rknn_runtime") == "2.3.2"


def test_runtime_that_says_nothing(tmp_path: Path) -> None:
    tree = trees.decoding() | {
        "usr/lib/librkllmrt.so": b"RKLLM SDK (version: %s) RKLLM SDK (version:",
        "usr/lib/librknnrt.so": b"",
    }
    with Board(tmp_path, tree) as board:
        snapshot = board.settled()
    assert snapshot.get("npu.runtime").reason == "unreadable (malformed)"
    assert snapshot.get("npu.rknn_runtime").reason == "unreadable (empty)"
