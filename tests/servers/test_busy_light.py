"""A server that tells whether it is busy is asked before a prompt is sent."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import perf_counter_ns

import pytest

from tests.servers.busy_servers import FULL, Refusal, answered, sending
from tests.servers.raw_server import Wire, raw_server
from tests.waiting import until
from tui.servers.client import Client
from tui.servers.dialects import llama_cpp, openai, rkllm_api_server
from tui.servers.dialects.dialect import Dialect


def lit(path: str, busy: object, idle: object, times: int) -> Refusal:
    left = [times]

    async def script(wire: Wire) -> None:
        if wire.asked.path == path:
            left[0] -= 1
            await wire.json(busy if left[0] >= 0 else idle)
        else:
            await answered(wire)

    return script


@pytest.mark.parametrize(
    ("dialect", "busy", "idle"),
    [
        (
            rkllm_api_server.DIALECT,
            {"status": "ok", "active_request": {"id": "x", "elapsed": 3}},
            {"status": "ok", "active_request": None},
        ),
        (
            llama_cpp.DIALECT,
            [{"is_processing": True}, {"is_processing": True}],
            [{"is_processing": True}, {"is_processing": False}],
        ),
    ],
)
async def test_a_prompt_waits_for_the_busy_light_to_go_out(
    dialect: Dialect, busy: object, idle: object
) -> None:
    path = dialect.busy_path or ""
    async with (
        raw_server(lit(path, busy, idle, 5)) as server,
        Client(server.url, dialect, FULL) as http,
    ):
        exchange = sending(http)
        running = asyncio.create_task(exchange.run())
        await until(lambda: exchange.turn.wait)
        assert exchange.turn.wait is not None
        assert exchange.turn.wait.reason == "the server is working on another answer"
        await asyncio.wait_for(running, 30)
    *looks, last = [asked.path for asked in server.asked]
    assert (set(looks), last) == ({path}, "/v1/chat/completions")
    assert exchange.turn.status == "complete"
    assert exchange.turn.stats(perf_counter_ns()).queue_ms is not None


async def test_a_light_that_goes_out_in_a_moment_is_that_of_the_answer_before() -> None:
    busy, idle = {"active_request": {"id": "x"}}, {"active_request": None}
    async with (
        raw_server(lit("/health", busy, idle, 1)) as server,
        Client(server.url, rkllm_api_server.DIALECT, FULL) as http,
    ):
        exchange = sending(http)
        await asyncio.wait_for(exchange.run(), 30)
    assert exchange.turn.status == "complete"
    assert exchange.turn.stats(perf_counter_ns()).queue_ms is None


@pytest.mark.parametrize("how", ["missing", "nonsense", "error"])
async def test_a_busy_light_that_says_nothing_holds_nothing_up(how: str) -> None:
    async def script(wire: Wire) -> None:
        if wire.asked.path != "/slots":
            await answered(wire)
        elif how == "missing":
            await wire.json({"error": {"message": "off"}}, 501)
        elif how == "nonsense":
            await wire.json([{"is_processing": "yes"}, 3])
        else:
            wire.reset()

    async with raw_server(script) as server, Client(server.url, llama_cpp.DIALECT) as http:
        exchange = sending(http)
        await asyncio.wait_for(exchange.run(), 30)
    assert exchange.turn.status == "complete"
    assert exchange.turn.stats(perf_counter_ns()).queue_ms is None


async def test_a_server_too_busy_to_say_so_is_waited_for() -> None:
    left = [1]

    async def script(wire: Wire) -> None:
        if wire.asked.path == "/health":
            left[0] -= 1
            if left[0] >= 0:
                await wire.until_closed()
            else:
                await wire.json({"active_request": None})
        else:
            await answered(wire)

    limits = replace(FULL, query_s=0.2)
    async with (
        raw_server(script) as server,
        Client(server.url, rkllm_api_server.DIALECT, limits) as http,
    ):
        exchange = sending(http)
        await asyncio.wait_for(exchange.run(), 30)
    assert exchange.turn.status == "complete"
    assert exchange.turn.stats(perf_counter_ns()).queue_ms is not None


async def test_what_somebody_else_knows_of_the_server_holds_a_prompt_back() -> None:
    reason: list[str | None] = ["the NPU works for somebody else"]
    async with raw_server(answered) as server, Client(server.url, openai.DIALECT) as http:
        exchange = sending(http, lambda: reason[0])
        running = asyncio.create_task(exchange.run())
        await until(lambda: exchange.turn.wait)
        await asyncio.sleep(0.1)
        assert server.asked == []
        reason[0] = None
        await asyncio.wait_for(running, 30)
        assert exchange.turn.status == "complete"

        reason[0] = "busy again"
        exchange = sending(http, lambda: reason[0])
        running = asyncio.create_task(exchange.run())
        await until(lambda: exchange.turn.wait)
        exchange.send_now()
        await asyncio.wait_for(running, 30)
    assert exchange.turn.status == "complete"
