"""Governors are held only for the run, and put back whatever happens to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.app.npulse import environment
from tests.bench.runs_of import suite_of, told
from tests.waiting import wait_until
from tui.bench.run.runner import run
from tui.bench.store.runs import RunError
from tui.commands.doctor import main
from tui.fixes.change import BoardPlace, FixError
from tui.fixes.old_pin import FILE as OLD_FILE
from tui.fixes.pin import Pin, governors
from tui.fixes.session import in_force
from tui.settings.board_changes import BoardChanges
from tui.sim.server.spawn import spawn

WORDS = {
    "/sys/class/devfreq/dmc/governor": "dmc_ondemand",
    "/sys/class/devfreq/fdab0000.npu/governor": "rknpu_ondemand",
    "/sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "schedutil",
    "/sys/devices/system/cpu/cpufreq/policy4/scaling_governor": "ondemand",
}
DDR, NPU, LITTLE, BIG = WORDS


@pytest.fixture
def place(tmp_path: Path) -> BoardPlace:
    root = tmp_path / "tree"
    for path, word in WORDS.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True)
        file.write_text(word + "\n")
    return BoardPlace(root)


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BoardChanges:
    """That of this user, with a home of its own."""
    for name, value in environment(tmp_path / "home").items():
        if name.startswith("XDG") and value is not None:
            monkeypatch.setenv(name, value)
    return BoardChanges()


def words_of(place: BoardPlace) -> dict[str, str | None]:
    return {path: place.read(path) for path in WORDS}


def test_held_and_put_back(place: BoardPlace, memory: BoardChanges) -> None:
    pin = Pin(place, memory)
    said = pin.take()
    assert set(words_of(place).values()) == {"performance"}
    assert "dmc was dmc_ondemand" in said
    assert [change.rule for change in memory.changes()] == ["pin"]
    assert pin.restore() == []
    assert words_of(place) == WORDS
    assert memory.changes() == ()
    assert pin.restore() == []


def test_what_is_there_already_is_nothing_to_put_back(
    place: BoardPlace, memory: BoardChanges
) -> None:
    for path in WORDS:
        (place.root / path.lstrip("/")).write_text("performance\n")
    pin = Pin(place, memory)
    assert "dmc was performance" in pin.take()
    assert memory.changes() == ()
    assert pin.restore() == []


KILLED = """
import os, signal, sys
from pathlib import Path
from tui.fixes import applying, pin
from tui.fixes.change import BoardPlace
from tui.settings.board_changes import BoardChanges

when = int(sys.argv[2])

class Dying(pin.DirectWriter):
    count = 0
    def write(self, path, value, kind):
        if Dying.count == when:
            os.kill(os.getpid(), signal.SIGKILL)
        Dying.count += 1
        super().write(path, value, kind)

pin.DirectWriter = Dying
held = pin.Pin(BoardPlace(Path(sys.argv[1])), BoardChanges())
held.take()
if when == 4:
    os.kill(os.getpid(), signal.SIGKILL)
