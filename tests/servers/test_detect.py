"""Who answers there: recorded answers, and addresses where nobody or something else does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

import httpx
import pytest

from tests.servers.raw_server import Script, Wire, free_port, raw_server
from tests.servers.recordings import Recorded, recorded
from tests.servers.rockchip_script import RockchipScript
from tests.waiting import until
from tui.servers.access import Access
from tui.servers.address import CandidateUrls, normalised_url
from tui.servers.client import PhaseTimeouts
from tui.servers.connection_state import Server
from tui.servers.detect import default_urls, is_busy_error, probe, search
from tui.servers.locate import find

QUICK = PhaseTimeouts(connect_s=1.0, query_s=0.3)


def replay(*exchanges: Iterable[Recorded]) -> Script:
    """A script that answers GETs with what was recorded, everything else with a 404 page."""
    known = {one.path: one for group in exchanges for one in group if "-X POST" not in one.command}

    async def script(wire: Wire) -> None:
        one = known.get(wire.asked.path)
        if one is None:
            await wire.reply(404, b"<!doctype html><title>404 Not Found</title>", "text/html")
        else:
            content_type = one.headers.get("content-type", "application/json")
            await wire.reply(
                one.status, one.body, content_type, server=one.headers.get("server", "")
            )

    return script


async def found(script: Script, is_pinned: bool = False) -> Server | None:
    async with raw_server(script) as server:
        return (await probe(server.url, is_pinned, QUICK)).server


def test_default_ports() -> None:
    assert default_urls() == (
        "http://127.0.0.1:8021",
        "http://127.0.0.1:8080",
        "http://127.0.0.1:8000",
        "http://127.0.0.1:3000",
        "http://127.0.0.1:11434",
    )


async def test_recorded_rockchipllama() -> None:
    script = replay(
        recorded("rockchipllama", "01-identify"), recorded("rockchipllama", "02-models")
    )
    server = await found(script)
    assert server is not None
    assert (server.name, server.version) == ("RockchipLlama", "0.1.0")
    assert not server.is_simulated


async def test_rockchipllama_without_any_model() -> None:
    server = await found(RockchipScript(is_listed=False))
    assert server is not None
    assert server.name == "RockchipLlama"


async def test_rockchipllama_by_its_owner_alone() -> None:
    (models,) = [one for one in recorded("rockchipllama", "02-models") if one.path == "/v1/models"]
    server = await found(replay([models]))
    assert server is not None
    assert (server.name, server.version) == ("RockchipLlama", None)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("flask", "Rockchip demo"),
        ("flask123", "Rockchip demo (rkllm_chat)"),
        ("gatekeeper", "RKLLM-API-Server"),
        ("orkllm", "oRKLLM"),
        ("rkllama", "rkllama"),
    ],
)
async def test_recorded_servers_are_recognised(folder: str, name: str) -> None:
    server = await found(replay(recorded(folder, "01-identify"), recorded(folder, "02-models")))
    assert server is not None
    assert server.name == name


@pytest.mark.parametrize(
    ("owner", "name"),
    [("vllm", "OpenAI-compatible"), ("llamacpp", "llama.cpp"), ("rkllm", "RKLLM family")],
)
async def test_an_owner_says_what_it_is(owner: str, name: str) -> None:
    async def script(wire: Wire) -> None:
        if wire.asked.path == "/v1/models":
            await wire.json({"object": "list", "data": [{"id": "m", "owned_by": owner}]})
        else:
            await wire.reply(404, b"", "text/plain")

    server = await found(script)
    assert server is not None
    assert server.name == name


async def test_simulated_by_header_or_by_root() -> None:
    server = await found(RockchipScript(simulated=True))
    assert server is not None
    assert server.is_simulated

    async def script(wire: Wire) -> None:
        await wire.json({"name": "RockchipLlama API", "simulated": True, "data": []})

    server = await found(script)
    assert server is not None
    assert server.is_simulated


async def web_page(wire: Wire) -> None:
    await wire.reply(200, b"<!doctype html><html><title>Router</title></html>", "text/html")


async def test_a_web_page_is_no_server_unless_it_was_meant() -> None:
    assert await found(web_page) is None
    server = await found(web_page, is_pinned=True)
    assert server is not None
    assert server.name == "OpenAI-compatible"


@pytest.mark.parametrize("body", [b"[1, 2]", b'"x"', b"nonsense", b"", b"[" * 100_000])
async def test_json_that_is_no_model_list(body: bytes) -> None:
    async def script(wire: Wire) -> None:
        await wire.reply(200, body)

    assert await found(script) is None


async def test_nothing_there() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    nothing = await probe(url, True, QUICK)
    assert (nothing.outcome, nothing.server) == ("absent", None)
    assert "connection refused" in nothing.sentence
    assert await find([url], QUICK) is None


async def test_no_answer_is_busy_and_not_absent() -> None:
    async def script(wire: Wire) -> None:
        await wire.until_closed()

    async with raw_server(script) as server:
        busy = await probe(server.url, True, QUICK)
    assert (busy.outcome, busy.server) == ("busy", None)
    assert "busy" in busy.sentence


async def test_a_full_queue_of_connections_is_busy_where_it_can_be_nothing_else() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        place = listening.getsockname()
        # The kernel drops what does not fit into the queue, as a host that is off would.
        with ExitStack() as stack:
            for _ in range(4):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(place)
            full = await probe(f"http://127.0.0.1:{place[1]}", True, PhaseTimeouts(connect_s=0.3))
    assert full.outcome == "busy"
    assert not is_busy_error(httpx.ConnectTimeout("off"), "http://192.0.2.1:8021")


async def test_something_that_is_not_http() -> None:
    async def script(wire: Wire) -> None:
        await wire.raw(b"220 mail ready\r\n\r\n")

    async with raw_server(script) as server:
        other = await probe(server.url, True, QUICK)
    assert (other.outcome, other.server) == ("unknown", None)


async def hangs(wire: Wire) -> None:
    await wire.until_closed()


async def test_at_a_guess_only_a_recognised_server_counts() -> None:
    async with raw_server(RockchipScript()) as rockchip, raw_server(web_page) as page:
        server = await find(CandidateUrls((page.url, rockchip.url)), QUICK)
        assert server is not None
        assert server.url == rockchip.url
        assert await find(CandidateUrls((page.url,)), QUICK) is None
        (other,) = await search(CandidateUrls((page.url,)), QUICK)
        assert other.outcome == "unknown"


async def test_what_is_recognised_wins_over_what_is_not_wherever_it_stands() -> None:
    async with raw_server(RockchipScript()) as rockchip, raw_server(web_page) as page:
        for urls in ([rockchip.url, page.url], [page.url, rockchip.url]):
            server = await find(urls, QUICK)
            assert server is not None
            assert server.url == rockchip.url


async def test_the_first_of_equals_wins() -> None:
    async with raw_server(RockchipScript()) as one, raw_server(RockchipScript()) as other:
        for urls in ([one.url, other.url], [other.url, one.url]):
            server = await find(urls, QUICK)
            assert server is not None
            assert server.url == urls[0]


async def test_a_kind_that_was_named_is_believed_at_an_address_that_was_named() -> None:
    access = Access(kind="rkllama")
    async with raw_server(web_page) as page:
        assert await look_for([page.url], access) == "rkllama"
        assert await look_for(CandidateUrls((page.url,)), access) is None
    async with raw_server(RockchipScript()) as rockchip:
        assert await look_for(CandidateUrls((rockchip.url,)), access) is None


async def look_for(urls: Sequence[str], access: Access) -> str | None:
    (found,) = await search(urls, QUICK, access)
    return None if found.server is None else found.server.name


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_found_server_does_not_wait_for_one_that_hangs(is_first: bool) -> None:
    patient = PhaseTimeouts(connect_s=60.0, query_s=60.0)
    async with raw_server(hangs) as hanging, raw_server(RockchipScript()) as rockchip:
        urls = [hanging.url, rockchip.url] if is_first else [rockchip.url, hanging.url]
        probes = await asyncio.wait_for(search(urls, patient), 30)
        assert sorted(probe.outcome for probe in probes) == ["busy", "server"]
        assert [probe.url for probe in probes] == urls
        await until(lambda: hanging.open_now == 0)


async def test_all_are_asked_at_once() -> None:
    together = asyncio.Event()
    count = 0

    async def script(wire: Wire) -> None:
        nonlocal count
        count += 1
        if count == 3:
            together.set()
        await together.wait()
        await wire.reply(404, b"", "text/plain")

    async with raw_server(script) as server:
        urls = [f"{server.url}/{name}" for name in "abc"]
        probes = await asyncio.wait_for(search(urls, PhaseTimeouts(query_s=20.0)), 30)
        assert [probe.outcome for probe in probes] == ["server"] * 3


async def test_text_of_a_server_is_sanitised() -> None:
    async def script(wire: Wire) -> None:
        await wire.json({"name": "RockchipLlama API", "version": "1\x1b]0;x\x07\n2"})

    server = await found(script)
    assert server is not None
    assert server.version is not None
    assert not any(c < " " for c in server.version)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("127.0.0.1:8021", "http://127.0.0.1:8021"),
        ("http://board:8021/", "http://board:8021"),
        ("http://board:8021/v1", "http://board:8021"),
        ("http://board:8021/v1/", "http://board:8021"),
        (" https://board/llm/v1 ", "https://board/llm"),
        ("board", "http://board"),
        ("http://[::1]:8021/?a=b#c", "http://[::1]:8021"),
    ],
)
def test_addresses(given: str, expected: str) -> None:
    assert normalised_url(given) == expected


@pytest.mark.parametrize(
    "given",
    ["", "ftp://x", "http://", "http://x:99999999", "http:// x", "\x1b[2J", "http://me:secret@x"],
)
def test_what_is_no_address(given: str) -> None:
    with pytest.raises(ValueError, match=r"give http://HOST:PORT"):
        normalised_url(given)


def test_labels() -> None:
    async def label(url: str) -> str:
        server = await found(RockchipScript())
        assert server is not None
        return Server(url, server.dialect, server.name).label

    assert asyncio.run(label("http://127.0.0.1:8021")) == "RockchipLlama :8021"
    assert asyncio.run(label("http://board:8021")) == "RockchipLlama board:8021"
    assert asyncio.run(label("http://localhost.example:80")) == "RockchipLlama localhost.example:80"
