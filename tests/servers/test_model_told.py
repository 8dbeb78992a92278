"""Which model an answer is from: what the server says in its stream, or what it was asked for."""

from __future__ import annotations

import asyncio
import json
from time import perf_counter_ns

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import waiting
from tests.core.hostile import raw_controls
from tests.servers.requests import new_turn, request
from tests.sim.simulator import running as simulator
from tui.core.turn.result import result_of
from tui.core.types import ModelInfo
from tui.servers.connection import Connection
from tui.servers.dialects import llama_cpp, ollama, openai, rockchipllama
from tui.servers.dialects.dialect import Dialect
from tui.servers.dialects.rockchipllama import smallest


def chunk(model: object) -> bytes:
    value = {"model": model, "choices": [{"index": 0, "delta": {"content": "a"}}]}
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def line(model: object) -> bytes:
    value = {"model": model, "message": {"role": "assistant", "content": "a"}, "done": False}
    return json.dumps(value).encode() + b"\n"


def told(dialect: Dialect, *pieces: bytes) -> str:
    turn = new_turn()
    decoder = dialect.decoder(request())
    turn.accepted(perf_counter_ns())
    for piece in pieces:
        turn.feed(perf_counter_ns(), decoder.feed(piece))
    turn.feed(perf_counter_ns(), decoder.close())
    assert turn.text == "a" * len(pieces)
    assert result_of(turn, perf_counter_ns(), None).to_json_dict()["model"] == turn.model
    return turn.model


@pytest.mark.parametrize("dialect", [openai.DIALECT, llama_cpp.DIALECT])
def test_the_first_name_in_the_stream_is_the_one(dialect: Dialect) -> None:
    assert told(dialect, chunk("gemma3-1b"), chunk("other")) == "gemma3-1b"
    assert told(dialect, chunk(None), chunk("gemma3-1b")) == "gemma3-1b"


def test_so_it_is_in_lines_of_json() -> None:
    assert told(ollama.DIALECT, line("gemma3:1b"), line("other")) == "gemma3:1b"


@pytest.mark.parametrize("name", ["", " ", "default", "None", None, 7, ["x"], {"id": "x"}])
def test_what_is_no_name_leaves_the_one_that_was_asked_for(name: object) -> None:
    assert told(openai.DIALECT, chunk(name)) == "qwen3-4b"


def test_a_server_that_repeats_the_question_says_nothing() -> None:
    assert told(rockchipllama.DIALECT, chunk("gpt-4")) == "qwen3-4b"


@pytest.mark.slow
@given(st.recursive(st.none() | st.integers() | st.text(), st.lists))
def test_any_name_is_safe_to_show(name: object) -> None:
    assert raw_controls(told(openai.DIALECT, chunk(name)), newlines=False) == []


def test_the_smallest_is_known_only_where_every_size_is() -> None:
    big, small = ModelInfo("big", size_bytes=9), ModelInfo("small", size_bytes=4)
    assert smallest((big, small)) is small
    assert smallest((big, ModelInfo("which"))) is None
    assert smallest(()) is None


@pytest.mark.slow
async def test_the_model_that_a_prompt_loads_is_known_while_it_answers() -> None:
    with simulator("--decode-tps", "40", "--speed", "4") as board:
        await asyncio.to_thread(httpx.post, f"{board.url}/v1/models/unload")
        connection = Connection((board.url,))
        running = asyncio.create_task(connection.run())
        try:
            await waiting.until(lambda: connection.state.models)
            assert not any(model.is_loaded for model in connection.state.models)
            turn = new_turn(request(model=""))
            asking = asyncio.create_task(connection.ask(turn))
            await waiting.until(lambda: turn.text)
            early = turn.model
            connection.stop()
            await asking
            await waiting.until(lambda: connection.state.loaded)
            assert [early] == [model.name for model in connection.state.models if model.is_loaded]
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