held.restore()
"""


def killed_at(place: BoardPlace, when: int) -> None:
    """A run that is killed before its write of that number: four that hold, four that restore."""
    command = [sys.executable, "-c", KILLED, str(place.root), str(when)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("when", [0, 1, 4, 7])
def test_a_killed_run_is_put_back_by_the_next(
    place: BoardPlace, memory: BoardChanges, when: int
) -> None:
    killed_at(place, when)
    assert (words_of(place) == WORDS) is (when == 0)
    assert Pin(place, memory).recover() == []
    assert words_of(place) == WORDS
    assert memory.changes() == ()


def test_the_doctor_says_so_and_undoes_it(
    place: BoardPlace, memory: BoardChanges, capsys: pytest.CaptureFixture[str]
) -> None:
    killed_at(place, 4)
    where = ("--root", str(place.root), "--url", "http://127.0.0.1:9")
    main(["--json", *where])
    checks = {check["id"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert "that benchmark was killed" in checks["changes.pin"]["detail"]
    assert checks["changes.pin"]["command"] == "npulse doctor --undo"
    assert main(["--undo", "--yes", *where]) == 0
    assert f"{DDR} is dmc_ondemand again." in capsys.readouterr().out
    assert words_of(place) == WORDS
    assert memory.changes() == ()


def test_a_run_that_lives_is_left_alone(
    place: BoardPlace, memory: BoardChanges, capsys: pytest.CaptureFixture[str]
) -> None:
    first = Pin(place, memory)
    first.take()
    assert Pin(place, memory).recover() == []
    assert set(words_of(place).values()) == {"performance"}
    kept, said = in_force(memory, place)
    assert kept == ()
    assert f"while a benchmark (pid {os.getpid()}) runs, which puts it back" in said[0]
    assert main(["--undo", "--yes", "--root", str(place.root)]) == 0
    assert set(words_of(place).values()) == {"performance"}
    printed = capsys.readouterr().out
    assert "which puts it back" in printed
    assert "Nothing is to be undone." in printed
    assert first.restore() == []
    assert words_of(place) == WORDS


def test_what_cannot_be_held_is_refused_and_undone(
    place: BoardPlace, memory: BoardChanges, tmp_path: Path
) -> None:
    locked = place.root / BIG.lstrip("/")
    locked.unlink()
    locked.symlink_to("/proc/version")
    with pytest.raises(RunError, match="needs root"):
        Pin(place, memory).take()
    assert place.read(DDR) == "dmc_ondemand"
    assert memory.changes() == ()
    nowhere = BoardPlace(tmp_path / "empty")
    with pytest.raises(RunError, match="no governor"):
        Pin(nowhere, memory).take()
    assert governors(nowhere) == []


def test_somebody_else_is_not_overwritten(place: BoardPlace, memory: BoardChanges) -> None:
    pin = Pin(place, memory)
    pin.take()
    (place.root / DDR.lstrip("/")).write_text("powersave\n")
    (said,) = pin.restore()
    assert "is powersave now, which npulse did not write" in said
    assert words_of(place) == {**WORDS, DDR: "powersave"}
    assert memory.changes() == ()


@pytest.fixture
def ended_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_an_older_npulse_held_is_put_back(
    place: BoardPlace, tmp_path: Path, memory: BoardChanges, ended_pid: int
) -> None:
    """Its file is taken over once, and is then gone."""
    held = {str(place.root / path.lstrip("/")): word for path, word in WORDS.items()}
    for path in held:
        Path(path).write_text("performance\n")
    runs = tmp_path / "runs"
    runs.mkdir()
    old = runs / OLD_FILE
    memory = BoardChanges(runs=runs)
    old.write_text(json.dumps({"pid": os.getpid(), "governors": held}))
    assert memory.changes() == ()
    assert old.exists()
    old.write_text(json.dumps({"pid": ended_pid, "governors": held}))
    # As if killed before the old file was removed.
    text = old.read_text()
    assert len(memory.changes()) == 1
    stamp_ns = int(memory.changes()[0].time_s * 1e9)
    old.write_text(text)
    os.utime(old, ns=(stamp_ns, stamp_ns))
    (change,) = memory.changes()
    assert not old.exists()
    assert change.root == str(place.root)
    assert Pin(place, memory).recover() == []
    assert words_of(place) == WORDS
    assert memory.changes() == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"pid": "x"}',
        '{"governors": 1, "pid": 1}',
        '{"governors": {"/etc/sys/passwd": "x"}, "pid": 99999999}',
        '{"governors": {"/sys/power/state": "mem"}, "pid": 99999999}',
        '{"governors": {"/sys/class/devfreq/dmc/governor": "a\\nb"}, "pid": 99999999}',
    ],
)
def test_a_damaged_file_does_no_harm(memory: BoardChanges, tmp_path: Path, text: str) -> None:
    (tmp_path / OLD_FILE).write_text(text)
    memory = BoardChanges(runs=tmp_path)
    assert memory.changes() == ()
    assert Pin(BoardPlace(tmp_path), memory).recover() == []
    assert (tmp_path / OLD_FILE).read_text() == text


def test_without_a_memory_nothing_is_held(place: BoardPlace, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    memory = BoardChanges(tmp_path / "state", tmp_path)
    with pytest.raises(RunError, match="without it nothing is changed"):
        Pin(place, memory).take()
    assert words_of(place) == WORDS
    with pytest.raises(FixError):
        memory.forget("x")


async def test_a_pinned_run(tmp_path: Path, memory: BoardChanges) -> None:
    with spawn(["--speed", "60"], has_root=True) as running:
        assert running.root is not None
        place = running.root / "sys/class/devfreq/dmc/governor"
        before = place.read_text()
        pin = Pin(BoardPlace(running.root), memory)
        found = await told(
            suite_of("x"),
            tmp_path,
            running.url,
            root=running.root,
            pins=True,
            run_suite=partial(run, governors=pin),
        )
        assert place.read_text().strip() == before.strip() == "dmc_ondemand"
    assert memory.changes() == ()
    assert found.loaded is not None
    notes = found.loaded.document.run.notes
    assert any("governors held at performance" in note for note in notes)
    # What the environment says is what was there while it was measured.
    assert found.loaded.document.env.clocks.dmc.gov == "performance"


@pytest.mark.slow
def test_a_killed_benchmark_is_undone_by_the_doctor(
    memory: BoardChanges, capsys: pytest.CaptureFixture[str]
) -> None:
    with spawn(["--speed", "20"], has_root=True) as simulator:
        assert simulator.root is not None
        place = BoardPlace(simulator.root)
        before = {path: place.read(path) for path in governors(place)}
        where = ("--root", str(simulator.root), "--url", simulator.url)
        command = [sys.executable, "-m", "tui", "bench", "run", "prompts", "--pin", "--force"]
        with subprocess.Popen(
            [*command, "--ui", "plain", *where],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            wait_until(lambda: place.read(DDR) == "performance")
            process.kill()
        assert main(["--undo", "--yes", *where]) == 0
        assert {path: place.read(path) for path in governors(place)} == before
    assert "that benchmark was killed" in capsys.readouterr().out
    assert memory.changes() == ()
