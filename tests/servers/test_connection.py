"""The connection of a session: servers that appear, work, hang, die and come back."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns

import pytest

from tests.servers.connected import connected, until
from tests.servers.raw_server import Wire, free_port, raw_server
from tests.servers.requests import new_turn, request
from tests.servers.rockchip_script import RockchipScript


async def test_nothing_there_then_a_server_appears_then_dies_then_returns() -> None:
    port = free_port()
    async with connected(f"http://127.0.0.1:{port}") as connection:
        state = await until(connection, lambda s: s.problem)
        assert state.status == "searching"
        assert state.server is None
        assert state.looked_at == (f"http://127.0.0.1:{port}",)
        assert "connection refused" in (state.problem or "")
        async with raw_server(RockchipScript(), port):
            state = await until(connection, lambda s: s.status == "ready" and s.models)
            assert state.problem is None
            assert state.server is not None
            assert state.server.label == f"RockchipLlama :{port}"
            assert state.loaded is not None
            assert state.loaded.name == "qwen3-4b"
            assert state.is_connected
        state = await until(connection, lambda s: s.status == "gone")
        assert state.server is not None, "the one that is waited for"
        assert state.models == ()
        assert not state.is_connected
        async with raw_server(RockchipScript(loaded="gemma3-1b"), port):
            state = await until(connection, lambda s: s.status == "ready" and s.models)
            assert state.loaded is not None
            assert state.loaded.name == "gemma3-1b"


async def test_a_server_that_does_not_answer_is_busy_and_comes_back() -> None:
    script = RockchipScript()
    async with raw_server(script) as server, connected(server.url) as connection:
        await until(connection, lambda s: s.status == "ready" and s.models)
        script.is_frozen = True
        state = await until(connection, lambda s: s.status == "busy")
        assert state.server is not None
        assert state.loaded is not None, "what was known stays"
        assert "busy" in (state.problem or "")
        script.is_frozen = False
        script.thaw.set()
        state = await until(connection, lambda s: s.status == "ready")
        assert state.problem is None


@pytest.mark.slow
async def test_a_busy_server_is_asked_less_and_less() -> None:
    script = RockchipScript()
    async with raw_server(script) as server, connected(server.url) as connection:
        await until(connection, lambda s: s.status == "ready" and s.models)
        script.is_frozen = True
        await until(connection, lambda s: s.status == "busy")
        before = len(script.calls)
        await asyncio.sleep(1.5)
        # Every 0.1 s with 0.4 s of waiting would be three questions; it doubles its pause.
        assert len(script.calls) - before <= 2


async def test_found_busy_at_a_pinned_address() -> None:
    script = RockchipScript(is_frozen=True)
    async with raw_server(script) as server, connected(server.url) as connection:
        state = await until(connection, lambda s: s.status == "busy")
        assert state.server is None
        script.is_frozen = False
        script.thaw.set()
        await until(connection, lambda s: s.status == "ready")


async def test_another_server_is_pinned_while_one_is_connected() -> None:
    script = RockchipScript()
    other = RockchipScript(loaded="gemma3-1b")
    async with (
        raw_server(script) as server,
        raw_server(other) as pinned,
        connected(server.url) as connection,
    ):
        await until(connection, lambda s: s.status == "ready" and s.models)
        # Its check is on the way, and is answered when the other server is there already.
        script.is_frozen = True
        connection.look_now()
        await asyncio.sleep(0.05)
        connection.pin((pinned.url,))
        assert connection.state.server is None
        assert not connection.state.has_looked
        state = await until(connection, lambda s: s.status == "ready" and s.models)
        assert state.server is not None
        assert state.server.url == pinned.url
        assert state.looked_at == (pinned.url,)
        script.is_frozen = False
        script.thaw.set()
        await asyncio.sleep(0.5)
        assert connection.state.status == "ready"
        assert connection.state.loaded is not None
        assert connection.state.loaded.name == "gemma3-1b"


async def test_a_model_that_another_client_loaded_is_noticed() -> None:
    script = RockchipScript(loaded="qwen3-4b")
    async with raw_server(script) as server, connected(server.url) as connection:
        await until(connection, lambda s: s.loaded)
        script.loaded = "gemma3-1b"
        await until(connection, lambda s: s.loaded and s.loaded.name == "gemma3-1b")
        script.loaded = None
        state = await until(connection, lambda s: s.loaded is None)
        assert len(state.models) == 3


async def test_ask_with_the_loaded_model() -> None:
    script = RockchipScript(loaded="gemma3-1b")
    async with raw_server(script) as server, connected(server.url) as connection:
        await until(connection, lambda s: s.loaded)
        turn = new_turn(request(model=""))
        await asyncio.wait_for(connection.ask(turn), 30)
        assert (turn.status, turn.text) == ("complete", "t0 t1 t2 ")
        chats = [asked for asked in server.asked if asked.path.endswith("completions")]
        assert chats[0].json["model"] == "gemma3-1b"
        assert connection.state.slot.is_free


async def test_nothing_is_asked_while_an_answer_runs() -> None:
    script = RockchipScript(tokens=20, token_s=0.05)
    async with raw_server(script) as server, connected(server.url) as connection:
        await until(connection, lambda s: s.loaded)
        turn = new_turn(request())
        asking = asyncio.create_task(connection.ask(turn))
        await until(connection, lambda s: s.slot.status == "answering" and turn.text)
        before = len(script.calls)
        await until(connection, lambda _: turn.text.count("t") >= 15)
        assert len(script.calls) == before
        await asyncio.wait_for(asking, 30)
        assert turn.status == "complete"


async def test_ask_without_a_server() -> None:
    async with connected(f"http://127.0.0.1:{free_port()}") as connection:
        turn = new_turn()
        await connection.ask(turn)
        assert turn.status == "error"
        assert turn.error is not None
        assert turn.error.kind == "refused"


async def test_ask_for_a_model_that_is_not_loaded_or_not_there() -> None:
    script = RockchipScript(loaded="gemma3-1b")
    async with raw_server(script) as server, connected(server.url) as connection:
        await until(connection, lambda s: s.loaded)
        for model, said in (("qwen3-4b", "is not loaded"), ("qwen9", "has no model")):
            turn = new_turn(request(model=model))
            await connection.ask(turn)
            assert turn.status == "refused"
            assert turn.error is not None
            assert said in turn.error.sentence


async def test_stop_holds_the_next_prompt_until_the_server_is_idle() -> None:
    script = RockchipScript(tokens=30, token_s=0.02)
    async with raw_server(script) as server, connected(server.url) as connection:
        await until(connection, lambda s: s.loaded)
        first, second = new_turn(), new_turn()
        asking = asyncio.create_task(connection.ask(first))
        await until(connection, lambda _: first.text)
        connection.stop()
        assert first.status == "stopped"
        assert connection.state.slot.status == "finishing"
        next_one = asyncio.create_task(connection.ask(second))
        await until(connection, lambda s: s.slot.n_discarded >= 3)
        assert second.phase.value == "waiting"
        script.tokens = 3
        await asyncio.wait_for(next_one, 30)
        await asyncio.wait_for(asking, 30)
        assert second.text == "t0 t1 t2 "
        assert first.text.count("t") < 30
        chats = [asked for asked in server.asked if asked.path.endswith("completions")]
        assert len(chats) == 2
        assert server.most_open == 1, "two streams never overlap"


async def test_abandon_frees_the_slot() -> None:
    class Hangs(RockchipScript):
        async def chat(self, wire: Wire) -> None:
            await wire.head()
            await wire.token("one")
            await wire.until_closed()

    async with raw_server(Hangs()) as server, connected(server.url) as connection:
        await until(connection, lambda s: s.loaded)
        turn = new_turn()
        asking = asyncio.create_task(connection.ask(turn))
        await until(connection, lambda _: turn.text)
        connection.abandon()
        await asyncio.sleep(0.05)
        assert connection.state.slot.status == "answering", (
            "only what is finishing can be abandoned"
        )
        connection.stop()
        connection.abandon()
        await asyncio.wait_for(asking, 30)
        assert connection.state.slot.is_free


async def test_load_is_a_state_and_the_frozen_server_is_not_gone() -> None:
    # As long as several looks at the server take, and until all was seen.
    may_load = asyncio.Event()
    script = RockchipScript(loaded="qwen3-4b", load_s=0.6, may_load=may_load)
    words = []
    async with raw_server(script) as server, connected(server.url) as connection:
        await until(connection, lambda s: s.loaded)
        connection.on_change = lambda: words.append(connection.state.status)
        loading = asyncio.create_task(connection.load("gemma3-1b"))
        state = await until(connection, lambda s: s.work == "loading gemma3-1b")
        assert state.status == "loading"
        assert state.work_since_ns is not None
        turn = new_turn(request(model=""))
        asking = asyncio.create_task(connection.ask(turn))
        await until(connection, lambda _: turn.wait)
        assert turn.wait is not None
        assert turn.wait.reason == "loading gemma3-1b"
        taken_back = new_turn()
        taken_back.stop(perf_counter_ns())
        await asyncio.wait_for(connection.ask(taken_back), 30)
        again = await connection.load("qwen3-4b")
        assert not again.is_done
        assert "at work already" in again.sentence
        may_load.set()
        change = await asyncio.wait_for(loading, 30)
        assert change.is_done, change.sentence
        state = await until(connection, lambda s: s.status == "ready")
        assert (state.work, state.message, state.is_error) == (None, "gemma3-1b is loaded.", False)
        assert state.loaded is not None
        assert state.loaded.name == "gemma3-1b"
        await asyncio.wait_for(asking, 30)
        assert (turn.status, turn.text) == ("complete", "t0 t1 t2 ")
        assert taken_back.status == "stopped"
        assert "loading" in words
        assert "gone" not in words
        assert "busy" not in words


async def test_cancelled_load_goes_on_in_the_server() -> None:
    may_load = asyncio.Event()
    script = RockchipScript(loaded=None, may_load=may_load)
    async with raw_server(script) as server, connected(server.url) as connection:
        await until(connection, lambda s: s.models)
        loading = asyncio.create_task(connection.load("gemma3-1b"))
        await until(connection, lambda _: script.is_frozen)
        assert connection.cancel_work()
        change = await asyncio.wait_for(loading, 30)
        assert not change.is_done
        assert "may still finish it" in change.sentence
        assert not connection.cancel_work()
        may_load.set()
        state = await until(connection, lambda s: s.status == "ready" and s.loaded)
        assert state.loaded is not None
        assert state.loaded.name == "gemma3-1b"


async def test_no_model_work_during_an_answer() -> None:
    script = RockchipScript(tokens=100, token_s=0.02)
    async with raw_server(script) as server, connected(server.url) as connection:
        await until(connection, lambda s: s.loaded)
        turn = new_turn()
        asking = asyncio.create_task(connection.ask(turn))
        await until(connection, lambda _: turn.text)
        assert "An answer is running" in (await connection.unload()).sentence
        connection.stop()
        assert "still finishing" in (await connection.load("gemma3-1b")).sentence
        connection.abandon()
        await asyncio.wait_for(asking, 30)
        assert (await connection.unload()).is_done
        assert connection.state.loaded is None


async def test_a_server_that_dies_in_an_answer() -> None:
    class Dies(RockchipScript):
        async def chat(self, wire: Wire) -> None:
            await wire.head()
            await wire.token("one")
            await asyncio.sleep(0.05)
            wire.reset()

    async with raw_server(Dies()) as server, connected(server.url) as connection:
        await until(connection, lambda s: s.loaded)
        turn = new_turn()
        await asyncio.wait_for(connection.ask(turn), 30)
        assert turn.error is not None
        assert (turn.status, turn.error.kind) == ("interrupted", "cut")
        assert connection.state.slot.is_free


async def test_closing_ends_an_answer() -> None:
    script = RockchipScript(tokens=1000, token_s=0.02)
    async with raw_server(script) as server:
        async with connected(server.url) as connection:
            await until(connection, lambda s: s.loaded)
            turn = new_turn()
            asking = asyncio.create_task(connection.ask(turn))
            await until(connection, lambda _: turn.text)
        await asyncio.wait_for(asking, 30)
        assert turn.status == "stopped"
        assert connection._session.client is None


async def test_names_of_models_are_safe_in_the_state_and_whole_on_the_wire() -> None:
    class Hostile(RockchipScript):
        async def models(self, wire: Wire) -> None:
            await wire.json({"data": [{"id": "a\x1b[2J", "owned_by": "rockchip"}]})

        async def available(self, wire: Wire) -> None:
            await wire.json({"models": []})

    script = Hostile(loaded=None)
    async with raw_server(script) as server, connected(server.url) as connection:
        state = await until(connection, lambda s: s.models)
        (model,) = state.models
        assert "\x1b" not in model.name
        turn = new_turn(request(model=model.name))
        await asyncio.wait_for(connection.ask(turn), 30)
        chats = [asked for asked in server.asked if asked.path.endswith("completions")]
        assert chats[0].json["model"] == "a\x1b[2J"
