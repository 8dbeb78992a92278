"""Streams of every framing, and what is measured in them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import perf_counter_ns

import pytest

from tests.bench.run.scripted_runs import ONE, is_probe
from tests.bench.runs_of import told
from tests.bench.scripted import HEAD, Exchange, plain, scripted, words


@pytest.mark.slow
async def test_framing_of_all_sorts(tmp_path: Path) -> None:
    """Role chunk, comments, CRLF, JSON in two reads, two events in one, usage chunk, no [DONE]."""

    async def script(exchange: Exchange) -> None:
        if is_probe(exchange):
            await plain(exchange)
            return
        await exchange.raw(HEAD)
        await exchange.event({"choices": [{"delta": {"role": "assistant", "content": ""}}]})
        for _ in range(3):
            await asyncio.sleep(0.05)
            await exchange.chunk(b": heartbeat\n\n")
        await asyncio.sleep(0.05)
        await exchange.event({"choices": [{"delta": {"content": " one"}}]}, b"\r\n\r\n")
        data = b'data: {"choices": [{"delta": {"content": " two"}}]}\n\n'
        await exchange.chunk(data[:20])
        await asyncio.sleep(0.05)
        await exchange.chunk(data[20:])
        await asyncio.sleep(0.05)
        await exchange.chunk(data.replace(b"two", b"three") + data.replace(b"two", b"four"))
        await exchange.event({"choices": [{"delta": {"content": None}}]})
        await exchange.finish({"prompt_tokens": 9, "completion_tokens": 4}, done=False)

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    request = found.one()
    assert request.status == "ok"
    assert found.loaded is not None
    assert found.loaded.texts["a", 0][0] == " one two three four"
    assert (request.tok.out, request.tok.chunks) == (4, 4)
    first = request.m["ttft_client_ms"]
    assert first is not None
    assert first > 190
    stamps = found.loaded.stamps["a", 0]
    assert stamps[2] == stamps[3]


@pytest.mark.slow
async def test_the_first_token_is_seen_when_it_comes(tmp_path: Path) -> None:
    """A client that waits for a full buffer would see 4096 bytes of 200-byte events after 0.4 s."""

    async def script(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        for number in range(min(16, exchange.max_tokens)):
            filling = {"choices": [{"delta": {"content": f" w{number}"}}], "x": "." * 130}
            exchange.sent_ns.append(perf_counter_ns())
            await exchange.event(filling)
            await asyncio.sleep(0.02)
        await exchange.finish()

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    assert found.loaded is not None
    assert found.loaded.stamps["a", 0][0] < server.exchanges[-1].sent_ns[4]


@pytest.mark.slow
async def test_thinking_in_its_own_channel(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        if is_probe(exchange):
            await plain(exchange)
            return
        await exchange.raw(HEAD)
        for number in range(6):
            await exchange.text(f" t{number}", "reasoning_content")
            await asyncio.sleep(0.05)
        # So long that a busy machine cannot take thought and answer for one arrival.
        await asyncio.sleep(0.4)
        for number in range(6):
            await exchange.text(f" a{number}")
            await asyncio.sleep(0.05)
        await exchange.finish()

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    request = found.one()
    first, answer = request.m["ttft_client_ms"], request.m["ttfot_ms"]
    assert first is not None
    assert answer is not None
    assert answer > first + 200
    assert request.tok.reasoning == 6
    assert found.loaded is not None
    assert found.loaded.texts["a", 0] == (" a0 a1 a2 a3 a4 a5", " t0 t1 t2 t3 t4 t5")


@pytest.mark.slow
async def test_thinking_that_never_closes(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        if is_probe(exchange):
            await plain(exchange)
            return
        await exchange.raw(HEAD)
        await exchange.text("<think>")
        for number in range(9):
            await asyncio.sleep(0.02)
            await exchange.text(f" t{number}")
        await exchange.finish()

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    request = found.one()
    assert request.m["ttfot_ms"] is None
    checks = {check.id: check.passed for check in request.checks}
    assert checks["think_closed"] is False


async def test_usage_that_counts_words_is_not_believed(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        for number in range(14):
            await asyncio.sleep(0.01)
            await exchange.text(" ab" if number % 2 else "cd")
        await exchange.finish({"prompt_tokens": 2, "completion_tokens": 7})

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    request = found.one()
    assert request.tok.out == 14
    assert request.tok.source == "estimated"


async def test_a_stream_that_is_cut(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        if is_probe(exchange):
            await plain(exchange)
            return
        await words(exchange, 10)
        exchange.writer.close()

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    request = found.one()
    assert (request.status, request.tok.out) == ("truncated", 10)
    assert request.error
