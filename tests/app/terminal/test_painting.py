"""Nothing is drawn without the focus, little with low bandwidth, and everything is right again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.terminal.pty_terminal import PtyTerminal

pytestmark = pytest.mark.slow

FOCUS_LOST, FOCUS = b"\x1b[O", b"\x1b[I"
PAUSED = "not drawn while the terminal is not in focus"


def bytes_in(terminal: PtyTerminal, seconds: float) -> int:
    before = terminal.bytes_out
    time.sleep(seconds)
    return terminal.bytes_out - before


def wait_quiet(terminal: PtyTerminal) -> None:
    """Until nothing is written for longer than a sample of the board takes to come."""
    terminal.wait_for(lambda shown: bytes_in(shown, 1.6) == 0)


def test_without_the_focus_nothing_is_drawn_and_all_of_it_with_the_focus(tmp_path: Path) -> None:
    with running(tmp_path, "--demo", "--speed", "4") as terminal:
        terminal.wait_for("is ready on")
        terminal.type("hello")
        terminal.keys("enter")
        terminal.wait_for("tok/s")
        terminal.send(FOCUS_LOST)
        terminal.wait_for(PAUSED)
        wait_quiet(terminal)
        still = terminal.text()
        terminal.send(FOCUS)
        terminal.wait_for(lambda shown: PAUSED not in shown.text())
        assert terminal.text() != still
        terminal.send(b"next")
        terminal.wait_for("> next")


def test_a_new_size_and_a_key_are_drawn_without_the_focus_too(tmp_path: Path) -> None:
    with running(tmp_path, "--demo") as terminal:
        terminal.wait_for("is ready on")
        terminal.send(FOCUS_LOST)
        terminal.wait_for(PAUSED)
        wait_quiet(terminal)
        terminal.resize(90, 30)
        terminal.wait_for(lambda shown: PAUSED in shown.text().splitlines()[29])
        wait_quiet(terminal)
        terminal.send(b"x")
        terminal.wait_for("> x")


def test_without_focus_reports_of_use_it_can_be_switched_off(tmp_path: Path) -> None:
    env = {"NPULSE_UI__PAUSE_WITHOUT_FOCUS": "false"}
    with running(tmp_path, "--demo", env=env) as terminal:
        terminal.wait_for("is ready on")
        terminal.send(FOCUS_LOST)
        before = terminal.bytes_out
        time.sleep(2.5)
        assert PAUSED not in terminal.text()
        terminal.wait_for(lambda shown: shown.bytes_out > before)


def test_over_a_thin_line_keys_are_drawn_at_once_and_the_rest_is_seldom(tmp_path: Path) -> None:
    with running(tmp_path, "--demo", "--low-bandwidth", "--speed", "2") as terminal:
        terminal.wait_for("is ready on")
        terminal.send(b"hello")
        terminal.wait_for("> hello")
        terminal.keys("enter")
        terminal.wait_for("tok/s")
        time.sleep(1.5)
        pauses = [
            (after.t_ns - before.t_ns) / 1e9
            for before, after in zip(terminal.chunks[-200:], terminal.chunks[-199:], strict=False)
        ]
        terminal.wait_for(lambda shown: bytes_in(shown, 2.0) == 0)
        assert pauses
        terminal.send(b"and")
        terminal.wait_for("> and")
