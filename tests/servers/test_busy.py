"""A server that is busy is waited for, whatever way it has of saying so."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from contextlib import suppress
from time import perf_counter_ns

import pytest

from tests.servers.busy_servers import FULL, SOON, Refusal, answered, refusing, sending
from tests.servers.raw_server import RawServer, Wire, raw_server
from tests.servers.requests import new_turn, request
from tests.waiting import until
from tui.core.turn.result import result_of
from tui.core.turn.turn import Turn
from tui.core.types import Phase
from tui.servers.backoff import Backoff
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.dialects import rkllama, rkllm_api_server, rkllm_demo
from tui.servers.exchange import StreamedRequest
from tui.servers.slot import Slot


async def as_json(wire: Wire) -> None:
    await wire.json({"error": {"message": "RKLLM_Server is busy! Maybe later."}}, 503)


async def as_status_json(wire: Wire) -> None:
    await wire.json({"status": "error", "message": "RKLLM_Server is busy!"}, 503)


async def as_text(wire: Wire) -> None:
    await wire.reply(503, b"busy, come back", "text/plain")


async def as_html(wire: Wire) -> None:
    await wire.reply(503, b"<html><title>503 busy here</title></html>", "text/html")


async def as_nothing(wire: Wire) -> None:
    await wire.reply(503, b"", "text/plain")


async def with_retry_after(wire: Wire) -> None:
    await wire.reply(503, b"busy", "text/plain", retry_after="1")


async def with_a_date(wire: Wire) -> None:
    date = "Fri, 27 Nov 2099 10:00:00 GMT"
    await wire.reply(503, b"busy", "text/plain", retry_after=date)


async def too_many(wire: Wire) -> None:
    await wire.json({"detail": "busy: too many requests"}, 429)


@pytest.mark.parametrize(
    ("refuse", "said"),
    [
        (as_json, "server busy: “RKLLM_Server is busy! Maybe later.”"),
        (as_status_json, "RKLLM_Server is busy!"),
        (as_text, "busy, come back"),
        (as_html, "503 busy here"),
        (as_nothing, "server busy (HTTP 503)"),
        (with_retry_after, "busy"),
        (with_a_date, "busy"),
        (too_many, "busy: too many requests"),
    ],
)
async def test_a_refused_prompt_is_sent_again_until_it_is_taken(refuse: Refusal, said: str) -> None:
    reasons: list[str] = []

    async with raw_server(refusing(3, refuse)) as server, Client(server.url, timeouts=FULL) as http:
        exchange = sending(http)
        running = asyncio.create_task(exchange.run())
        await until(lambda: exchange.turn.wait)
        wait = exchange.turn.wait
        assert wait is not None
        reasons.append(wait.reason)
        await asyncio.wait_for(running, 30)
    turn = exchange.turn
    assert (turn.status, turn.text, turn.error) == ("complete", "one two three", None)
    assert len(server.asked) == 4
    assert {asked.body for asked in server.asked} == {server.asked[0].body}
    assert said in reasons[0]
    assert turn.wait is None


async def test_the_wait_is_told_and_is_no_part_of_the_time_to_the_first_token() -> None:
    async with (
        raw_server(refusing(6, as_json)) as server,
        Client(server.url, timeouts=FULL) as http,
    ):
        exchange = sending(http)
        await asyncio.wait_for(exchange.run(), 30)
    stats = exchange.turn.stats(perf_counter_ns())
    tries = [asked.t_ns for asked in server.asked]
    waited_ms = (tries[-1] - tries[0]) / 1e6
    assert stats.queue_ms is not None
    pauses_ms = sum(SOON.pause_s(n) for n in range(1, 7)) * 1000
    assert pauses_ms <= stats.queue_ms <= waited_ms
    assert tries[-2] < exchange.turn.t0_ns <= tries[-1], "times count from the try that was taken"
    assert stats.ttft_includes == ()
    assert result_of(exchange.turn, perf_counter_ns()).to_json_dict()["queue_ms"] == pytest.approx(
        stats.queue_ms, abs=0.001
    )


def test_while_a_prompt_waits_its_time_counts_from_the_first_try() -> None:
    turn = Turn(request(), 0)
    turn.sent(1_000_000_000)
    turn.note_wait(1_500_000_000, "busy")
    turn.sent(3_000_000_000)
    turn.note_wait(3_500_000_000, "still busy")
    assert turn.stats(4_500_000_000).elapsed_s == 3.0
    turn.sent(5_000_000_000)
    turn.accepted(5_001_000_000)
    assert turn.stats(5_500_000_000).elapsed_s == 0.5


async def test_a_stop_ends_the_wait_and_sends_nothing_more() -> None:
    async with raw_server(as_json) as server, Client(server.url, timeouts=FULL) as http:
        exchange = sending(http)
        running = asyncio.create_task(exchange.run())
        await until(lambda: len(server.asked) >= 2)
        exchange.stop()
        await asyncio.wait_for(running, 30)
        count = len(server.asked)
        await asyncio.sleep(0.15)
        assert len(server.asked) == count
    assert (exchange.turn.status, exchange.turn.phase) == ("stopped", Phase.STOPPED)
    assert exchange.turn.wait is None


async def test_a_server_that_stays_busy_is_given_up_with_its_words() -> None:
    limits = PhaseTimeouts(busy_s=0.2)
    async with raw_server(as_json) as server, Client(server.url, timeouts=limits) as http:
        exchange = sending(http)
        await asyncio.wait_for(exchange.run(), 30)
    turn = exchange.turn
    assert turn.error is not None
    assert (turn.status, turn.error.kind) == ("refused", "busy")
    assert "is busy (HTTP 503): “RKLLM_Server is busy!" in turn.error.sentence
    waited = re.search(r"npulse waited (\d\.\d) s for it\.", turn.error.sentence)
    assert waited is not None
    assert float(waited[1]) >= 0.2
    assert len(server.asked) >= 2


async def test_a_wait_that_is_hurried_tries_at_once() -> None:
    slow = Backoff(first_s=3600.0, max_s=3600.0)
    async with raw_server(refusing(1, as_json)) as server, Client(server.url) as http:
        asked = request()
        exchange = StreamedRequest(http, asked, new_turn(asked), Slot(), backoff=slow)
        running = asyncio.create_task(exchange.run())
        await until(lambda: exchange.turn.wait)
        exchange.send_now()
        await asyncio.wait_for(running, 30)
    assert exchange.turn.status == "complete"


async def test_a_hurry_while_it_is_looked_whether_the_server_is_free_counts() -> None:
    seen = asyncio.Event()

    async def script(wire: Wire) -> None:
        if wire.asked.path == "/health":
            seen.set()
            await asyncio.sleep(0.1)
            await wire.json({"active_request": {"id": "x"}})
        else:
            await answered(wire)

    slow = Backoff(first_s=3600.0, max_s=3600.0)
    async with (
        raw_server(script) as server,
        Client(server.url, rkllm_api_server.DIALECT) as http,
    ):
        asked = request()
        exchange = StreamedRequest(http, asked, new_turn(asked), Slot(), backoff=slow)
        running = asyncio.create_task(exchange.run())
        await seen.wait()
        exchange.send_now()
        await asyncio.wait_for(running, 30)
    assert exchange.turn.status == "complete"


# -- a queue that hangs --------------------------------------------------------------------------


async def test_a_full_accept_queue_is_waited_for() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        full.setblocking(False)
        port = full.getsockname()[1]
        others = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            others.append(one)
        limits = PhaseTimeouts(connect_s=0.3, busy_s=30.0)
        async with Client(f"http://127.0.0.1:{port}", timeouts=limits) as http:
            exchange = sending(http)
            running = asyncio.create_task(exchange.run())
            await until(lambda: exchange.turn.wait)
            wait = exchange.turn.wait
            assert wait is not None
            assert wait.reason == "the server accepts no connection"
            for one in others:
                one.close()
            with suppress(BlockingIOError):
                while True:
                    full.accept()[0].close()
            server = await asyncio.start_server(_plain_answer, sock=full.dup())
            await asyncio.wait_for(running, 30)
            server.close()
    assert exchange.turn.status == "complete"


async def _plain_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await RawServer(answered).serve(reader, writer)


async def test_a_head_that_does_not_come_is_a_queue_where_it_comes_at_once_otherwise() -> None:
    async def script(wire: Wire) -> None:
        await asyncio.sleep(1.4)
        await answered(wire)

    async with raw_server(script) as server, Client(server.url, rkllm_demo.DIALECT) as http:
        exchange = sending(http)
        running = asyncio.create_task(exchange.run())
        await until(lambda: exchange.turn.wait)
        wait = exchange.turn.wait
        assert wait is not None
        assert "does not answer: busy, or loading" in wait.reason
        assert wait.since_ns == exchange.sent_ns
        await asyncio.wait_for(running, 30)
    stats = exchange.turn.stats(perf_counter_ns())
    assert stats.ttft_includes == ("queue",)
    assert stats.prefill_tps is None
    assert exchange.turn.wait is None


# -- a model that is lost with a stopped answer --------------------------------------------------


class Rkllama:
    """Lists its model as loaded until told otherwise; answers slowly."""

    def __init__(self) -> None:
        self.is_listed = True
        self.n_chats = 0

    async def __call__(self, wire: Wire) -> None:
        row = {"name": "qwen3-4b", "size": 7}
        if wire.asked.path == "/v1/models":
            await wire.json({"data": [{"id": "qwen3-4b", "owned_by": "rkllama"}]})
        elif wire.asked.path == "/api/tags":
            await wire.json({"models": [row]})
        elif wire.asked.path == "/api/ps":
            await wire.json({"models": [row] if self.is_listed else []})
        else:
            self.n_chats += 1
            await wire.head()
            await wire.token("one ")
            if self.n_chats > 1:
                await wire.done()
            else:
                await wire.until_closed()


def has_lost(slot: Slot) -> bool:
    return slot.model_lost_ns is not None


async def test_after_a_cut_answer_rkllama_is_waited_for_until_it_drops_the_model() -> None:
    script = Rkllama()
    async with raw_server(script) as server, Client(server.url, rkllama.DIALECT, FULL) as http:
        slot, asked = Slot(), request()
        first = StreamedRequest(http, asked, new_turn(asked), slot, backoff=SOON)
        running = asyncio.create_task(first.run())
        await until(lambda: first.turn.text)
        first.stop()
        assert slot.state.status == "finishing"
        assert not has_lost(slot), "it is read to its end as long as that is waited for"
        slot.abandon()
        await asyncio.wait_for(running, 30)
        assert has_lost(slot)

        second = StreamedRequest(http, asked, new_turn(asked), slot, backoff=SOON)
        running = asyncio.create_task(second.run())
        await until(lambda: second.turn.wait)
        assert second.turn.wait is not None
        assert "rkllama lost its model with the answer that was stopped" in second.turn.wait.reason
        await asyncio.sleep(0.1)
        assert script.n_chats == 1
        script.is_listed = False
        await asyncio.wait_for(running, 30)
    assert (second.turn.status, script.n_chats) == ("complete", 2)
    assert second.turn.stats(perf_counter_ns()).ttft_includes == ("load",)
    assert not has_lost(slot)


async def test_a_stop_ends_that_wait_too() -> None:
    script = Rkllama()
    async with raw_server(script) as server, Client(server.url, rkllama.DIALECT, FULL) as http:
        slot, asked = Slot(), request()
        slot.model_lost_ns = perf_counter_ns()
        exchange = StreamedRequest(http, asked, new_turn(asked), slot, backoff=SOON)
        running = asyncio.create_task(exchange.run())
        await until(lambda: exchange.turn.wait)
        exchange.stop()
        await asyncio.wait_for(running, 30)
    assert (exchange.turn.status, script.n_chats) == ("stopped", 0)


# -- a finish in every chunk ---------------------------------------------------------------------


async def test_a_server_that_says_stop_in_every_chunk_keeps_its_whole_answer() -> None:
    """Also where the next token takes longer than a usual end of the stream."""

    async def script(wire: Wire) -> None:
        await wire.head()
        for number in range(4):
            chunk = {"choices": [{"delta": {"content": f"{number} "}, "finish_reason": "stop"}]}
            await wire.part(b"data: " + json.dumps(chunk).encode() + b"\n\n")
            await asyncio.sleep(1.3 if number == 0 else 0.02)
        await wire.raw(b"0\r\n\r\n")

    async with raw_server(script) as server, Client(server.url) as http:
        exchange = sending(http)
        await asyncio.wait_for(exchange.run(), 30)
    turn = exchange.turn
    assert (turn.status, turn.text, turn.finish_reason) == ("complete", "0 1 2 3 ", "stop")
