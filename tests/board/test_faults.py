"""Whatever a file does between two samples: no exception, nothing invented, and it comes back.

Any file of a board may get any bytes, vanish, become a folder, or fail with any errno when it is
opened or read. While it does, every reading is either what it was, absent with a reason, or within
what a board can have; two samples after it stopped, everything is as before.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.board import tree_files, trees
from tests.board.boards import Board, path_of
from tests.board.compare import as_expected
from tests.board.expected import Flagged
from tui.board.advice.report import to_json, to_text
from tui.board.readers.files import Files
from tui.core.board.reading import Reading, Snapshot

TREES = {
    name: getattr(trees, name)()
    for name in ("decoding", "hot", "proc_load", "mainline", "single_core", "laptop")
}
RANGES = {
    "%": (0, 100),
    "Hz": (1e6, 1e11),
    "°C": (0, 200),
    "B": (0, 2**60),
    "V": (0.1, 20),
    "W": (0, 1e4),
    "GB/s": (0, 1e4),
    "rpm": (0, 1e5),
    "jobs/s": (0, 1e20),
}
ERRNOS = (
    errno.EIO,
    errno.ENODEV,
    errno.ESTALE,
    errno.EACCES,
    errno.EPERM,
    errno.EAGAIN,
    errno.EINVAL,
    errno.ENODATA,
    errno.ENOENT,
    errno.ESRCH,
    errno.EOPNOTSUPP,
    errno.EMFILE,
    errno.EBUSY,
    errno.ETIMEDOUT,
    errno.ENOTDIR,
    9999,
)
MEMORY_FOLDER = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
PERIODIC = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Broken(Files):
    """Files of which one fails with an errno, at opening or at reading."""

    def __init__(self, root: Path) -> None:
        self.suffix: str | None = None
        self.number = 0
        self.fails_at_open = False
        super().__init__(root, open_file=self._fail_open, pread=self._fail_read)

    def _fail_open(self, path: str, flags: int) -> int:
        if self.suffix and self.fails_at_open and path.endswith(self.suffix):
            raise OSError(self.number, "injected")
        return os.open(path, flags)

    def _fail_read(self, fd: int, size: int, offset: int) -> bytes:
        if self.suffix and not self.fails_at_open and path_of(fd).endswith(self.suffix):
            raise OSError(self.number, "injected")
        return os.pread(fd, size, offset)


def in_range(reading: Reading, name: str) -> bool:
    """Whether a board can have this value."""
    values = reading.value if isinstance(reading.value, tuple) else (reading.value,)
    low, high = RANGES.get(reading.unit, (-(2**62), 2**62))
    if name == "server.cpu":
        high = 1e12
    for value in values:
        if isinstance(value, str):
            if any(ord(char) < 32 or 127 <= ord(char) < 160 for char in value):
                return False
        elif value is not None and not low <= value <= high:
            return False
    return True


def check(snapshot: Snapshot) -> None:
    """What holds for every snapshot."""
    for name, reading in snapshot.readings.items():
        assert (reading.value is None) != (reading.reason is None), name
        assert in_range(reading, name), (name, reading)
    assert to_json(snapshot)
    assert to_text(snapshot)


@contextmanager
def settled_board(tree: tree_files.Tree) -> Iterator[tuple[Board, Broken, dict[str, object]]]:
    with tempfile.TemporaryDirectory(dir=MEMORY_FOLDER) as folder:
        root = Path(folder)
        files = Broken(root)
        with Board(root, tree, files) as board:
            board.settled()
            yield board, files, as_expected(board.after(1))


def all_files() -> st.SearchStrategy[tuple[str, str]]:
    return st.sampled_from([(name, file) for name, tree in TREES.items() for file in tree])


def recovered(board: Board) -> dict[str, object]:
    """Two samples later, over both of which nothing may raise or be out of range."""
    check(board.after(1))
    last = board.after(1)
    check(last)
    return as_expected(last)


def back_at_slow_rates(board: Board, before: dict[str, object]) -> None:
    """What still looked like a value is read again at the rate of its file, half a minute at
    most."""
    for _ in range(4):
        check(board.after(9))
    assert recovered(board) == before


@pytest.mark.slow
@PERIODIC
@given(all_files(), st.binary(max_size=120), st.sampled_from([1.0, 2.0, 9.0]))
def test_any_bytes_in_any_file(where: tuple[str, str], raw: bytes, pause: float) -> None:
    tree = TREES[where[0]]
    with settled_board(tree) as (board, _, before):
        board.change({where[1]: raw})
        for _ in range(3):
            snapshot = board.after(pause)
            check(snapshot)
        believed = {
            name
            for name, value in as_expected(snapshot).items()
            if value != before.get(name) and snapshot.get(name).value is not None
        }
        board.change({where[1]: tree[where[1]]})
        now = recovered(board)
        assert {name: now.get(name) for name in before if name not in believed} == {
            name: value for name, value in before.items() if name not in believed
        }
        back_at_slow_rates(board, before)


@pytest.mark.slow
@PERIODIC
@given(all_files(), st.data())
def test_a_value_with_some_bytes_changed(where: tuple[str, str], data: st.DataObject) -> None:
    """Close to what the kernel writes, so that parsers get further."""
    tree = TREES[where[0]]
    content = tree[where[1]]
    raw = content if isinstance(content, bytes) else str(content).encode()
    at = data.draw(st.integers(0, len(raw)))
    change = data.draw(
        st.sampled_from([b"", b"-", b"0", b"9" * 25, b"\0", b" ", b"\n", b"%", b":"])
    )
    drop = data.draw(st.integers(0, 4))
    with settled_board(tree) as (board, _, before):
        board.change({where[1]: raw[:at] + change + raw[at + drop :]})
        for _ in range(2):
            check(board.after(9))
        board.change({where[1]: content})
        back_at_slow_rates(board, before)


@pytest.mark.slow
@PERIODIC
@given(all_files(), st.integers(1, 4))
def test_any_file_vanishes_and_appears(where: tuple[str, str], samples: int) -> None:
    tree = TREES[where[0]]
    with settled_board(tree) as (board, _, before):
        board.change({where[1]: None})
        for _ in range(samples):
            check(board.after(1))
        board.change({where[1]: tree[where[1]]})
        now = recovered(board)
    assert without_server(now) == without_server(before)


def is_explained(reading: Reading, now: object, before: object, source: str) -> bool:
    """What a failing file may do to a reading: nothing, take it away in whole or in part, or have
    another file speak for it, which is flagged or named as the source."""
    if now == before or reading.value is None or reading.flags or reading.source != source:
        return True
    before = before.value if isinstance(before, Flagged) else before
    if reading.value == before:
        # Only a flag is gone: what it was derived from cannot be read.
        return True
    if isinstance(reading.value, str) and "?" in reading.value:
        return True
    if isinstance(reading.value, tuple) and isinstance(before, tuple):
        pairs = zip(reading.value, before, strict=False)
        return all(new is None or new == old for new, old in pairs)
    return False


def without_server(found: dict[str, object]) -> dict[str, object]:
    """A server is looked for at once for three samples, then every five seconds."""
    return {
        name: value
        for name, value in found.items()
        if not name.startswith(("server.", "ram.model"))
    }


@pytest.mark.slow
@PERIODIC
@given(all_files(), st.sampled_from(ERRNOS), st.booleans(), st.sampled_from([1.0, 2.0, 9.0]))
def test_any_errno(where: tuple[str, str], number: int, fails_at_open: bool, pause: float) -> None:
    with settled_board(TREES[where[0]]) as (board, files, before):
        sources = {name: entry.source for name, entry in board.after(1).readings.items()}
        files.suffix, files.number, files.fails_at_open = f"/{where[1]}", number, fails_at_open
        if fails_at_open:
            files.close()
        for _ in range(3):
            snapshot = board.after(pause)
            check(snapshot)
            for name, value in as_expected(snapshot).items():
                reading = snapshot.get(name)
                assert is_explained(
                    reading, value, before.get(name, value), sources.get(name, "")
                ), (name, reading)
        files.suffix = None
        assert without_server(recovered(board)) == without_server(before)


@pytest.mark.slow
@PERIODIC
@given(all_files())
def test_a_folder_in_place_of_any_file(where: tuple[str, str]) -> None:
    tree = TREES[where[0]]
    with settled_board(tree) as (board, _, before):
        path = board.root / where[1]
        path.unlink()
        path.mkdir()
        check(board.after(1))
        path.rmdir()
        board.change({where[1]: tree[where[1]]})
        assert recovered(board) == before


def test_module_reload(tmp_path: Path) -> None:
    """The driver goes and comes back: descriptors fail, then new files are there."""
    with Board(tmp_path, trees.decoding()) as board:
        before = as_expected(board.settled())
        driver = ("sys/module/rknpu", "sys/class/devfreq/fdab", "sys/kernel/debug/rknpu")
        board.change({name: None for name in trees.decoding() if name.startswith(driver)})
        for folder in (*driver[:1], f"{driver[1]}0000.npu", driver[2]):
            (tmp_path / folder).rmdir()
        snapshot = board.after(1)
        assert snapshot.get("npu.load").reason == "no driver"
        assert snapshot.get("npu.freq").reason == "no driver"
        board.change(trees.decoding())
        assert recovered(board) == before


def test_started_before_the_driver(tmp_path: Path) -> None:
    with Board(tmp_path, trees.no_driver()) as board:
        for _ in range(5):
            assert board.after(1).get("npu.load").reason == "no driver"
        board.change(trees.decoding())
        snapshot = board.after(1)
        assert snapshot.get("npu.load").value == (86, 84, 61)
        assert snapshot.number("npu.freq") == 1e9
        assert snapshot.text("npu.driver") == "0.9.8"


def test_an_empty_root(tmp_path: Path) -> None:
    with Board(tmp_path) as board:
        snapshot = board.settled()
    check(snapshot)
    assert not [
        name
        for name, reading in snapshot.readings.items()
        if reading.value is not None and not name.startswith("npulse.")
    ]
