"""Stopping an answer over a real socket, and the answers that follow."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns

import pytest

from tests.servers.exchanges import OPENAI, QUICK, ROCKCHIP, one_token, three_tokens
from tests.servers.raw_server import Wire, raw_server
from tests.servers.requests import new_turn, request
from tests.waiting import until
from tui.core.types import Phase
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.exchange import StreamedRequest, answer
from tui.servers.slot import Slot


async def test_stop_drains_where_the_server_runs_on() -> None:
    more = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.head()
        await wire.token("one ")
        await more.wait()
        for _ in range(5):
            await wire.token("late ")
        await wire.done()

    async with raw_server(script) as server, Client(server.url, ROCKCHIP) as client:
        slot = Slot()
        turn = new_turn()
        exchange = StreamedRequest(client, request(), turn, slot)
        running = asyncio.create_task(exchange.run())
        await until(lambda: turn.text == "one ")
        assert slot.state.status == "answering"
        exchange.stop()
        stopped = (turn.status, turn.phase, slot.state.status)
        assert stopped == ("stopped", Phase.STOPPED, "finishing")
        waiting = asyncio.create_task(slot.wait_until_free())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        assert server.open_now == 1, "the stream stays open"
        more.set()
        await asyncio.wait_for(waiting, 30)
        await asyncio.wait_for(running, 30)
        assert slot.state.is_free
        assert turn.text == "one ", "what came later is discarded"


@pytest.mark.parametrize("ends_by", ["stop", "stall"])
async def test_text_that_may_be_a_repetition_is_shown_at_the_end(ends_by: str) -> None:
    """Two growths of whole texts are no proof yet: the last two events are held back."""
    timeouts = PhaseTimeouts(idle_s=3600.0 if ends_by == "stop" else 0.3)

    async def script(wire: Wire) -> None:
        await wire.head()
        for text in ("One", "One two", "One two three"):
            await wire.token(text)
        await wire.until_closed()

    async with raw_server(script) as server, Client(server.url, OPENAI, timeouts) as client:
        turn = new_turn()
        exchange = StreamedRequest(client, request(), turn, Slot())
        running = asyncio.create_task(exchange.run())
        if ends_by == "stop":
            await until(lambda: len(exchange._decoder.held()) == 3)
            assert turn.text == "One"
            # A screen stops the turn itself, in its own thread.
            turn.stop(perf_counter_ns())
            exchange.stop()
        await asyncio.wait_for(running, 30)
        assert turn.text == "One two three"
        assert turn.status == ("stopped" if ends_by == "stop" else "interrupted")


async def test_what_is_discarded_is_counted() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        while True:
            await wire.token("x")
            await asyncio.sleep(0.01)

    async with raw_server(script) as server, Client(server.url, ROCKCHIP) as client:
        slot = Slot()
        turn = new_turn()
        exchange = StreamedRequest(client, request(), turn, slot)
        running = asyncio.create_task(exchange.run())
        await until(lambda: turn.text)
        exchange.stop()
        stopped_ns = slot.state.heard_ns
        await until(lambda: slot.state.n_discarded >= 5)
        assert stopped_ns is not None
        assert slot.state.heard_ns is not None
        assert slot.state.heard_ns > stopped_ns
        slot.abandon()
        await asyncio.wait_for(running, 30)
        assert slot.state.is_free
        await until(lambda: server.open_now == 0)


async def test_stop_in_prefill_drains_too() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await asyncio.sleep(0.3)
        await wire.token("late")
        await wire.done()

    async with raw_server(script) as server, Client(server.url, ROCKCHIP) as client:
        slot = Slot()
        turn = new_turn()
        exchange = StreamedRequest(client, request(), turn, slot)
        running = asyncio.create_task(exchange.run())
        await until(lambda: turn.phase is Phase.PREFILL)
        exchange.stop()
        assert turn.status == "stopped"
        assert slot.state.status == "finishing"
        await asyncio.wait_for(running, 30)
        assert turn.text == ""


async def test_stop_closes_where_that_stops_the_server() -> None:
    async with raw_server(one_token) as server, Client(server.url, OPENAI) as client:
        slot = Slot()
        turn = new_turn()
        exchange = StreamedRequest(client, request(), turn, slot)
        running = asyncio.create_task(exchange.run())
        await until(lambda: turn.text)
        exchange.stop()
        await asyncio.wait_for(running, 30)
        assert slot.state.is_free
        assert turn.status == "stopped"
        await until(lambda: server.open_now == 0)


async def test_a_turn_that_was_stopped_before_it_was_sent_is_not_sent() -> None:
    async with raw_server(three_tokens) as server, Client(server.url, ROCKCHIP) as client:
        turn = new_turn()
        turn.stop(perf_counter_ns())
        await asyncio.wait_for(answer(client, request(), turn), 30)
        assert server.asked == []


async def test_a_late_stop_does_not_touch_the_next_answer() -> None:
    async with raw_server(three_tokens) as server, Client(server.url, ROCKCHIP) as client:
        slot = Slot()
        exchange = StreamedRequest(client, request(), new_turn(), slot)
        await asyncio.wait_for(exchange.run(), 30)
        slot.take(0, lambda: None)
        exchange.stop()
        assert slot.state.status == "answering"


async def test_two_answers_never_overlap() -> None:
    async with raw_server(three_tokens) as server, Client(server.url, ROCKCHIP) as client:
        slot = Slot()
        turns = [new_turn() for _ in range(4)]
        await asyncio.wait_for(
            asyncio.gather(*(answer(client, request(), turn, slot) for turn in turns)), 30
        )
        assert [turn.status for turn in turns] == ["complete"] * 4
        assert server.most_open == 1


async def test_stop_while_waiting_for_the_slot() -> None:
    async with raw_server(three_tokens) as server, Client(server.url, ROCKCHIP) as client:
        slot = Slot()
        slot.take(0, lambda: None)
        turn = new_turn()
        exchange = StreamedRequest(client, request(), turn, slot)
        running = asyncio.create_task(exchange.run())
        await asyncio.sleep(0.05)
        exchange.stop()
        await asyncio.wait_for(running, 30)
        assert turn.status == "stopped"
        assert server.asked == []
        assert slot.state.status == "answering", "it is still the other one's"


async def test_cancelling_is_a_stop_that_closes() -> None:
    async with raw_server(one_token) as server, Client(server.url, ROCKCHIP) as client:
        turn = new_turn()
        running = asyncio.create_task(answer(client, request(), turn))
        await until(lambda: turn.text)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert (turn.status, turn.text) == ("stopped", "one")
        await until(lambda: server.open_now == 0)


async def test_a_stalled_drain_ends_by_itself() -> None:
    async with raw_server(one_token) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        slot = Slot()
        turn = new_turn()
        exchange = StreamedRequest(client, request(), turn, slot)
        running = asyncio.create_task(exchange.run())
        await until(lambda: turn.text)
        exchange.stop()
        await asyncio.wait_for(running, 30)
        assert slot.state.is_free
        assert turn.status == "stopped"
