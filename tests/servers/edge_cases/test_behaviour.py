"""What a server does when it is busy, stopped, asked wrongly or asked to load: cases 21 to 25."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from time import perf_counter_ns

import pytest

from tests.servers.edge_cases.asking import TIMEOUTS, USUAL, Board, edge_case, marked
from tests.servers.edge_cases.test_streams import whole
from tests.waiting import until
from tui.core.types import Message
from tui.servers import models
from tui.servers.connection import Connection


@asynccontextmanager
async def connected(board: Board) -> AsyncIterator[Connection]:
    """A connection as the dashboard has it, once it has found the server."""
    connection = board.connection()
    watching = asyncio.create_task(connection.run())
    try:
        await until(lambda: connection.state.status == "ready" and connection.state.models)
        yield connection
    finally:
        watching.cancel()
        await asyncio.wait((watching,))


@edge_case(21)
async def test_refused_because_busy(board: Board) -> None:
    turn = await board.ask(marked("busy"), timeouts=replace(TIMEOUTS, busy_s=0.4))
    assert turn.error is not None
    assert (turn.status, turn.error.kind) == ("refused", "busy")
    assert "503" in turn.error.sentence


@edge_case(21)
async def test_a_second_prompt_while_the_first_is_answered(board: Board) -> None:
    first = asyncio.create_task(board.ask(marked(tokens=80)))
    n_before = len(board.events("request"))
    await until(lambda: len(board.events("request")) > n_before)
    await asyncio.sleep(0.15)
    second = await board.ask(marked(tokens=6))
    one = await first
    assert second.status == "complete"
    if board.name == "orkllm":
        # It looks complete, which is why npulse says so before it sends.
        assert board.dialect.is_overlap_fatal
        assert len(one.text) < 320
    else:
        assert one.status == "complete"


@edge_case(22)
@pytest.mark.parametrize("moment", ["before the first token", "while it answers"])
async def test_stopped_and_asked_again(board: Board, moment: str) -> None:
    is_early = moment.startswith("before")
    faults = ("slow-first=0.3",) if is_early else ()
    request = await board.request(marked(*faults, tokens=70))
    async with connected(board) as connection:
        turn = board.turn(request)
        asking = asyncio.create_task(connection.ask(turn))
        await until(lambda: turn.phase.value == "waiting" if is_early else turn.text)
        if is_early:
            await asyncio.sleep(0.05)
        connection.stop()
        assert turn.status == "stopped"
        again = board.turn(await board.request(marked(tokens=8)))
        await asyncio.wait_for(connection.ask(again), 30)
        await asking
    assert again.status == "complete", again.error
    assert board.true_text().endswith(again.text[-10:])


@pytest.mark.slow
@edge_case(22)
async def test_left_in_the_middle_and_asked_again(board: Board) -> None:
    """Not waited for: one runs on, one refuses until it is done, one has to load its model anew."""
    request = await board.request(marked(tokens=120))
    async with connected(board) as connection:
        turn = board.turn(request)
        asking = asyncio.create_task(connection.ask(turn))
        await until(lambda: turn.text)
        connection.stop()
        connection.abandon()
        again = board.turn(await board.request(marked(tokens=8)))
        await asyncio.wait_for(connection.ask(again), 30)
        await asking
    assert turn.status == "stopped"
    assert again.status == "complete", again.error


@edge_case(23)
async def test_settings_at_the_edge(board: Board) -> None:
    """What a server would refuse is not sent; what it ignores does no harm."""
    edge = replace(USUAL, repeat_penalty=0.9, temperature=0.0, top_p=1.0, top_k=1)
    turn = await board.ask(marked(tokens=4), edge)
    if board.name == "rockchipllama":
        assert turn.error is not None
        assert (turn.status, turn.error.kind) == ("refused", "validation")
        assert "repeat" in turn.error.sentence
    else:
        whole(board, turn)


@edge_case(23)
async def test_a_model_that_is_not_there(board: Board) -> None:
    turn = await board.ask(marked(tokens=4), model="no-such-model")
    if board.name in ("rockchipllama", "rkllm-demo", "rkllm-chat", "llama.cpp"):
        assert not board.dialect.models.is_name_heeded or board.name == "llama.cpp"
        whole(board, turn)
        return
    assert turn.error is not None
    assert turn.status in ("refused", "error")
    assert "no-such-model" in turn.error.sentence


@edge_case(24)
async def test_the_conversation_reaches_the_model(board: Board) -> None:
    before = (
        Message("system", "Answer in verse."),
        Message("user", "Who wrote the tale of the marble horse?"),
        Message("assistant", "It was Adela Quist."),
    )
    turn = await board.ask(marked(tokens=5, text="And when was it?"), before=before)
    assert turn.status == "complete"
    prompt = board.events("request")[-1]["prompt"]
    for message in (*before, Message("user", "And when was it?")):
        assert message.content in prompt


@edge_case(25)
async def test_models_are_swapped(board: Board) -> None:
    async with board.client() as client:
        listed = await models.list_models(client)
        loaded = next(model.name for model in listed if model.is_loaded)
        other = next(model.name for model in listed if not model.is_loaded and "0.6" in model.name)
        for name in (other, other, loaded):
            change = await models.load(client, name)
            assert change.is_done, change.sentence
            now = await models.list_models(client)
            assert [model.name for model in now if model.is_loaded] == [name]
    started_ns = perf_counter_ns()
    turn = await board.ask(marked(tokens=4))
    assert turn.status == "complete"
    assert turn.t0_ns >= started_ns
