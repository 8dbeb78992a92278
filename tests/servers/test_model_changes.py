"""Loading and unloading, in the order that a fragile server survives."""

from __future__ import annotations

import pytest

from tests.servers.model_servers import GIB, OPENAI, QUICK, ROCKCHIP
from tests.servers.raw_server import Wire, free_port, raw_server
from tests.servers.rockchip_script import RockchipScript
from tui.servers import model_choice, models
from tui.servers.client import Client
from tui.servers.dialects import (
    rkllama,
)


async def test_a_load_beside_a_loaded_one_and_an_unload_by_name() -> None:
    """rkllama keeps several models, and unloads the one that is named."""
    loaded = ["a"]
    posted: list[tuple[str, object]] = []

    async def script(wire: Wire) -> None:
        path = wire.asked.path
        if wire.asked.method == "POST":
            posted.append((path, wire.asked.json))
            name = str(wire.asked.json["model_name"])
            loaded.remove(name) if path == "/unload_model" else loaded.append(name)
            await wire.json({"message": "done"})
        elif path == "/v1/models":
            await wire.json({"data": [{"id": "a"}, {"id": "b"}]})
        else:
            rows = loaded if path == "/api/ps" else ["a", "b"]
            await wire.json({"models": [{"name": name, "size": GIB} for name in rows]})

    async with raw_server(script) as server, Client(server.url, rkllama.DIALECT) as client:
        change = await models.load(client, "b")
        assert change.is_done, change.sentence
        assert [model.is_loaded for model in change.models] == [True, True]
        change = await models.unload(client, name="a")
        assert (change.is_done, change.sentence) == (True, "a is unloaded.")
    assert posted == [("/load_model", {"model_name": "b"}), ("/unload_model", {"model_name": "a"})]


async def test_switching_unloads_first() -> None:
    script = RockchipScript(loaded="qwen3-4b")
    steps: list[str] = []
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        change = await models.load(client, "gemma3-1b", steps.append)
    assert change.is_done, change.sentence
    assert steps == ["unloading qwen3-4b", "loading gemma3-1b"]
    assert script.loaded == "gemma3-1b"
    assert not script.hung
    assert model_choice.loaded_model(change.models) == model_choice.find_model(
        "gemma3-1b", change.models
    )


async def test_an_unknown_name_is_never_sent() -> None:
    script = RockchipScript(loaded="qwen3-4b")
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        change = await models.load(client, "gemma3-1bb")
    assert not change.is_done
    assert "did you mean 'gemma3-1b'?" in change.sentence
    assert not any("POST" in call for call in script.calls)
    assert script.loaded == "qwen3-4b"


async def test_loading_the_loaded_one_does_nothing() -> None:
    script = RockchipScript(loaded="qwen3-4b")
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        change = await models.load(client, "qwen3-4b")
    assert change.is_done
    assert not any("POST" in call for call in script.calls)


async def test_too_big_is_not_tried_unless_forced() -> None:
    script = RockchipScript(loaded=None)
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        change = await models.load(client, "qwen3-4b", available_bytes=GIB)
        assert (change.is_done, change.is_memory_problem) == (False, True)
        assert "It does not fit: it needs up to" in change.sentence
        assert script.loaded is None
        assert (await models.load(client, "qwen3-4b", available_bytes=GIB, is_forced=True)).is_done


async def test_the_memory_of_the_loaded_one_counts_as_free() -> None:
    script = RockchipScript(loaded="qwen3-4b")
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        assert (await models.load(client, "gemma3-1b", available_bytes=1)).is_done


async def test_unload() -> None:
    script = RockchipScript(loaded="qwen3-4b")
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        change = await models.unload(client)
        assert (change.is_done, change.sentence) == (True, "qwen3-4b is unloaded.")
        assert model_choice.loaded_model(change.models) is None
        change = await models.unload(client)
        assert (change.is_done, change.sentence) == (True, "No model is loaded.")


@pytest.mark.slow
async def test_a_load_that_takes_longer_than_a_question() -> None:
    script = RockchipScript(loaded=None, load_s=1.5)
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        assert (await models.load(client, "gemma3-1b")).is_done


async def test_a_load_that_fails_says_why() -> None:
    class Fails(RockchipScript):
        async def load(self, wire: Wire) -> None:
            await wire.json({"detail": "Failed to load model: rkllm_init returned -1\x1b[2J"}, 500)

    script = Fails(loaded=None)
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        change = await models.load(client, "gemma3-1b")
    assert not change.is_done
    assert "rkllm_init returned -1" in change.sentence
    assert "\x1b" not in change.sentence


async def test_a_load_that_only_claims_success() -> None:
    class Lies(RockchipScript):
        async def load(self, wire: Wire) -> None:
            await wire.json({"success": True, "message": "ok"})

    async with raw_server(Lies(loaded=None)) as server, Client(server.url, ROCKCHIP) as client:
        change = await models.load(client, "gemma3-1b")
    assert not change.is_done
    assert "but has none" in change.sentence


async def test_plain_servers_cannot_be_told() -> None:
    async def script(wire: Wire) -> None:
        await wire.json({"data": [{"id": "m"}]})

    async with raw_server(script) as server, Client(server.url, OPENAI) as client:
        assert "on request" in (await models.load(client, "m")).sentence
        assert "on request" in (await models.unload(client)).sentence


async def test_nobody_there() -> None:
    async with Client(f"http://127.0.0.1:{free_port()}", ROCKCHIP) as client:
        assert "connection refused" in (await models.load(client, "m")).sentence
        assert "connection refused" in (await models.unload(client)).sentence
