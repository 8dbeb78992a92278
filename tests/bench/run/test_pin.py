"""Governors are held only for the run, and put back whatever happens to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.runs_of import suite_of, told
from tui.bench.run.pin import STATE_FILE, Pin, governors
from tui.bench.store.runs import RunError
from tui.sim.server.spawn import spawn

WORDS = {
    "sys/class/devfreq/fdab0000.npu/governor": "rknpu_ondemand",
    "sys/class/devfreq/dmc/governor": "dmc_ondemand",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "schedutil",
    "sys/devices/system/cpu/cpufreq/policy4/scaling_governor": "ondemand",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for path, word in WORDS.items():
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text(word + "\n")
    return root


def state_of(root: Path) -> dict[str, str]:
    return {path: (root / path).read_text().strip() for path in WORDS}


def test_held_and_put_back(tree: Path, tmp_path: Path) -> None:
    pin = Pin(tmp_path, tree)
    said = pin.take()
    assert set(state_of(tree).values()) == {"performance"}
    assert "dmc was dmc_ondemand" in said
    assert (tmp_path / STATE_FILE).is_file()
    assert pin.restore() == []
    assert state_of(tree) == WORDS
    assert not (tmp_path / STATE_FILE).exists()
    assert pin.restore() == []


def test_a_killed_run_is_put_back_by_the_next(tree: Path, tmp_path: Path) -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom tui.bench.run.pin import Pin\n"
        "Pin(Path(sys.argv[1]), Path(sys.argv[2])).take()\nos.kill(os.getpid(), 9)\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), str(tree)],
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert set(state_of(tree).values()) == {"performance"}
    assert Pin(tmp_path, tree).recover() == []
    assert state_of(tree) == WORDS


def test_a_run_that_lives_is_left_alone(tree: Path, tmp_path: Path) -> None:
    first = Pin(tmp_path, tree)
    first.take()
    assert Pin(tmp_path, tree).recover() == []
    assert set(state_of(tree).values()) == {"performance"}
    first.restore()


def test_what_cannot_be_held_is_refused_and_undone(tree: Path, tmp_path: Path) -> None:
    locked = tree / "sys/devices/system/cpu/cpufreq/policy4/scaling_governor"
    locked.unlink()
    locked.symlink_to("/proc/version")
    with pytest.raises(RunError, match="needs root"):
        Pin(tmp_path, tree).take()
    words = state_of(tree)
    assert words["sys/class/devfreq/dmc/governor"] == "dmc_ondemand"
    with pytest.raises(RunError, match="no governor"):
        Pin(tmp_path, tmp_path / "empty").take()
    assert governors(tmp_path / "empty") == []


@pytest.mark.parametrize("text", ["", "[]", '{"pid": "x"}', '{"governors": 1, "pid": 1}'])
def test_a_damaged_state_file_does_no_harm(tmp_path: Path, text: str) -> None:
    (tmp_path / STATE_FILE).write_text(text)
    assert Pin(tmp_path, None).recover() == []


async def test_a_pinned_run(tmp_path: Path) -> None:
    with spawn(["--speed", "60"], has_root=True) as running:
        assert running.root is not None
        place = running.root / "sys/class/devfreq/dmc/governor"
        before = place.read_text()
        found = await told(suite_of("x"), tmp_path, running.url, root=running.root, pins=True)
        assert place.read_text().strip() == before.strip() == "dmc_ondemand"
    assert found.loaded is not None
    notes = found.loaded.document.run.notes
    assert any("governors held at performance" in note for note in notes)
    # What the environment says is what was there while it was measured.
    assert found.loaded.document.env.clocks.dmc.gov == "performance"
