"""Signals and input in a real terminal: it is given back as it was, and no key is lost."""

from __future__ import annotations

import os
import random
import signal
import termios
import time
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.terminal.pty_terminal import PtyTerminal

pytestmark = pytest.mark.slow

ALTERNATE = b"\x1b[?1049h"
MOUSE = b"\x1b[?1000h"
"""What only the framework sends: it has taken the terminal over."""


def is_given_back(terminal: PtyTerminal) -> bool:
    """Whether the terminal echoes again and shows its own screen."""
    flags = termios.tcgetattr(terminal._slave)[3]
    is_cooked = bool(flags & termios.ECHO) and bool(flags & termios.ICANON)
    return is_cooked and terminal.raw.count(ALTERNATE) == terminal.raw.count(b"\x1b[?1049l")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_right_after_the_screen_was_taken_leaves_it_clean(
    tmp_path: Path, number: signal.Signals
) -> None:
    for _ in range(3):
        with running(tmp_path, "--url", "http://127.0.0.1:9") as terminal:
            terminal.wait_for(lambda shown: ALTERNATE in shown.raw, poll=0.001)
            time.sleep(random.uniform(0, 0.03))
            os.kill(terminal.process.pid, number)
            assert terminal.wait_gone() in (128 + number, -number)
            assert is_given_back(terminal)


def test_a_continue_beside_the_end_takes_nothing_over_again(tmp_path: Path) -> None:
    for pause_s in (0.0, 0.01):
        with running(tmp_path, "--url", "http://127.0.0.1:9") as terminal:
            terminal.wait_for(lambda shown: MOUSE in shown.raw, poll=0.01)
            os.kill(terminal.process.pid, signal.SIGTERM)
            time.sleep(pause_s)
            os.kill(terminal.process.pid, signal.SIGCONT)
            assert terminal.wait_gone() == 128 + signal.SIGTERM
            assert is_given_back(terminal)


def test_a_signal_ends_it_while_nobody_reads_the_terminal(tmp_path: Path) -> None:
    with running(tmp_path, "--url", "http://127.0.0.1:9") as terminal:
        terminal.wait_for("F1")
        terminal.read_rate = 1
        for _ in range(6):
            terminal.keys("f1", "escape", pause=0.1)
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.process.wait(60) == 128 + signal.SIGTERM


def test_absurd_replies_end_nothing(tmp_path: Path) -> None:
    with running(tmp_path, "--url", "http://127.0.0.1:9") as terminal:
        terminal.wait_for("F1")
        for reply in (
            b"\x1b[48;40;120;0;0t",
            b"\x1b[<35;10;10M",
            b"\x1b[1114112u",
            b"\x1b[55296u",
            b"\xff\xfe\x80",
        ):
            terminal.send(reply)
        terminal.type("still here")
        terminal.wait_for("still here")
        terminal.keys("ctrl+q")
        assert terminal.wait_gone() == 0


def test_keys_after_a_refused_prompt_stay_and_a_pasted_log_sends_nothing(tmp_path: Path) -> None:
    with running(tmp_path, "--url", "http://127.0.0.1:9") as terminal:
        terminal.wait_for("F1")
        terminal.type("hello\rnext words")
        terminal.wait_for(lambda shown: "hello" in shown.text() and "next words" in shown.text())
        terminal.paste("\x1b[31mred\x1b[0m\x11line\r\nlast of the log\r\n")
        terminal.wait_for("last of the log")
        assert terminal.process.poll() is None
        terminal.keys("ctrl+c", "ctrl+c")
        assert terminal.wait_gone() == 0
