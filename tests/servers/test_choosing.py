"""The connection of a session where there is something to choose: models, and servers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from tests.servers.connected import QUICK, until
from tests.servers.connected import connected as connected_to
from tests.servers.raw_server import Wire, free_port, raw_server
from tests.servers.requests import new_turn, request
from tests.servers.rockchip_script import RockchipScript
from tui.servers.connection import Connection
from tui.servers.remembered_servers import RememberedServers

connected = partial(connected_to, is_explicit=False)
"""At addresses that nobody named."""


@dataclass
class OllamaScript:
    """Ollama with these models, none of them loaded before it was asked."""

    names: Sequence[str] = ("a", "b", "c")
    loaded: list[str] = field(default_factory=list)
    asked: list[object] = field(default_factory=list)

    async def __call__(self, wire: Wire) -> None:
        path = wire.asked.path
        if path == "/":
            await wire.reply(200, b"Ollama is running", "text/plain")
        elif path in ("/api/tags", "/api/ps"):
            names = self.names if path == "/api/tags" else self.loaded
            await wire.json({"models": [{"name": name, "size": 10**9} for name in names]})
        elif path == "/api/chat":
            self.asked.append(wire.asked.json["model"])
            line = b'{"message": {"content": "hi"}, "done": false}\n{"done": true}\n'
            await wire.reply(200, line, "application/x-ndjson")
        else:
            await wire.reply(404, b"", "text/plain")


async def test_a_model_has_to_be_chosen_and_is_remembered() -> None:
    script = OllamaScript()
    async with raw_server(script) as server, connected(server.url) as connection:
        state = await until(connection, lambda s: s.models)
        assert (state.choice.name, state.answering) == ("", None)
        assert "wants one by name" in (state.choice.problem or "")
        turn = new_turn(request(model=""))
        await connection.ask(turn)
        assert (turn.status, script.asked) == ("refused", [])
        await connection.use(server.url, "b")
        state = connection.state
        assert (state.choice.name, state.choice.problem) == ("b", None)
        assert (state.message, state.is_error) == (None, False)
        assert state.answering is not None
        assert state.remembered == RememberedServers(server.url, {server.url: "b"})
        turn = new_turn(request(model=""))
        await asyncio.wait_for(connection.ask(turn), 30)
        assert (turn.status, script.asked) == ("complete", ["b"])
    remembered = RememberedServers(models={server.url: "c"})
    async with (
        raw_server(script) as server,
        connected(server.url, remembered=replaced(remembered, server.url)) as connection,
    ):
        state = await until(connection, lambda s: s.models)
        assert (state.choice.name, state.choice.reason) == ("c", "used last")


def replaced(remembered: RememberedServers, url: str) -> RememberedServers:
    return RememberedServers(models=dict.fromkeys([url], *remembered.models.values()))


async def test_the_configured_model_is_asked_until_another_is_chosen() -> None:
    script = OllamaScript(loaded=["a"])
    async with raw_server(script) as server, connected(server.url, model="c") as connection:
        state = await until(connection, lambda s: s.models)
        assert (state.choice.name, state.choice.reason) == ("c", "asked for")
        await connection.use(server.url, "b")
        assert connection.state.choice.name == "b"


async def test_a_configured_model_that_is_not_there_is_one_sentence() -> None:
    async with (
        raw_server(OllamaScript()) as server,
        connected(server.url, model="aa") as connection,
    ):
        state = await until(connection, lambda s: s.models)
        assert state.choice.problem is not None
        assert state.choice.problem.startswith("The server has no model 'aa'; did you mean")
        assert state.answering is None
        assert state.is_connected


async def test_what_was_loaded_here_answers_whatever_was_configured() -> None:
    script = RockchipScript(loaded="qwen3-4b")
    async with raw_server(script) as server, connected(server.url, model="qwen3-4b") as connection:
        await until(connection, lambda s: s.loaded)
        assert (await connection.load("gemma3-1b")).is_done
        state = connection.state
        assert (state.choice.name, state.choice.problem) == ("gemma3-1b", None)
        assert state.remembered.model_of(server.url) == "gemma3-1b"


async def test_the_others_are_seen_with_their_models_and_can_be_used() -> None:
    ollama = OllamaScript()
    async with (
        raw_server(RockchipScript()) as one,
        raw_server(ollama) as other,
        connected(one.url, other.url) as connection,
    ):
        state = await until(connection, lambda s: s.models)
        assert state.server is not None
        assert state.server.url == one.url
        assert [seen.server.url for seen in state.others] == [other.url]
        await connection.survey()
        (seen,) = connection.state.others
        assert [model.name for model in seen.models] == ["a", "b", "c"]
        await connection.use(other.url, "b")
        state = connection.state
        assert state.server is not None
        assert (state.server.url, state.choice.name) == (other.url, "b")
        assert [seen.server.url for seen in state.others] == [one.url]
        assert [model.name for model in state.others[0].models] == ["qwen3-4b", "gemma3-1b", "tiny"]
        assert state.remembered.url == other.url
        turn = new_turn(request(model=""))
        await asyncio.wait_for(connection.ask(turn), 30)
        assert (turn.status, ollama.asked) == ("complete", ["b"])
        await connection.use("http://127.0.0.1:1", "x")
        assert connection.state.message == "No server is known at http://127.0.0.1:1 any more."
        assert connection.state.is_error


async def test_a_running_answer_is_not_left_for_another_server() -> None:
    script = RockchipScript(tokens=100, token_s=0.02)
    async with (
        raw_server(script) as one,
        raw_server(OllamaScript()) as other,
        connected(one.url, other.url) as connection,
    ):
        await until(connection, lambda s: s.loaded)
        turn = new_turn()
        asking = asyncio.create_task(connection.ask(turn))
        await until(connection, lambda _: turn.text)
        await connection.use(other.url, "b")
        state = connection.state
        assert state.server is not None
        assert (state.server.url, state.is_error) == (one.url, True)
        assert "An answer is running" in (state.message or "")
        connection.stop()
        connection.abandon()
        await asyncio.wait_for(asking, 30)


async def test_a_server_that_is_gone_is_waited_for_though_another_answers() -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with raw_server(OllamaScript()) as other, connected(url, other.url) as connection:
        async with raw_server(RockchipScript(), port):
            state = await until(connection, lambda s: s.server is not None)
            if state.server is not None and state.server.url != url:
                await until(connection, lambda s: s.others)
                await connection.use(url, "qwen3-4b")
            before = await until(connection, lambda s: s.loaded)
        state = await until(connection, lambda s: s.status == "gone")
        assert state.since_ns is not None
        assert before.since_ns is not None
        assert state.since_ns > before.since_ns
        await until(connection, lambda s: s.others and "does not answer" in (s.problem or ""))
        await asyncio.sleep(0.3)
        state = connection.state
        assert state.server is not None
        assert (state.status, state.server.url) == ("gone", url)
        async with raw_server(RockchipScript(), port):
            await until(connection, lambda s: s.status == "ready")
        await until(connection, lambda s: s.status == "gone" and s.others)
        await connection.use(other.url, "a")
        state = connection.state
        assert state.server is not None
        assert (state.status, state.server.url) == ("ready", other.url)


async def test_a_server_without_a_list_can_be_asked() -> None:
    async def script(wire: Wire) -> None:
        if wire.asked.path.endswith("completions"):
            await wire.head()
            await wire.token("ok")
            await wire.done()
        else:
            await wire.json({"error": "no"}, 403)

    async with raw_server(script) as server:
        connection = Connection((server.url,), QUICK, check_every_s=0.05, probe_timeouts=QUICK)
        words: list[str] = []
        connection.on_change = lambda: words.append(connection.state.status)
        running = asyncio.create_task(connection.run())
        await until(connection, lambda s: s.problem)
        turn = new_turn(request(model=""))
        await asyncio.wait_for(connection.ask(turn), 30)
        assert (turn.status, turn.text) == ("complete", "ok")
        assert "gone" not in words
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_the_older_demo_that_ends_is_noticed() -> None:
    async def script(wire: Wire) -> None:
        is_chat = wire.asked.path == "/rkllm_chat"
        await wire.reply(405 if is_chat else 404, b"<title>no</title>", "text/html")

    port = free_port()
    async with connected(f"http://127.0.0.1:{port}") as connection:
        async with raw_server(script, port):
            state = await until(connection, lambda s: s.models)
            assert state.choice.name == "rkllm"
        await until(connection, lambda s: s.status == "gone")


async def test_a_model_that_a_prompt_loads_is_named_while_it_answers() -> None:
    class Loads(RockchipScript):
        async def chat(self, wire: Wire) -> None:
            self.loaded = "gemma3-1b"
            await super().chat(wire)

    script = Loads(loaded=None, tokens=60, token_s=0.02)
    async with raw_server(script) as server, connected(server.url) as connection:
        await until(connection, lambda s: s.models)
        turn = new_turn(request(model=""))
        asking = asyncio.create_task(connection.ask(turn))
        state = await until(connection, lambda s: s.loaded)
        assert not turn.phase.is_over
        assert state.in_use is not None
        assert (state.in_use.name, state.choice.name) == ("gemma3-1b", "gemma3-1b")
        await asyncio.wait_for(asking, 30)
        assert turn.status == "complete"


async def test_after_a_refusal_it_is_looked_again_what_is_there() -> None:
    port = free_port()
    async with connected(f"http://127.0.0.1:{port}") as connection:
        async with raw_server(RockchipScript(), port):
            state = await until(connection, lambda s: s.loaded)
            assert state.server is not None
            assert state.server.name == "RockchipLlama"
        await until(connection, lambda s: s.status == "gone")
        async with raw_server(OllamaScript(loaded=["b"]), port):
            state = await until(connection, lambda s: s.status == "ready" and s.models)
            assert state.server is not None
            assert (state.server.name, state.choice.name) == ("Ollama", "b")


async def test_while_it_is_busy_it_stays_what_it_was() -> None:
    script = RockchipScript()
    async with raw_server(script) as server, connected(server.url) as connection:
        before = await until(connection, lambda s: s.loaded)
        script.is_frozen = True
        state = await until(connection, lambda s: s.status == "busy")
        assert (state.server, state.models, state.choice) == (
            before.server,
            before.models,
            before.choice,
        )
        assert "GET /" not in script.calls[script.calls.index("GET /v1/models/loaded") :]
        script.is_frozen = False
        script.thaw.set()
        await until(connection, lambda s: s.status == "ready")


async def test_a_remembered_server_that_is_not_there_is_told() -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    remembered = RememberedServers(gone)
    async with (
        raw_server(RockchipScript()) as one,
        raw_server(OllamaScript()) as other,
        connected(gone, one.url, other.url, remembered=remembered) as connection,
    ):
        state = await until(connection, lambda s: s.models)
        assert state.note is None, "an arbitrary choice is told by the others"
        assert state.others
    async with (
        raw_server(RockchipScript()) as one,
        connected(gone, one.url, remembered=remembered) as connection,
    ):
        state = await until(connection, lambda s: s.models)
        assert state.note is not None
        assert state.note.startswith(f"{gone}, which was chosen earlier, does not answer;")
        assert state.remembered.url == gone
        await connection.use(one.url, "qwen3-4b")
        assert connection.state.remembered.url == one.url
