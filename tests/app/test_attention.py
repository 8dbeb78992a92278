"""The terminal is told of an answer while it does not have the focus, and left as it was."""

from __future__ import annotations

import signal
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
TITLE_GIVEN_BACK = b"\x1b[23;2t"


def wrote(*sequences: bytes) -> Callable[[PtyTerminal], bool]:
    return lambda terminal: all(sequence in terminal.raw for sequence in sequences)


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
        assert b"\x1b]9;" not in terminal.raw
        ask(terminal, "second [[tokens=80]]")
        terminal.send(FOCUS_OUT)
        terminal.wait_for(wrote(b"\x1b]9;4;"))
        terminal.wait_for(wrote(b"\x1b]9;npulse: ", CLEARED, b"answered - npulse"))
        terminal.send(FOCUS_IN)
        terminal.wait_for(wrote(TITLE_GIVEN_BACK))


def test_a_signal_takes_progress_and_title_back(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "5", "--prefill-tps", "500") as board,
        running(tmp_path, "--url", board.url, env=NOTIFY) as terminal,
    ):
        ask(terminal, "a long one [[tokens=400]]")
        terminal.send(FOCUS_OUT)
        terminal.wait_for(wrote(b"\x1b]9;4;3;"))
        terminal.process.send_signal(signal.SIGTERM)
        terminal.process.wait(60)
        terminal.wait_for(wrote(CLEARED, TITLE_GIVEN_BACK))
        assert terminal.raw.rindex(CLEARED) > terminal.raw.rindex(b"\x1b]9;4;3;")


def test_ctrl_z_takes_progress_and_title_back_until_it_goes_on(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "5", "--prefill-tps", "500") as board,
        running(tmp_path, "--url", board.url, env=NOTIFY) as terminal,
    ):
        ask(terminal, "a long one [[tokens=400]]")
        terminal.send(FOCUS_OUT)
        terminal.wait_for(wrote(b"\x1b]9;4;3;"))
        terminal.process.send_signal(signal.SIGTSTP)
        terminal.wait_stopped()
        terminal.wait_for(wrote(CLEARED, TITLE_GIVEN_BACK))
        known = len(terminal.raw)
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for(lambda now: b"\x1b]9;4;" in now.raw[known:])


def test_nothing_is_told_where_it_was_not_asked_for(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "100", "--prefill-tps", "500") as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        ask(terminal, "first [[tokens=20]]")
        terminal.send(FOCUS_OUT)
        terminal.wait_for("20 tokens")
        assert b"\x1b]9;" not in terminal.raw
        assert b"\x1b[22;2t" not in terminal.raw


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
