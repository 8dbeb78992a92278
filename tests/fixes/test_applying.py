"""A fix is remembered before it is written, undone exactly, and undone whole where it fails."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from tests.board import tree_files, trees
from tui.board.advice import root_writer
from tui.core.board.fix import FileKind, FileWrite, Fix
from tui.fixes.applying import Applied, undo
from tui.fixes.change import BOOT_ID, BoardPlace, FixError
from tui.fixes.session import in_force
from tui.fixes.writers import DirectWriter, write_error
from tui.settings.board_changes import BoardChanges

DDR = "/sys/class/devfreq/dmc/governor"
CPU = "/sys/devices/system/cpu/cpufreq/policy4/scaling_governor"
LOG = "/etc/systemd/system/rkllm.service.d/npulse-runtime-log.conf"
FIX = Fix(
    "ddr-clock",
    "keep it high",
    (FileWrite(DDR, "performance"), FileWrite(CPU, "performance")),
    measured_by="decode_tps",
)
DROP_IN = Fix(
    "runtime-log",
    "own times",
    (FileWrite(LOG, "[Service]\nEnvironment=RKLLM_LOG_LEVEL=1\n", "config"),),
)


@pytest.fixture
def place(tmp_path: Path) -> BoardPlace:
    root = tmp_path / "board"
    tree_files.write({**trees.mistuned(), BOOT_ID.lstrip("/"): "first-boot\n"}, root)
    (root / CPU.lstrip("/")).write_text("ondemand\n")
    return BoardPlace(root)


@pytest.fixture
def memory(tmp_path: Path) -> BoardChanges:
    return BoardChanges(tmp_path / "state")


def values(place: BoardPlace) -> tuple[str | None, str | None]:
    return place.read(DDR), place.read(CPU)


OLD, NEW = ("dmc_ondemand", "ondemand"), ("performance", "performance")


class Failing(DirectWriter):
    """Fails at one file as the kernel does."""

    def __init__(self, place: BoardPlace, path: str, number: int) -> None:
        super().__init__(place)
        self._path, self._number = path, number

    def write(self, path: str, value: str | None, kind: FileKind) -> None:
        if path == self._path and value == "performance":
            raise write_error(path, value, self._number)
        super().write(path, value, kind)


class Deaf(DirectWriter):
    """A kernel that takes a value and keeps another one."""

    def write(self, path: str, value: str | None, kind: FileKind) -> None:
        if path != CPU or value != "performance":
            super().write(path, value, kind)


def test_there_and_back(place: BoardPlace, memory: BoardChanges) -> None:
    class Checked(DirectWriter):
        def write(self, path: str, value: str | None, kind: FileKind) -> None:
            assert [change.rule for change in memory.changes()] == ["ddr-clock"]
            super().write(path, value, kind)

    applied = Applied(FIX, place, Checked(place), memory)
    applied.apply()
    assert values(place) == NEW
    applied.switch(is_after=False)
    assert values(place) == OLD
    applied.switch(is_after=True)
    (kept,), said = in_force(memory, place)
    assert (kept.rule, said) == ("ddr-clock", ())
    undone = applied.undo()
    assert values(place) == OLD
    assert undone.restored == (f"{DDR} is dmc_ondemand again.", f"{CPU} is ondemand again.")
    assert memory.changes() == ()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "only root may write there"),
        (errno.EROFS, "read-only here"),
        (errno.EBUSY, "the driver is busy"),
        (errno.EINVAL, "the kernel rejects this value"),
        (errno.EIO, "Input/output error"),
    ],
)
@pytest.mark.parametrize("path", [DDR, CPU])
def test_what_cannot_be_written_leaves_all_as_it_was(
    place: BoardPlace, memory: BoardChanges, path: str, number: int, words: str
) -> None:
    with pytest.raises(FixError, match=words) as caught:
        Applied(FIX, place, Failing(place, path, number), memory).apply()
    assert path in str(caught.value)
    assert "\n" not in str(caught.value)
    assert values(place) == OLD
    assert memory.changes() == ()


def test_a_value_that_the_kernel_does_not_keep(place: BoardPlace, memory: BoardChanges) -> None:
    with pytest.raises(FixError, match="the kernel keeps it at ondemand"):
        Applied(FIX, place, Deaf(place), memory).apply()
    assert values(place) == OLD


def test_without_a_memory_nothing_is_changed(place: BoardPlace, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(FixError, match="without it nothing is changed"):
        Applied(FIX, place, DirectWriter(place), BoardChanges(tmp_path / "state")).apply()
    assert values(place) == OLD


@pytest.mark.parametrize("content", [None, "a value; with more\n", "\x1b[2J\n"])
def test_what_could_not_be_put_back_is_not_changed(
    place: BoardPlace, memory: BoardChanges, content: str | None
) -> None:
    tree_files.write({CPU.lstrip("/"): content}, place.root)
    with pytest.raises(FixError, match=r"not (be restored|restore)"):
        Applied(FIX, place, DirectWriter(place), memory).apply()
    assert place.read(DDR) == "dmc_ondemand"
    assert memory.changes() == ()


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/sys/class/devfreq/../governor", "/sys/power/state"]
)
def test_no_other_file_is_ever_written(place: BoardPlace, memory: BoardChanges, path: str) -> None:
    target = place.root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("old\n")
    fix = Fix("ddr-clock", "x", (FileWrite(path, "performance"),))
    with pytest.raises(FixError):
        Applied(fix, place, DirectWriter(place), memory).apply()
    assert target.read_text() == "old\n"


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.fixes import test_applying
from tui.fixes.applying import Applied
from tui.fixes.change import BoardPlace
from tui.fixes.writers import DirectWriter
from tui.settings.board_changes import BoardChanges

place, when = BoardPlace(Path(sys.argv[1])), int(sys.argv[3])
fix = getattr(test_applying, sys.argv[4])
events = iter(range(99))

def event():
    if next(events) == when:
        os.kill(os.getpid(), signal.SIGKILL)

class Dying(DirectWriter):
    def write(self, path, value, kind):
        event()
        super().write(path, value, kind)

class Forgetful(BoardChanges):
    def forget(self, change_id):
        event()
        return super().forget(change_id)

applied = Applied(fix, place, Dying(place), Forgetful(Path(sys.argv[2])))
applied.apply()
applied.undo()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "when", "is_written"),
    [("FIX", when, 0 < when < 4) for when in range(5)]
    + [("DROP_IN", when, when == 1) for when in range(3)],
)
def test_killed_at_any_write_it_is_known_and_undone(
    place: BoardPlace, tmp_path: Path, name: str, when: int, is_written: bool
) -> None:
    """kill -9 before each write of a fix, before each that puts back, and before the memory is
    cleared."""
    state = tmp_path / "state"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(place.root), str(state), str(when), name], check=False
    )
    assert done.returncode == -signal.SIGKILL
    memory = BoardChanges(state)
    kept, said = in_force(memory, place)
    if is_written:
        assert values(place) != OLD or (place.root / LOG.lstrip("/")).exists()
        undo(kept[0], place, DirectWriter(place), memory)
    else:
        assert kept == ()
        assert "everything is as it was before" in said[0]
    assert values(place) == OLD
    assert not (place.root / LOG.lstrip("/")).exists()
    assert memory.changes() == ()


def test_after_a_reboot_it_is_told_and_forgotten(place: BoardPlace, memory: BoardChanges) -> None:
    Applied(FIX, place, DirectWriter(place), memory).apply()
    tree_files.write({BOOT_ID.lstrip("/"): "second-boot\n"}, place.root)
    kept, said = in_force(memory, place)
    assert kept == ()
    assert said == (
        '"keep it high" is no longer in force: the board was rebooted since, which restored '
        "everything.",
    )
    assert memory.changes() == ()
    # Even where the values happen to be ours.
    assert values(place) == NEW


def test_what_somebody_else_changed_is_left_and_told(
    place: BoardPlace, memory: BoardChanges
) -> None:
    change = Applied(FIX, place, DirectWriter(place), memory).apply()
    (place.root / CPU.lstrip("/")).write_text("powersave\n")
    (kept,), _ = in_force(memory, place)
    undone = undo(kept, place, DirectWriter(place), memory)
    assert values(place) == ("dmc_ondemand", "powersave")
    assert undone.restored == (f"{DDR} is dmc_ondemand again.",)
    assert "is powersave now, which npulse did not write" in undone.left[0]
    assert "before the fix it was ondemand" in undone.left[0]
    memory.remember(change)
    over = in_force(memory, place)
    assert over[0] == ()
    said = over[1]
    assert "another program has changed it since" in said[0]


def test_while_it_is_compared_somebody_else_is_not_overwritten(
    place: BoardPlace, memory: BoardChanges
) -> None:
    applied = Applied(FIX, place, DirectWriter(place), memory)
    applied.apply()
    (place.root / DDR.lstrip("/")).write_text("powersave\n")
    for is_after in (False, True):
        with pytest.raises(FixError, match="another program has changed it"):
            applied.switch(is_after=is_after)
        assert place.read(DDR) == "powersave"
    applied.undo()
    assert values(place) == ("powersave", "ondemand")
    assert memory.changes() == ()


def test_a_board_that_is_no_more_is_forgotten(
    place: BoardPlace, memory: BoardChanges, tmp_path: Path
) -> None:
    Applied(FIX, place, DirectWriter(place), memory).apply()
    other = BoardPlace(tmp_path)
    assert in_force(memory, other) == ((), ())
    assert len(memory.changes()) == 1
    place.root.rename(tmp_path / "elsewhere")
    assert in_force(memory, other) == ((), ())
    assert memory.changes() == ()


@pytest.mark.parametrize("root", ["/" + "a" * 300, "/a\0b", "/dev/null", "/dev/null/x"])
def test_a_board_that_cannot_be_is_forgotten(
    place: BoardPlace, memory: BoardChanges, root: str
) -> None:
    change = Applied(FIX, place, DirectWriter(place), memory).apply()
    memory.remember(msgspec.structs.replace(change, id="x", root=root))
    assert [kept.id for kept in in_force(memory, place)[0]] == [change.id]
    assert [kept.id for kept in memory.changes()] == [change.id]


def test_a_drop_in_is_made_and_removed_and_outlives_a_reboot(
    place: BoardPlace, memory: BoardChanges
) -> None:
    Applied(DROP_IN, place, DirectWriter(place), memory).apply()
    assert (place.root / LOG.lstrip("/")).stat().st_mode & 0o777 == 0o644
    tree_files.write({BOOT_ID.lstrip("/"): "second-boot\n"}, place.root)
    (kept,), _ = in_force(memory, place)
    assert undo(kept, place, DirectWriter(place), memory).restored == (f"{LOG} is removed.",)
    assert not (place.root / LOG.lstrip("/")).parent.exists()


def test_a_failing_command_undoes_the_files(
    place: BoardPlace, memory: BoardChanges, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bin/systemctl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'Access denied' >&2\nexit 4\n")
    program.chmod(0o755)
    monkeypatch.setattr(root_writer, "SAFE_PATH", str(program.parent))
    command: Sequence[str] = ("systemctl", "daemon-reload")
    fix = Fix("runtime-log", "own times", DROP_IN.writes, commands=(tuple(command),))
    with pytest.raises(FixError, match="systemctl daemon-reload failed: Access denied"):
        Applied(fix, place, DirectWriter(place), memory).apply()
    assert not (place.root / LOG.lstrip("/")).exists()
    assert memory.changes() == ()
