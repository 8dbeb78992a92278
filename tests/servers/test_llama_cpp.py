"""npulse against a genuine llama.cpp server: its counts, its times, its stop."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter_ns

import pytest

from tests.servers.real_llama_cpp import real_llama_cpp
from tests.servers.requests import request
from tui.core.turn.turn import Turn
from tui.core.types import GenerationSettings
from tui.servers.client import Client
from tui.servers.exchange import StreamedRequest
from tui.servers.locate import choose_model, locate
from tui.servers.slot import Slot


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with real_llama_cpp(tmp_path_factory.mktemp("llama")) as address:
        yield address


async def test_it_is_recognised_with_its_model(url: str) -> None:
    server = await locate([url])
    assert server.name == "llama.cpp"
    async with Client(url, server.dialect) as client:
        found = await choose_model(client, server, None)
    assert found.loaded is not None
    assert found.info.context_tokens == 1024
    assert found.info.size_bytes


async def test_its_counts_and_times_are_its_own(url: str) -> None:
    server = await locate([url])
    settings = GenerationSettings(max_tokens=120, temperature=0.0)
    async with Client(url, server.dialect) as client:
        name = (await choose_model(client, server, None)).choice.name
        asked = request("Why is decoding memory-bound?", settings=settings, model=name)
        turn = Turn(asked, perf_counter_ns(), server.dialect.chunk_meaning)
        await StreamedRequest(client, asked, turn, Slot()).run()
    stats = turn.stats(perf_counter_ns())
    assert (turn.status, turn.error) == ("complete", None)
    assert (stats.tokens, stats.tokens_source) == (120, "runtime")
    assert stats.decode_source in ("runtime", "measured")
    assert turn.text.strip()


async def test_a_stop_stops_it(url: str) -> None:
    server = await locate([url])
    settings = GenerationSettings(max_tokens=900, temperature=0.0)
    async with Client(url, server.dialect) as client:
        asked = request("Go on.", settings=settings)
        turn = Turn(asked, perf_counter_ns(), server.dialect.chunk_meaning)
        turn.stop(perf_counter_ns())
        await StreamedRequest(client, asked, turn, Slot()).run()
        path = server.dialect.busy_path
        assert path is not None

        async def is_idle() -> bool:
            light = server.dialect.parse_busy((await client.get(path)).json)
            return light is not None and light.n_running == 0

        assert await is_idle()
    assert turn.status == "stopped"
