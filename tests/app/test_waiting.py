"""The chat of the dashboard while its server is busy, dies and comes back: over real HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import pytest

from tests.servers.raw_server import Wire, free_port, raw_server
from tests.servers.rockchip_script import RockchipScript
from tests.waiting import until
from tui.app.chat_session import ChatSession
from tui.app.server_link import ServerLink
from tui.core.board.reading import Reading, Snapshot
from tui.core.turn.turn import Turn
from tui.core.turn.turn_note import CUMULATIVE_NOTE
from tui.core.types import GenerationSettings, Phase
from tui.servers.client import PhaseTimeouts
from tui.servers.connection import Connection
from tui.servers.dialects import orkllm, rkllm_demo
from tui.servers.loop import EventLoopThread
from tui.sim.server.spawn import spawn

QUICK = PhaseTimeouts(connect_s=1.0, query_s=0.4)


@asynccontextmanager
async def chatting(
    url: str, status: str = "ready", *, ahead: str | None = None
) -> AsyncIterator[ChatSession]:
    """A session as the dashboard has it, connected in a loop of its own, once the server is that
    far. The prompt ``ahead`` is sent before anything was looked for."""
    loop = EventLoopThread()
    loop.start()
    connection = Connection(
        [url], QUICK, search_every_s=0.05, check_every_s=0.1, probe_timeouts=QUICK
    )
    link = ServerLink(loop)
    session = ChatSession(link, GenerationSettings())
    if ahead is not None:
        assert session.ask(ahead) is None
    running = loop.submit(connection.run())
    link.use(connection)
    try:
        await until(lambda: link.state.status == status and link.state.has_looked)
        await until(lambda: link.state.models or status != "ready")
        yield session
    finally:
        running.cancel()
        await asyncio.to_thread(loop.stop)


def has_turn(chat: ChatSession) -> bool:
    return chat.turn is not None


def status_of(chat: ChatSession) -> str:
    return chat._link.state.status


async def test_a_prompt_waits_for_a_server_that_is_too_busy_to_say_what_it_is() -> None:
    script = RockchipScript(is_frozen=True)
    async with raw_server(script) as server, chatting(server.url, "busy") as chat:
        assert chat.ask("hello") is None
        assert chat.waiting is not None
        assert "accepts connections but does not answer" in chat.waiting.reason
        assert chat.ask("another") is not None
        chat.on_snapshot(Snapshot(0, 0.0))
        assert not has_turn(chat)
        assert chat.stop() == "hello"
        assert not chat.is_answering
        assert chat.ask("hello again") is None
        script.is_frozen = False
        script.thaw.set()
        await until(lambda: status_of(chat) == "ready")
        chat.on_snapshot(Snapshot(0, 0.0))
        assert chat.turn is not None
        assert chat.turn.prompt == "hello again"
        await until(lambda: not chat.is_answering)
        assert chat.turn.status == "complete"


async def test_a_prompt_held_for_a_server_that_goes_away_is_told_why() -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(raw_server(RockchipScript(is_frozen=True)))
        async with chatting(server.url, "busy") as chat:
            assert chat.ask("hello") is None
            await stack.aclose()
            await until(lambda: status_of(chat) != "busy")
            chat.on_snapshot(Snapshot(0, 0.0))
            assert chat.turn is not None
            assert chat.turn.error is not None
            assert "connection refused" in chat.turn.error.sentence
            assert chat.waiting is None


async def test_a_prompt_that_is_sent_before_the_first_look_is_answered() -> None:
    async with (
        raw_server(RockchipScript()) as server,
        chatting(server.url, ahead="typed ahead") as chat,
    ):
        chat.on_server_change()
        await until(lambda: not chat.is_answering)
        assert chat.turn is not None
        assert (chat.turn.prompt, chat.turn.status) == ("typed ahead", "complete")
        assert chat.turn.request.model == "qwen3-4b"
        assert chat.take_unsent() is None


async def test_a_prompt_that_is_sent_before_a_look_that_finds_nothing_comes_back() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with chatting(url, "searching", ahead="typed ahead") as chat:
        chat.on_server_change()
        assert not chat.is_answering
        assert chat.turn is None
        unsent = chat.take_unsent()
        assert unsent is not None
        assert unsent[0] == "typed ahead"
        assert "No server listens" in unsent[1]
        assert chat.take_unsent() is None
        assert chat.ask("again") == unsent[1]


async def test_a_prompt_that_is_sent_before_the_first_look_waits_for_a_busy_server() -> None:
    script = RockchipScript(is_frozen=True)
    async with (
        raw_server(script) as server,
        chatting(server.url, "busy", ahead="typed ahead") as chat,
    ):
        chat.on_server_change()
        assert chat.waiting is not None
        assert "accepts connections but does not answer" in chat.waiting.reason
        assert chat.stop() == "typed ahead"
        script.thaw.set()


async def test_a_prompt_waits_for_a_load_and_is_answered_by_the_new_model() -> None:
    script = RockchipScript(loaded="qwen3-4b", load_s=0.6)
    async with raw_server(script) as server, chatting(server.url) as chat:
        chat._link.submit(lambda connection: connection.load("gemma3-1b"))
        await until(lambda: chat._link.state.work == "loading gemma3-1b")
        assert chat.ask("hello") is None
        await until(lambda: chat.waiting)
        assert chat.waiting is not None
        assert chat.waiting.reason == "loading gemma3-1b"
        await until(lambda: not chat.is_answering)
        assert chat.turn is not None
        assert (chat.turn.status, chat.turn.error) == ("complete", None)
    (asked,) = [one for one in server.asked if one.path.endswith("completions")]
    assert asked.json["model"] == "gemma3-1b"


def row(owner: str) -> dict[str, object]:
    return {"data": [{"id": "qwen3-4b", "owned_by": owner}]}


class Demo:
    """Answers 503 until it is told to answer; keeps what it was asked."""

    def __init__(self, owner: str = rkllm_demo.OWNER) -> None:
        self.is_busy = True
        self.owner = owner
        self.prompts: list[str] = []

    async def __call__(self, wire: Wire) -> None:
        if wire.asked.method == "GET":
            is_list = wire.asked.path == "/v1/models"
            await wire.json(row(self.owner), 200 if is_list else 404, server="Werkzeug/3.1")
        elif self.is_busy:
            await wire.json({"error": {"message": "RKLLM_Server is busy!"}}, 503)
        else:
            messages = wire.asked.json["messages"]
            assert isinstance(messages, list)
            self.prompts.append("\n".join(message["content"] for message in messages))
            await wire.head()
            await wire.token("It has six TOPS.")
            await wire.done()


async def test_a_prompt_waits_with_its_reason_and_is_sent_when_the_server_is_free() -> None:
    script = Demo()
    async with raw_server(script) as server, chatting(server.url) as chat:
        assert chat.ask("What is an NPU?") is None
        await until(lambda: chat.waiting)
        waiting = chat.waiting
        assert waiting is not None
        assert waiting.prompt == "What is an NPU?"
        assert waiting.reason == ("server busy: “RKLLM_Server is busy!”; the send key sends it now")
        assert chat.turn is not None
        script.is_busy = False
        await until(lambda: not chat.is_answering)
        assert (chat.turn.status, chat.waiting) == ("complete", None)
    assert script.prompts == ["What is an NPU?"]


async def test_esc_gives_the_prompt_back_and_it_is_not_sent() -> None:
    script = Demo()
    async with raw_server(script) as server, chatting(server.url) as chat:
        assert chat.ask("hello") is None
        await until(lambda: chat.waiting)
        assert chat.stop() == "hello"
        assert not chat.is_answering
        assert len(chat.conversation) == 0
        script.is_busy = False
        assert chat.ask("another") is None
        await until(lambda: not chat.is_answering)
    assert script.prompts == ["another"]


async def test_a_second_prompt_of_a_server_without_memory_holds_the_first_exchange() -> None:
    script = Demo()
    script.is_busy = False
    async with raw_server(script) as server, chatting(server.url) as chat:
        notes = []
        for prompt in ("What is an NPU?", "How fast is it?", "And DDR?"):
            assert chat.ask(prompt) is None
            notes.append(chat.take_note())
            assert chat.take_note() is None
            await until(lambda: not chat.is_answering)
            chat.commit_turn()
    first, second, _ = script.prompts
    told = "Rockchip demo takes one message only: the conversation so far is sent inside it."
    assert notes == [None, told, None]
    assert first == "What is an NPU?"
    assert second == (
        "User: What is an NPU?\n\nAssistant: It has six TOPS.\n\nUser: How fast is it?\n\n"
        "Assistant:"
    )


async def test_a_prompt_that_would_end_the_answer_of_somebody_else_waits_for_the_npu() -> None:
    script = Demo(orkllm.OWNER)
    script.is_busy = False
    npu = Snapshot(0, 0.0, {"npu.load": Reading((91.0, 0.0), "%")})
    idle = Snapshot(0, 0.0, {"npu.load": Reading((0.0, 0.0), "%")})
    async with raw_server(script) as server, chatting(server.url) as chat:
        chat.on_snapshot(npu)
        assert chat.ask("hello") is None
        await until(lambda: chat.waiting)
        assert chat.waiting is not None
        assert chat.waiting.reason == (
            "NPU at 91 %: a prompt would end the answer that oRKLLM gives now; "
            "the send key sends it now"
        )
        await asyncio.sleep(0.2)
        assert script.prompts == []
        chat.on_snapshot(idle)
        await until(lambda: not chat.is_answering)
        assert script.prompts == ["hello"]


async def test_enter_sends_it_all_the_same() -> None:
    script = Demo(orkllm.OWNER)
    script.is_busy = False
    async with raw_server(script) as server, chatting(server.url) as chat:
        chat.on_snapshot(Snapshot(0, 0.0, {"npu.load": Reading((91.0,), "%")}))
        assert chat.ask("hello") is None
        await until(lambda: chat.waiting)
        chat.send_anyway()
        await until(lambda: not chat.is_answering)
        assert script.prompts == ["hello"]
        assert chat.turn is not None
        assert chat.turn.stats(0).ttft_includes == ("queue",)


def has_come_to(turn: Turn, moment: int) -> bool:
    """Whether the answer is asked for (0), was taken by the server (1), or has begun (2)."""
    is_taken = turn.phase is not Phase.WAITING
    return (True, is_taken, bool(turn.text) or turn.phase.is_over)[moment]


@pytest.mark.slow
async def test_a_server_that_dies_and_comes_back_ten_times_loses_no_prompt() -> None:
    """Killed at rest, in the prefill and in the answer, on one port, with kill -9."""
    port = str(free_port())
    options = ("--port", port, "--tokens", "12", "--decode-tps", "60", "--prefill-tps", "2000")
    board = await asyncio.to_thread(spawn, options)
    told: list[str] = []
    try:
        async with chatting(board.url) as chat:
            for number in range(10):
                prompt = f"prompt {number}"
                while (refusal := chat.ask(prompt)) is not None:
                    told.append(refusal)
                    await asyncio.sleep(0.02)
                turn = chat.turn
                assert turn is not None
                await until(partial(has_come_to, turn, number % 3))
                os.kill(board.pid, signal.SIGKILL)
                await asyncio.to_thread(board.stop)
                await until(lambda: not chat.is_answering)
                chat.commit_turn()
                assert turn.status in ("complete", "interrupted", "error")
                assert (turn.error is None) == (turn.status == "complete")
                kept = chat.conversation.last
                assert kept is not None
                assert kept.prompt == prompt, "it can be sent again"
                board = await asyncio.to_thread(spawn, options)
            await until(lambda: chat.ask("the last one") is None)
            await until(lambda: not chat.is_answering)
            assert chat.turn is not None
            assert chat.turn.status == "complete"
            assert [past.prompt for past in chat.conversation.exchanges] == [
                f"prompt {number}" for number in range(10)
            ]
    finally:
        board.stop()
    assert all("prompt" in sentence or "No server" in sentence for sentence in told), told


async def test_a_server_of_whole_texts_is_told_once_and_each_word_is_sent_on_once() -> None:
    words = ["The", "NPU", "has", "three", "cores", "and", "six", "TOPS."]

    async def server_of_whole_texts(wire: Wire) -> None:
        if wire.asked.method != "POST":
            await wire.json({"object": "list", "data": [{"id": "m"}]})
            return
        await wire.head()
        for count in range(1, len(words) + 1):
            await wire.token(" ".join(words[:count]))
        await wire.done()

    notes = []
    async with raw_server(server_of_whole_texts) as server, chatting(server.url) as chat:
        for prompt in ("What is an NPU?", "Once more?"):
            assert chat.ask(prompt) is None
            await until(lambda: not chat.is_answering)
            chat.commit_turn()
            notes.append(chat.take_note())
            assert chat.turn is not None
            assert chat.turn.text == " ".join(words)
    assert notes == [CUMULATIVE_NOTE, None]
