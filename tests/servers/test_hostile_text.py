"""Foreign text of every kind of repetition: the work grows with its length, not with its square."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from tempfile import NamedTemporaryFile

import pytest

from tests.growth import grows_with_the_square
from tests.servers.requests import decoded, new_turn
from tui.board.runtime_log.blocks import LogLine, blocks, load_facts
from tui.board.runtime_log.containers import container_of_cgroup, container_of_port
from tui.board.runtime_log.tail import journal_line
from tui.core.turn.estimate import token_weight
from tui.core.turn.think import ThinkSplitter
from tui.core.types import CleanText, TextDelta
from tui.history.import_documents import NotUnderstoodError, read
from tui.servers.content_coding import compression
from tui.servers.dialects import openai
from tui.servers.dialects.error_text import body_message, html_message
from tui.servers.dialects.names import context_in_name, quantisation_in_name
from tui.servers.tokenizer import TokenizerError, load_counter

WHOLE = 1 << 16
FLOOR_NS = 40_000_000
UNITS = (
    "<", ">", "<title", "<title>", "</title", "<script", "<style>", "</", "<!--", "a ", " ", "\n",
    "`", "```", "```\n", "~~~\n", "` ", "<think>", "</think>", "<th", "{", "[", '{"', "[\n", "}",
    '"', "\\", ":", "data:", "data: ", "data: {\n", "error:", "\r", "\r\n", "\u0301", "0", "q4",
    "9k", "é", "汉", "data: {}\n", "Error ", "w8a8", "{}\n", "data: {}", "[DONE]",
    "I rkllm: ", "Prefill 1 ", "Prefill  1 1 1 1\n", "{'prefill_time_ms': 1", "[a] Perf: prefill=",
    "Enabled cpus: [1, ", "rkllm-toolkit version: 1", "E RKNN: ", "docker-0123456789ab", "0123 ",
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


def _log(text: str) -> None:
    for lines in ([LogLine(text)], [LogLine(line) for line in text.split("\n")]):
        blocks(lines)
        load_facts(lines)


def _conversations(text: str) -> None:
    with suppress(NotUnderstoodError):
        read(text.encode())


def _exported(text: str) -> object:
    """Exports of the three programs, with this text wherever one can stand."""
    turn = {"id": text, "parent": text, "role": "user", "text": text, "numbers": {text: text}}
    return {
        "format": "npulse-history/1",
        "conversations": [{"uid": text, "title": text, "turns": [turn], "tags": [text]}],
    }


def _tokenizer_file(text: str) -> None:
    with NamedTemporaryFile("w", encoding="utf-8", suffix=".json") as file:
        file.write(text)
        file.flush()
        with suppress(TokenizerError):
            load_counter(file.name)


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
    "log of the runtime": _log,
    "line of a journal": lambda text: journal_line(text.encode()),
    "message of a journal": lambda text: journal_line(json.dumps({"MESSAGE": text}).encode()),
    "cgroup": container_of_cgroup,
    "containers": lambda text: container_of_port(8080, lambda _: text.encode()),
    "conversations": _conversations,
    "conversation of a file": lambda text: _conversations(json.dumps(_exported(text))),
    "tokenizer file": _tokenizer_file,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
def test_twice_the_text_is_not_four_times_the_work(name: str) -> None:
    for unit in UNITS:
        assert not grows_with_the_square(PARSERS[name], unit * (WHOLE // len(unit)), FLOOR_NS), unit


@pytest.mark.slow
def test_a_parser_that_takes_four_times_as_long_is_found() -> None:
    def quadratic(text: str) -> int:
        return sum(len(text[at:].split("x")) for at in range(len(text)))

    assert grows_with_the_square(quadratic, "<" * 20_000, FLOOR_NS)
