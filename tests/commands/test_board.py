"""``npulse board`` as a process, with real pipes and signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.board import tree_files, trees

COMMAND = [sys.executable, "-m", "tui", "board"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return tree_files.write(trees.decoding(), tmp_path)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.fixture
def watcher(tree: Path) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [*COMMAND, "--json", "--watch", "--interval", "0.1", "--root", str(tree)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield child
    child.kill()
    child.wait(60)
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()


def test_one_snapshot_has_the_rates_too(tree: Path) -> None:
    done = run("--json", "--root", str(tree))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    readings = json.loads(done.stdout)["readings"]
    assert readings["npu.load"]["value"] == [86, 84, 61]
    assert readings["ddr.load"]["value"] == 62
    assert readings["gpu.load"]["value"] == 0
    assert readings["cpu.load"]["value"] == [0.0] * 8
    assert readings["npu.activity"]["value"] == [0.0, 0.0, 0.0]
    assert readings["npulse.cpu"]["value"] >= 0
    assert readings["npulse.rss"]["value"] > 1 << 20


def test_report_is_plain_lines(tree: Path) -> None:
    done = run("--root", str(tree))
    assert done.returncode == 0
    assert "npu.load" in done.stdout
    assert "86 %, 84 %, 61 %" in done.stdout
    assert "\x1b" not in done.stdout


def test_report_in_an_ascii_locale(tree: Path) -> None:
    done = run("--root", str(tree), PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "64 C" in done.stdout


def test_this_machine_whatever_it_is() -> None:
    done = run("--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["readings"]["ram.total"]["value"] > 0


def test_nothing_at_all_is_no_failure(tmp_path: Path) -> None:
    done = run("--json", "--root", str(tmp_path))
    assert done.returncode == 0
    assert json.loads(done.stdout)["readings"]["ram.total"]["reason"]


@pytest.mark.parametrize("name", ["missing", "file"])
def test_root_that_is_no_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = run("--root", str(tmp_path / name))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_root_with_terminal_commands_in_its_name() -> None:
    done = run("--root", "/no\x1b]0;x\x07where")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "x", "1e99"])
def test_wrong_intervals(seconds: str) -> None:
    done = run("--watch", "--interval", seconds)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def lines(child: subprocess.Popen[str], count: int) -> list[dict[str, Any]]:
    assert child.stdout is not None
    return [json.loads(child.stdout.readline()) for _ in range(count)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watch_ends_cleanly_on_a_signal(watcher: subprocess.Popen[str], number: int) -> None:
    times = [entry["t_ns"] for entry in lines(watcher, 3)]
    assert times == sorted(set(times))
    watcher.send_signal(number)
    rest, errors = watcher.communicate(timeout=60)
    assert (watcher.returncode, errors) == (0, "")
    for line in rest.splitlines():
        json.loads(line)


def test_watch_ends_when_nobody_reads(watcher: subprocess.Popen[str]) -> None:
    lines(watcher, 1)
    assert watcher.stdout is not None
    watcher.stdout.close()
    watcher.stdout = None
    assert watcher.wait(60) == 0
    assert watcher.stderr is not None
    assert watcher.stderr.read() == ""


def test_watch_follows_the_board(tree: Path, watcher: subprocess.Popen[str]) -> None:
    lines(watcher, 1)
    tree_files.write(
        {"sys/kernel/debug/rknpu/load": "NPU load:  Core0: 1%, Core1: 2%,Core2: 3%,\n"}, tree
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        [entry] = lines(watcher, 1)
        readings = entry["readings"]
        assert isinstance(readings, dict)
        if readings["npu.load"]["value"] == [1, 2, 3]:
            return
    pytest.fail("the change was never seen")


def test_report_into_a_closed_pipe(tree: Path) -> None:
    text = f"'{sys.executable}' -m tui board --root '{tree}' | true"
    done = subprocess.run(
        ["sh", "-c", text], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
