"""A new conversation can be undone until it has its first prompt: on the screen and for the
server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.app.test_dashboard import READY, ask, in_transcript, lacks, not_in_transcript, transcript
from tests.sim.simulator import running as simulator
from tests.sim.simulator import truth, wait_for_event

pytestmark = pytest.mark.slow

OFFER = "a new conversation; Ctrl+Z brings the old one back"


def test_the_old_conversation_comes_back_whole(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator("--decode-tps", "400", "--prefill-tps", "4000", "--truth", str(log)) as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        ask(terminal, "the first question [[tokens=40]]")
        terminal.wait_for("~40 tokens")
        terminal.type("a draft")
        terminal.keys("ctrl+n")
        terminal.wait_for(OFFER)
        terminal.wait_for(not_in_transcript("the first question"))
        # Pressed twice, it still holds the one that had something in it.
        terminal.keys("ctrl+n")
        # What was written since is undone first.
        terminal.type("!")
        terminal.wait_for("> a draft!")
        terminal.keys("ctrl+z")
        terminal.wait_for(lacks("a draft!"))
        terminal.wait_for(not_in_transcript("the first question"))
        terminal.keys("ctrl+z")
        terminal.wait_for(in_transcript("the first question"))
        terminal.wait_for("~40 tokens")
        terminal.wait_for("> a draft")
        terminal.keys("enter")
        wait_for_event(log, "request", 2)
        first, second = (event["prompt_tokens"] for event in truth(log, "request"))
        assert second > first + 40


def test_a_prompt_of_the_new_one_ends_the_old_one(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator("--decode-tps", "400", "--prefill-tps", "4000", "--truth", str(log)) as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        terminal.keys("ctrl+n")
        terminal.wait_for("a new conversation")
        terminal.wait_for(lacks("brings the old one back"))
        ask(terminal, "the first question [[tokens=40]]")
        terminal.wait_for("~40 tokens")
        terminal.keys("ctrl+n")
        terminal.wait_for(OFFER)
        ask(terminal, "another question [[tokens=30]]")
        terminal.wait_for("~30 tokens")
        terminal.keys("ctrl+z")
        terminal.wait_quiet(0.3, 3)
        assert "the first question" not in transcript(terminal)
        ask(terminal, "more [[tokens=20]]")
        wait_for_event(log, "request", 3)
        sizes = [event["prompt_tokens"] for event in truth(log, "request")]
        assert sizes[1] < sizes[0] + 5
        assert sizes[2] < sizes[0] + 60
