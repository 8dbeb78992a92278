"""What happens inside the stream of an answer, and how it ends."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns

import pytest

from tests.servers.exchanges import QUICK, ask_script
from tests.servers.raw_server import Wire
from tui.servers.client import PhaseTimeouts


async def test_stalled() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.token("one ")
        await wire.token("two")
        await wire.until_closed()

    turn, _ = await ask_script(script, timeouts=QUICK)
    assert (turn.status, turn.text) == ("interrupted", "one two")
    assert turn.error is not None
    assert turn.error.kind == "stalled"
    assert "stalled after ~2 tokens: nothing for 0.3 s" in turn.error.sentence


async def test_slow_but_steady_is_not_stalled() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        for _ in range(8):
            await wire.token("x")
            await asyncio.sleep(0.15)
        await wire.done()

    turn, _ = await ask_script(script, timeouts=PhaseTimeouts(first_byte_s=0.6, idle_s=0.6))
    assert (turn.status, turn.text) == ("complete", "x" * 8)


@pytest.mark.parametrize("how", ["close", "reset", "orderly"])
async def test_cut(how: str) -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.token("one ")
        await asyncio.sleep(0.05)
        if how == "reset":
            wire.reset()
        elif how == "orderly":
            await wire.raw(b"0\r\n\r\n")

    turn, _ = await ask_script(script)
    assert (turn.status, turn.text) == ("interrupted", "one ")
    assert turn.error is not None
    assert turn.error.kind == "cut"
    assert "cut the stream after ~1 token, without an end" in turn.error.sentence


async def test_cut_before_the_first_token() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.raw(b"0\r\n\r\n")

    turn, _ = await ask_script(script)
    assert turn.status == "error"
    assert turn.error is not None
    assert "before the first token" in turn.error.sentence


async def test_finish_without_the_end_mark_is_complete() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.token("one")
        await wire.finish()
        await asyncio.sleep(0.05)
        wire.reset()

    turn, _ = await ask_script(script)
    assert (turn.status, turn.finish_reason) == ("complete", "stop")


async def test_error_inside_the_stream_keeps_the_text() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.token("one")
        await wire.part(b'data: {"error": {"message": "rkllm_run failed with code: -1"}}\n\n')
        await wire.raw(b"0\r\n\r\n")

    turn, _ = await ask_script(script)
    assert (turn.status, turn.text) == ("interrupted", "one")
    assert turn.error is not None
    assert turn.error.kind == "server"
    assert "rkllm_run failed with code: -1" in turn.error.sentence


async def test_a_web_page_instead_of_a_stream() -> None:
    async def script(wire: Wire) -> None:
        await wire.reply(200, b"<html><head><title>oRKLLM</title></head></html>", "text/html")

    turn, _ = await ask_script(script)
    assert turn.error is not None
    assert turn.error.kind == "protocol"
    assert "a web page (oRKLLM)" in turn.error.sentence


async def test_an_endless_line_ends_the_answer() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        for _ in range(100_000):
            await wire.part(b"x" * 65536)

    turn, _ = await ask_script(script)
    assert turn.error is not None
    assert turn.error.kind == "protocol"


async def test_an_open_socket_after_the_end_mark_is_not_waited_for() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.token("one")
        await wire.finish()
        await wire.part(b"data: [DONE]\n\n")
        await wire.until_closed()

    start_ns = perf_counter_ns()
    turn, _ = await ask_script(script)
    assert turn.status == "complete"
    assert perf_counter_ns() - start_ns < 20e9


async def test_empty_answer() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.done()

    turn, _ = await ask_script(script)
    assert (turn.status, turn.error) == ("empty", None)
