"""The terminal is told of an answer while it does not have the focus, and left as it was."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.sim.simulator import running as simulator
from tests.terminal.pty_terminal import PtyTerminal

pytestmark = pytest.mark.slow

FOCUS_OUT, FOCUS_IN = b"\x1b[O", b"\x1b[I"
NOTIFY = {"NPULSE_UI__NOTIFY": "bell,osc9,progress,title"}
CLEARED = b"\x1b]9;4;0;0\x1b\\"


def output(terminal: PtyTerminal) -> bytes:
    return b"".join(chunk.data for chunk in terminal.chunks)


def wait_for(terminal: PtyTerminal, is_so: Callable[[bytes], bool], what: str) -> bytes:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if is_so(output(terminal)):
            return output(terminal)
        time.sleep(0.05)
    raise AssertionError(f"{what}; the screen shows\n{terminal.text()}")


def is_in(sequence: bytes) -> Callable[[bytes], bool]:
    return lambda data: sequence in data


def ask(terminal: PtyTerminal, prompt: str) -> None:
    terminal.wait_for("Enter sends")
    terminal.wait_for(lambda now: "no server" not in now.text() and "qwen3-4b" in now.text())
    terminal.type(prompt)
    terminal.wait_for(prompt[:8])
    terminal.type("\r")


def test_an_answer_is_told_only_without_the_focus(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "25", "--prefill-tps", "500") as board,
        running(tmp_path, "--url", board.url, env=NOTIFY) as terminal,
    ):
        ask(terminal, "first [[tokens=10]]")
        terminal.wait_for("10 tokens")
        assert b"\x1b]9;" not in output(terminal)
        ask(terminal, "second [[tokens=80]]")
        terminal.send(FOCUS_OUT)
        wait_for(terminal, is_in(b"\x1b]9;4;"), "no progress came")
        data = wait_for(terminal, is_in(b"\x1b]9;npulse: "), "no notification came")
        assert CLEARED in data
        assert b"answered - npulse" in data
        terminal.send(FOCUS_IN)
        wait_for(terminal, is_in(b"\x1b[23;2t"), "the title was not given back")


def test_a_signal_takes_progress_and_title_back(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "5", "--prefill-tps", "500") as board,
        running(tmp_path, "--url", board.url, env=NOTIFY) as terminal,
    ):
        ask(terminal, "a long one [[tokens=400]]")
        terminal.send(FOCUS_OUT)
        wait_for(terminal, is_in(b"\x1b]9;4;3;"), "no progress came")
        terminal.process.send_signal(signal.SIGTERM)
        terminal.process.wait(20)
        data = wait_for(terminal, is_in(CLEARED), "the progress was left")
        assert data.rindex(CLEARED) > data.rindex(b"\x1b]9;4;3;")
        assert b"\x1b[23;2t" in data


def test_ctrl_z_takes_progress_and_title_back_until_it_goes_on(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "5", "--prefill-tps", "500") as board,
        running(tmp_path, "--url", board.url, env=NOTIFY) as terminal,
    ):
        ask(terminal, "a long one [[tokens=400]]")
        terminal.send(FOCUS_OUT)
        wait_for(terminal, is_in(b"\x1b]9;4;3;"), "no progress came")
        terminal.process.send_signal(signal.SIGTSTP)
        data = wait_for(terminal, is_in(CLEARED), "the progress was left")
        assert b"\x1b[23;2t" in data
        known = len(data)
        terminal.process.send_signal(signal.SIGCONT)
        wait_for(terminal, lambda data: b"\x1b]9;4;" in data[known:], "no progress came again")


def test_nothing_is_told_where_it_was_not_asked_for(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "100", "--prefill-tps", "500") as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        ask(terminal, "first [[tokens=20]]")
        terminal.send(FOCUS_OUT)
        terminal.wait_for("20 tokens")
        assert b"\x1b]9;" not in output(terminal)
        assert b"\x1b[22;2t" not in output(terminal)


def test_keys_plan_a_stop(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "20", "--prefill-tps", "500") as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        ask(terminal, "a long one [[tokens=900]]")
        terminal.wait_for("after 50 tokens")
        terminal.send(b"\x1bm")
        terminal.wait_for("stops in ")
        terminal.wait_for("stopped at ")
