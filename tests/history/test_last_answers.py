"""The answers that were stored last, and how this run's own come among them."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from tests.history.made import add_exchange, opened
from tui.app.last_answers import LastAnswers
from tui.core.turn.turn import Turn
from tui.core.types import ChatRequest, GenerationSettings, Message, TextDelta
from tui.history.browser import HistoryBrowser
from tui.history.database import FILE_NAME

NS = 1_000_000_000


def ended_turn(prompt: str) -> Turn:
    request = ChatRequest("qwen3-4b", (Message("user", prompt),), GenerationSettings())
    turn = Turn(request, 0, "token", 16384)
    turn.accepted(1)
    for number in range(20):
        turn.feed(NS + number * NS // 4, [TextDelta("word ")])
    turn.stop(6 * NS)
    return turn


def test_they_come_from_all_conversations_the_newest_first(tmp_path: Path) -> None:
    connection = opened(tmp_path)
    for prompt in ("one", "two\nlines", "three"):
        add_exchange(connection, prompt, "an answer")
    connection.close()
    latest = LastAnswers(lambda: HistoryBrowser(tmp_path / FILE_NAME))
    latest.show(latest.read())
    assert [one.prompt for one in latest.answers] == ["three", "two lines", "one"]
    assert {one.rate_tps for one in latest.answers} == {3.125}
    assert all(one.number for one in latest.answers)
    assert len(latest.conversations) == 3


def test_an_answer_of_this_run_stands_there_once_also_when_it_is_stored(tmp_path: Path) -> None:
    latest = LastAnswers(lambda: HistoryBrowser(tmp_path / FILE_NAME))
    latest.show(latest.read())
    turn = ended_turn("mine")
    for _ in range(2):
        latest.ended(turn, 6 * NS)
    assert [one.prompt for one in latest.answers] == ["mine"]
    own = latest.answers[0]
    assert latest.number_of(own) is None
    connection = opened(tmp_path)
    asked_ms = time.time_ns() // 1_000_000 - 6000
    add_exchange(connection, "mine", "word word", created_ms=asked_ms)
    connection.close()
    latest.show(latest.read())
    assert [one.prompt for one in latest.answers] == ["mine"]
    assert latest.answers[0].number is not None
    # One that was on the screen before the history was read is still found there.
    assert latest.number_of(own) == latest.answers[0].number
    assert latest.number_of(replace(own, prompt="another")) is None
    assert latest.number_of(replace(own, asked_ms=None)) is None


def test_where_nothing_is_kept_nothing_is_read() -> None:
    latest = LastAnswers(lambda: None)
    assert latest.read() == ([], [])
