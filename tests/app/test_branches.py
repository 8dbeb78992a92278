"""Branches of the conversation in the dashboard: a real process in a real terminal."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.app.test_dashboard import (
    READY,
    ask,
    in_transcript,
    lacks,
    not_in_transcript,
    shows,
    transcript,
)
from tests.app.test_kept import is_over
from tests.commands.test_ask_history import database
from tests.sim.simulator import running as simulator
from tests.sim.simulator import truth, wait_for_event
from tests.waiting import wait_until
from tui.history import reading
from tui.history.database import open_for_reading

pytestmark = pytest.mark.slow

FAST = ("--decode-tps", "400", "--prefill-tps", "4000")


def chosen(home: Path) -> int | None:
    with closing(open_for_reading(database(home))) as connection:
        return reading.chosen_leaf(connection, 1)


def test_an_answer_asked_again_and_a_prompt_edited_are_walked_through(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with simulator(*FAST, "--truth", str(log)) as board:
        with running(tmp_path, "--url", board.url) as terminal:
            terminal.wait_for(READY)
            ask(terminal, "first [[tokens=41]]")
            terminal.wait_for("~41 tokens")
            ask(terminal, "second [[tokens=52]]")
            terminal.wait_for("~52 tokens")
            terminal.keys("ctrl+r")
            terminal.wait_for("another answer; Alt+P shows the one before")
            terminal.wait_for("answer 2 of 2  ")
            assert transcript(terminal).count("second [[tokens=52]]") == 1
            terminal.keys("alt+e")
            terminal.wait_for("> second [[tokens=52]]")
            terminal.keys(*["backspace"] * 4)
            ask(terminal, "33]]")
            terminal.wait_for(shows(r"prompt 2 of 2 .*~33 tokens"))
            wait_until(lambda: is_over(tmp_path, 7))
            # Both answers of the first version, then around the end.
            terminal.keys("alt+p")
            terminal.wait_for(shows(r"prompt 1 of 2  answer 2 of 2 .*~52 tokens"))
            terminal.wait_for(lacks("~33 tokens"))
            wait_until(lambda: chosen(tmp_path) == 5)
            terminal.keys("tab", "left")
            terminal.wait_for(shows(r"prompt 1 of 2  answer 1 of 2 .*~52 tokens"))
            terminal.keys("left")
            terminal.wait_for(shows(r"prompt 2 of 2 .*~33 tokens"))
            terminal.keys("right")
            terminal.wait_for(shows(r"answer 1 of 2 .*~52 tokens"))
            wait_until(lambda: chosen(tmp_path) == 4)
            # What is asked next follows the answer that is shown.
            terminal.keys("tab")
            ask(terminal, "third [[tokens=14]]")
            terminal.wait_for("~14 tokens")
            wait_until(lambda: is_over(tmp_path, 9))
            terminal.keys("ctrl+q")
            assert terminal.wait_gone() == 0
        with closing(open_for_reading(database(tmp_path))) as connection:
            found = reading.conversation(connection, 1)
            assert found is not None
            assert [turn.id for turn in found.turns] == [1, 2, 3, 4, 8, 9]
        with running(tmp_path, "--url", board.url) as terminal:
            terminal.wait_for("prompt 1 of 2  answer 1 of 2")
            terminal.wait_for("~14 tokens")


def test_one_that_is_not_sent_leaves_the_answer_where_it_was(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator("--decode-tps", "40", "--prefill-tps", "4000", "--truth", str(log)) as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        ask(terminal, "first [[tokens=11]]")
        terminal.wait_for("~11 tokens")
        ask(terminal, "another [[tokens=4000]]")
        wait_for_event(log, "token", 2, 20)
        terminal.keys("escape")
        terminal.wait_for(in_transcript("stopped  "))
        terminal.wait_for("server still finishing")
        # Asked again it waits for the stopped one; taken back, nothing has changed.
        terminal.keys("ctrl+r")
        terminal.wait_for(not_in_transcript("stopped  "))
        terminal.keys("escape")
        terminal.wait_for(in_transcript("stopped  "))
        terminal.wait_for("> another [[tokens=4000]]")
        assert len(truth(log, "request")) == 2


def test_without_a_history_or_branches_the_keys_say_so(tmp_path: Path) -> None:
    with simulator(*FAST) as board, running(tmp_path, "--url", board.url, "--no-store") as terminal:
        terminal.wait_for(READY)
        terminal.keys("alt+p")
        terminal.wait_for("nothing was asked yet")
        ask(terminal, "first [[tokens=41]]")
        terminal.wait_for("~41 tokens")
        terminal.keys("alt+n")
        terminal.wait_for("this conversation is not kept there")
        # What nothing keeps stays on the screen.
        terminal.keys("ctrl+r")
        terminal.wait_for(lambda one: one.text().count("~41 tokens") == 2)
