"""Where a server's output goes: files, pipes to tee, units; and what is read from there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tui.board.readers.files import Files
from tui.board.runtime_log.blocks import blocks
from tui.board.runtime_log.source import LogSource, find
from tui.board.runtime_log.tail import LogTail

ROWS = (
    "I rkllm:  Prefill       402.36           19        21.18                    47.22\n"
    "I rkllm:  Generate      11874.10         63        188.48                   5.31\n"
)


@pytest.fixture
def process(tmp_path: Path) -> Path:
    """/proc/7 of a tree."""
    folder = tmp_path / "proc/7"
    (folder / "fd").mkdir(parents=True)
    (folder / "environ").write_bytes(b"HOME=/\0RKLLM_LOG_LEVEL=1\0")
    (folder / "cgroup").write_text("0::/user.slice/user-1000.slice/session-3.scope\n")
    return folder


def test_output_into_a_file(tmp_path: Path, process: Path) -> None:
    (process / "fd/1").symlink_to(tmp_path / "nohup.out")
    (tmp_path / "nohup.out").write_text("old\n")
    assert find(Files(tmp_path), 7) == LogSource(
        "file", "/proc/7/fd/1", 7, True, user_path=str(tmp_path / "nohup.out")
    )


def test_a_log_of_the_servers_own_is_called_by_its_path(tmp_path: Path, process: Path) -> None:
    home = tmp_path / "server"
    home.mkdir()
    (home / "api.log").write_text("")
    (process / "cwd").symlink_to(home)
    found = find(Files(tmp_path), 7)
    assert (found.name, found.user_path) == ("/proc/7/cwd/api.log", f"{home}/api.log")


def test_output_through_tee(tmp_path: Path, process: Path) -> None:
    (process / "fd/1").symlink_to("pipe:[4711]")
    tee = tmp_path / "proc/8/fd"
    tee.mkdir(parents=True)
    (tee / "0").symlink_to("pipe:[4711]")
    (tee / "1").symlink_to("/dev/pts/0")
    (tee / "3").symlink_to(tmp_path / "serverlog_1.log")
    (tmp_path / "serverlog_1.log").write_text("")
    assert find(Files(tmp_path), 7).name == "/proc/8/fd/3"


@pytest.mark.parametrize(
    ("cgroup", "kind", "name"),
    [
        ("0::/system.slice/rkllm-api.service\n", "journal", "rkllm-api.service"),
        (
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/rkllama.service\n",
            "user-journal",
            "rkllama.service",
        ),
        (f"0::/system.slice/docker-{'ab' * 32}.scope\n", "docker", "ab" * 32),
        (f"0::/machine.slice/libpod-{'cd' * 32}.scope\n", "podman", "cd" * 32),
        (f"12:cpu:/docker/{'ab' * 32}\n", "docker", "ab" * 32),
        ("0::/user.slice/user-1000.slice/session-3.scope\n", "none", ""),
    ],
)
def test_output_of_a_unit(cgroup: str, kind: str, name: str, tmp_path: Path, process: Path) -> None:
    (process / "cgroup").write_text(cgroup)
    (process / "fd/1").symlink_to("socket:[99]")
    found = find(Files(tmp_path), 7)
    assert (found.kind, found.name) == (kind, name)
    assert (found.reason == "") is (kind != "none")


def test_what_another_user_runs_is_told(tmp_path: Path) -> None:
    found = find(Files(tmp_path), 7)
    assert (found.kind, found.has_variable) == ("none", None)
    assert found.reason == "its output belongs to another user"


def test_a_pipe_is_never_opened(tmp_path: Path, process: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (process / "fd/1").symlink_to(tmp_path / "fifo")
    assert find(Files(tmp_path), 7).kind == "none"


def test_only_what_came_since_the_mark_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(ROWS)
    tail = LogTail(Files(tmp_path), LogSource("file", "/log"))
    tail.mark(0.0)
    assert blocks(tail.lines()) == []
    with log.open("a") as file:
        file.write(ROWS)
    assert len(blocks(tail.lines())) == 1
    log.write_text(ROWS[:10])
    assert [line.text for line in tail.lines()] == [ROWS[:10]], "a rotated log is read anew"
    log.unlink()
    assert tail.lines() == []


def test_the_journal_is_asked_once_and_bounded(tmp_path: Path) -> None:
    asked: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> bytes:
        asked.append(command)
        return b'{"MESSAGE":"hello","__REALTIME_TIMESTAMP":"5000000","_PID":"7"}\nbroken\n'

    tail = LogTail(Files(tmp_path), LogSource("journal", "rkllm.service"), run)
    tail.mark(3.5)
    (line,) = tail.lines()
    assert (line.text, line.time_s, line.pid) == ("hello", 5.0, 7)
    assert "--unit=rkllm.service" in asked[0]
    assert "--since=@3" in asked[0]

    def hangs(command: Sequence[str]) -> bytes:
        raise subprocess.TimeoutExpired(list(command), 3)

    assert LogTail(Files(tmp_path), LogSource("journal", "x"), hangs).lines() == []
