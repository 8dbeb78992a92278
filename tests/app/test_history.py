"""The history from the dashboard, in a real terminal: an answer is found again and goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.app.test_screens import ask
from tests.sim.simulator import running as simulator

pytestmark = pytest.mark.slow

FAST = ("--decode-tps", "200", "--prefill-tps", "4000", "--speed", "5")


def test_a_conversation_is_found_continued_and_branched(tmp_path: Path) -> None:
    with simulator(*FAST) as board:
        with running(tmp_path, "--url", board.url) as terminal:
            terminal.wait_for("is ready on")
            ask(terminal, "remember the heron [[tokens=20]]", "~20 tokens")
        with running(tmp_path, "--url", board.url) as terminal:
            terminal.wait_for("Ctrl+N for a new one")
            terminal.keys("ctrl+n", "f4")
            terminal.wait_for("1 conversation")
            terminal.type("/heron")
            terminal.wait_for("found for: heron")
            terminal.keys("enter")
            terminal.type("c")
            terminal.wait_for("continuing: remember the heron")
            ask(terminal, "more [[tokens=31]]", "~31 tokens")
            terminal.keys("alt+e")
            terminal.wait_for("> more [[tokens=31]]")
            terminal.keys("backspace", "backspace", "backspace")
            ask(terminal, "3]]", "~33 tokens")
            terminal.keys("f4")
            terminal.wait_for("1 conversation")
            terminal.keys("enter")
            terminal.wait_for("prompt 2 of 2")
            terminal.keys("left")
            terminal.wait_for("prompt 1 of 2")
            terminal.wait_for("more [[tokens=31]]")
            terminal.keys("f4")
            terminal.wait_for("ask the model")
