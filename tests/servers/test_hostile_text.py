"""Foreign text of every kind of repetition: the work grows with its length, not with its square."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.growth import grows_with_the_square
from tests.servers.requests import decoded, new_turn
from tui.core.text.sanitize import CleanText
from tui.core.turn.estimate import token_weight
from tui.core.turn.think import ThinkSplitter
from tui.core.types import TextDelta
from tui.servers.content_coding import compression
from tui.servers.dialects import openai
from tui.servers.dialects.error_text import body_message, html_message
from tui.servers.dialects.names import context_in_name, quantisation_in_name

WHOLE = 1 << 16
FLOOR_NS = 40_000_000
UNITS = (
    "<", ">", "<title", "<title>", "</title", "<script", "<style>", "</", "<!--", "a ", " ", "\n",
    "`", "```", "```\n", "~~~\n", "` ", "<think>", "</think>", "<th", "{", "[", '{"', "[\n", "}",
    '"', "\\", ":", "data:", "data: ", "data: {\n", "error:", "\r", "\r\n", "\u0301", "0", "q4",
    "9k", "é", "汉", "data: {}\n", "Error ", "w8a8", "{}\n", "data: {}", "[DONE]",
)  # fmt: skip


def _think(text: str) -> None:
    splitter = ThinkSplitter()
    for at in range(0, len(text), 1024):
        splitter.feed(CleanText(text[at : at + 1024]))
    splitter.flush()


def _stream(text: str) -> None:
    data = text.encode()
    decoded(openai.DIALECT, [data[at : at + 1024] for at in range(0, len(data), 1024)])


def _turn(text: str) -> None:
    turn = new_turn()
    for at in range(0, len(text), 1024):
        turn.feed(turn.t0_ns + 1, [TextDelta(text[at : at + 1024])])
    turn.end_of_stream(turn.t0_ns + 2)


PARSERS: dict[str, Callable[[str], object]] = {
    "page": html_message,
    "page body": lambda text: body_message(text, "text/html"),
    "body": lambda text: body_message(text, "application/json"),
    "think": _think,
    "stream": _stream,
    "event": lambda text: _stream("data: " + text),
    "body of an answer": lambda text: _stream("{" + text),
    "turn": _turn,
    "estimate": token_weight,
    "quantisation": quantisation_in_name,
    "context": context_in_name,
    "coding": compression,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
def test_twice_the_text_is_not_four_times_the_work(name: str) -> None:
    for unit in UNITS:
        assert not grows_with_the_square(PARSERS[name], unit * (WHOLE // len(unit)), FLOOR_NS), unit


def test_a_parser_that_takes_four_times_as_long_is_found() -> None:
    def quadratic(text: str) -> int:
        return sum(len(text[at:].split("x")) for at in range(len(text)))

    assert grows_with_the_square(quadratic, "<" * 20_000, FLOOR_NS)
