"""F5, f: a fix in a real terminal beside the simulated board, whose speed follows its governors."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.npulse import running as npulse
from tests.sim.simulator import running
from tests.terminal.pty_terminal import PtyTerminal
from tui.settings.board_changes import BoardChanges
from tui.sim.server.spawn import Simulator

GOVERNOR = "sys/class/devfreq/dmc/governor"
PROMPT = "[[tokens=100]] tell me about boats"
MODULE = ("tests.app.npulse_with_fixes",)
SUDO = """#!/bin/sh
printf '[sudo] password: ' > /dev/tty
read -r word < /dev/tty
[ "$word" = secret ] || exit 1
exec "$@"
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running("--fault", "ddr-low", "--speed", "25", has_root=True) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def quick_samples(tmp_path: Path) -> None:
    """A finding is shown after three samples."""
    config = tmp_path / "config/npulse/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[board]\ninterval_s = 0.3\n")


def governor(simulator: Simulator) -> str:
    assert simulator.root is not None
    return (simulator.root / GOVERNOR).read_text().strip()


def place(simulator: Simulator) -> tuple[str, ...]:
    return ("--root", str(simulator.root), "--url", simulator.url)


def to_the_question(terminal: PtyTerminal) -> None:
    """Ask, open the fix of what is then found, and wait until the answer is over."""
    terminal.wait_for("● qwen3-4b")
    terminal.type(f"{PROMPT}\r")
    terminal.keys("f5")
    terminal.wait_for("the memory runs at a low clock")
    terminal.keys("f")
    terminal.wait_for("Nothing is changed yet.")
    terminal.wait_for("eight short answers are compared")


def test_it_is_compared_carded_remembered_after_kill_and_undone(
    simulator: Simulator, tmp_path: Path
) -> None:
    with npulse(tmp_path, *place(simulator), size=(80, 24), module=MODULE) as terminal:
        to_the_question(terminal)
        assert governor(simulator) == "dmc_ondemand"
        terminal.keys("y")
        terminal.wait_for("It is in force.")
        found = re.search(r"tok/s \(\+(\d+)", terminal.text())
        assert found is not None, terminal.text()
        assert 100 < int(found[1]) < 140
        assert governor(simulator) == "performance"
        terminal.keys("c")
        terminal.wait_for("the card is in")
        terminal.signal(signal.SIGKILL)
        terminal.wait_gone()
    cards = sorted(path.suffix for path in (tmp_path / "data/npulse/cards").iterdir())
    assert cards == [".md", ".svg"]
    assert governor(simulator) == "performance"
    with npulse(tmp_path, *place(simulator), module=MODULE) as terminal:
        terminal.wait_for("npulse doctor --undo puts it back")
        terminal.keys("f5")
        terminal.wait_for("nothing found that slows a model down")
        terminal.keys("f")
        terminal.wait_for("is in force since")
        terminal.keys("u")
        terminal.wait_for("It is undone.")
        assert governor(simulator) == "dmc_ondemand"
    assert BoardChanges(tmp_path / "state/npulse").changes() == ()


def test_it_waits_for_the_server_that_finishes_a_stopped_answer(
    simulator: Simulator, tmp_path: Path
) -> None:
    with npulse(tmp_path, *place(simulator), size=(80, 24), module=MODULE) as terminal:
        terminal.wait_for("● qwen3-4b")
        terminal.type("[[tokens=2000]] tell me about boats\r")
        terminal.wait_for("ETA")
        terminal.keys("escape")
        terminal.wait_for("still finishing")
        terminal.keys("f5")
        terminal.wait_for("the memory runs at a low clock")
        terminal.keys("f")
        terminal.wait_for("It begins once the server is free: the server still finishes")
        terminal.keys("y")
        terminal.wait_for("Waiting: the server still finishes the stopped answer.")
        terminal.keys("escape")
        terminal.wait_for("f fix")
        assert governor(simulator) == "dmc_ondemand"
        terminal.keys("f")
        terminal.wait_for("Nothing is changed yet.")
        terminal.keys("y")
        terminal.wait_for("change it now")
        terminal.keys("y")
        terminal.wait_for("It is in force.")
        assert "Not measured: The server was busy with another answer" in terminal.text()
        assert governor(simulator) == "performance"
        terminal.keys("u")
        terminal.wait_for("It is undone.")
        assert governor(simulator) == "dmc_ondemand"


def test_sudo_asks_in_the_terminal_and_the_end_puts_back(
    simulator: Simulator, tmp_path: Path
) -> None:
    sudo = tmp_path / "bin/sudo"
    sudo.parent.mkdir()
    sudo.write_text(SUDO)
    sudo.chmod(0o755)
    path = f"{sudo.parent}{os.pathsep}{os.environ['PATH']}"
    env = {"NPULSE_AS_USER": "1", "PATH": path}
    with npulse(tmp_path, *place(simulator), env=env, module=MODULE) as terminal:
        to_the_question(terminal)
        assert "sudo asks for your password in this terminal" in terminal.text()
        terminal.keys("y")
        terminal.wait_for("[sudo] password:")
        terminal.type("wrong\n")
        terminal.wait_for("sudo did not grant root rights")
        assert governor(simulator) == "dmc_ondemand"
        terminal.keys("y")
        terminal.wait_for("[sudo] password:")
        terminal.type("secret\n")
        terminal.wait_for("of 8 answers")
        terminal.wait_for(lambda _: governor(simulator) == "performance")
        terminal.keys("ctrl+q")
        terminal.wait_gone()
    assert governor(simulator) == "dmc_ondemand"
    assert BoardChanges(tmp_path / "state/npulse").changes() == ()
