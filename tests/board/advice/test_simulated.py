"""Commands of a simulated board write to its own files."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tui.board.advice.simulated import commands_below
from tui.core.board.finding import Command, Finding


def finding(command: str | None) -> Finding:
    return Finding("x", "x", "x", "x", None if command is None else Command(command))


def test_what_writes_to_sys_writes_below_the_root_without_sudo(tmp_path: Path) -> None:
    root = tmp_path / "a board"
    for name in ("one", "two"):
        (root / "sys" / name).mkdir(parents=True)
    (found,) = commands_below([finding("echo 7 | sudo tee /sys/one/f /sys/two/f")], root)
    assert found.command is not None
    subprocess.run(found.command, shell=True, check=True, stdout=subprocess.DEVNULL)
    assert (root / "sys/one/f").read_text() == (root / "sys/two/f").read_text() == "7\n"


def test_other_commands_stay_as_they_are() -> None:
    given = [finding("npulse models unload"), finding(None), finding("taskset -acp 0 7")]
    assert list(commands_below(given, Path("/tmp/x"))) == given
