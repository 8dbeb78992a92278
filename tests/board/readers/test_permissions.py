"""Without root: what is closed is told as such, and everything else is still there.

The reader really is another user: as root, a child drops to ``nobody`` before it reads; otherwise
the folders are closed to ourselves.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.board import tree_files, trees
from tests.board.boards import Board
from tui.board.advice.access import load_rungs
from tui.board.advice.report import to_json, to_text
from tui.board.readers.files import Files

NOBODY = 65534
DEBUGFS = "sys/kernel/debug"


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that every user may enter (pytest's own is closed to others)."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for closed in folder.rglob("*"):
        if closed.is_dir() and not closed.is_symlink():
            closed.chmod(0o755)
    shutil.rmtree(folder)


def as_nobody(read: Callable[[], object]) -> object:
    """The result of ``read`` (as JSON) in a process without any rights."""
    if os.getuid() != 0:
        return json.loads(json.dumps(read()))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(writer, json.dumps(read()).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        data = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    return json.loads(data)


def readings(root: Path) -> dict[str, dict[str, object]]:
    """The snapshot that another user gets of that tree."""

    def read() -> object:
        with Board(root) as board:
            return to_json(board.settled())["readings"]

    found = as_nobody(read)
    assert isinstance(found, dict)
    return found


def text(root: Path) -> str:
    """The report that another user gets of that tree."""

    def read() -> object:
        with Board(root) as board:
            return to_text(board.settled())

    return str(as_nobody(read))


def closed(root: Path, tree: tree_files.Tree) -> Path:
    """(c) A tree whose debugfs is for root only, as on every board."""
    tree_files.write(tree, root)
    (root / DEBUGFS).chmod(0o700 if os.getuid() == 0 else 0)
    return root


def test_load_needs_permission_and_nothing_else_does(root: Path) -> None:
    found = readings(closed(root, trees.decoding()))
    load = found["npu.load"]
    assert (load["value"], load["reason"]) == (None, "no permission")
    assert load["source"] == "/sys/kernel/debug/rknpu/load"
    assert found["npu.activity"]["value"] == [0, 0, 0]
    assert found["npu.freq"]["value"] == 1_000_000_000
    assert found["npu.temp"]["value"] == 64.7
    assert found["npu.driver"]["value"] == "0.9.8"
    assert found["ddr.load"]["value"] == 62
    assert found["ram.model"]["value"] == 4685000 * 1024
    denied = [name for name, reading in found.items() if reading["reason"] == "no permission"]
    assert denied == ["npu.load"]


def test_the_report_tells_once_how_to_get_it(root: Path) -> None:
    report = text(closed(root, trees.decoding()))
    assert report.count("npulse setup-npu-access") == 1
    assert "no permission: npu.load" in report


def test_proc_file_needs_none(root: Path) -> None:
    closed(root, trees.proc_load())
    found = readings(root)
    assert found["npu.load"]["value"] == [40, 41, 42]
    assert found["npu.load"]["source"] == "/proc/rknpu/load"
    assert "setup-npu-access" not in text(root)


def test_a_bind_mount_in_run_opens_it(root: Path) -> None:
    """A file with a fresh time stands in for the mount, which only a real debugfs gives."""
    closed(root, trees.decoding())
    tree_files.write({"run/npu/load": "NPU load:  Core0:  5%, Core1:  6%, Core2:  7%,\n"}, root)
    moment = 1_763_000_002.0
    os.utime(root / "run/npu/load", (moment, moment))
    found = readings(root)
    assert found["npu.load"]["value"] == [5, 6, 7]
    assert found["npu.load"]["source"] == "/run/npu/load"


def test_empty_debugfs_looks_closed_to_others(root: Path) -> None:
    """(c3) Nobody but root can tell a closed folder from an empty one."""
    tree_files.write(trees.no_debugfs(), root)
    (root / DEBUGFS).mkdir(parents=True)
    (root / DEBUGFS).chmod(0o700 if os.getuid() == 0 else 0)
    assert readings(root)["npu.load"]["reason"] == "no permission"


def test_without_a_driver_it_is_not_a_matter_of_permission(root: Path) -> None:
    closed(root, trees.no_driver() | {f"{DEBUGFS}/clk/x": "1\n"})
    assert readings(root)["npu.load"]["reason"] == "no driver"


def test_every_rung_tells_its_own_reason(root: Path) -> None:
    closed(root, trees.decoding())
    found = as_nobody(lambda: [(rung.path, rung.reason) for rung in load_rungs(Files(root), 0.0)])
    assert found == [
        ["/proc/rknpu/load", "not on this kernel"],
        ["/run/npu/load", "not on this kernel"],
        ["/sys/kernel/debug/rknpu/load", "no permission"],
    ]


@pytest.mark.parametrize(
    "path",
    [
        "proc/meminfo",
        "proc/interrupts",
        "proc/stat",
        "proc/device-tree/model",
        "sys/class/devfreq/dmc/cur_freq",
        "sys/class/devfreq/fdab0000.npu/cur_freq",
        "sys/class/thermal/thermal_zone0/temp",
        "proc/4242/status",
    ],
)
def test_any_other_file_that_is_closed(path: str, root: Path) -> None:
    tree_files.write(trees.decoding(), root)
    (root / path).chmod(0)
    found = readings(root)
    denied = [name for name, reading in found.items() if reading["reason"] == "no permission"]
    assert denied or path.startswith("proc/4242")
    for name in denied:
        assert found[name]["value"] is None


def test_folders_that_are_closed(root: Path) -> None:
    tree_files.write(trees.decoding(), root)
    for folder in ("sys/class/thermal", "sys/class/devfreq", "sys/class/hwmon", "proc/4242"):
        (root / folder).chmod(0)
    found = readings(root)
    assert found["ram.total"]["value"]
    assert found["soc.temp"]["value"] is None
    assert found["ddr.freq"]["value"] is None
