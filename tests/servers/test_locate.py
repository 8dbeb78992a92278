"""Every way to a server is one way, and says the same where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.test_streams import npulse
from tests.servers.raw_server import Wire, free_port, raw_server
from tui.servers.address import CandidateUrls
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.locate import NoServerError, choose_model, locate, look
from tui.sim.server.spawn import spawn

QUICK = PhaseTimeouts(connect_s=1.0, query_s=0.3)


@pytest.mark.slow
def test_every_command_says_the_same_where_there_is_none(tmp_path: Path) -> None:
    port = free_port()
    env = {"NPULSE_SERVER__PORTS": str(port)}
    sentence = (
        f"No rkllm server answers at 127.0.0.1:{port}; start it, or give its address with --url."
    )
    assert npulse(tmp_path, "ask", "hi", env=env) == (5, "", f"npulse ask: {sentence}\n")
    assert npulse(tmp_path, "models", env=env) == (5, "", f"npulse models: {sentence}\n")
    code, _, err = npulse(tmp_path, "bench", "run", "standard", "--ui", "none", env=env)
    assert (code, sentence in err) == (5, True)
    _, out, _ = npulse(tmp_path, "doctor", "--json", env=env)
    checks = {check["id"]: check for check in json.loads(out)["checks"]}
    assert checks["server"]["detail"] == sentence


async def test_a_server_that_does_not_answer_is_busy_and_named() -> None:
    async def script(wire: Wire) -> None:
        await wire.until_closed()

    async with raw_server(script) as server:
        for urls in ((server.url,), CandidateUrls((server.url,))):
            found = await look(urls, QUICK)
            assert (found.server, found.is_busy) == (None, True)
            assert found.busy_urls == (server.url,)
            with pytest.raises(NoServerError, match="busy, or loading a model") as absent:
                await locate(urls, QUICK)
            assert absent.value.turn_error.kind == "busy"


async def test_the_model_is_the_wanted_one_or_the_loaded_one() -> None:
    with spawn(("--speed", "100")) as simulator:
        server = await locate((simulator.url,))
        async with Client(server.url, server.dialect, access=server.access) as client:
            found = await choose_model(client, server, None)
            assert (found.info.name, found.loaded is not None) == ("qwen3-4b", True)
            assert found.info.context_tokens
            other = await choose_model(client, server, "nothing")
            assert other.choice.problem is not None


async def test_a_server_without_a_list_chooses_itself() -> None:
    async def script(wire: Wire) -> None:
        await wire.reply(500, b"", "text/plain")

    async with raw_server(script) as server:
        found = await locate((server.url,), QUICK)
        async with Client(found.url, found.dialect, QUICK) as client:
            chosen = await choose_model(client, found, None)
            named = await choose_model(client, found, "m")
    assert (chosen.info.name, chosen.models, chosen.info.context_tokens) == ("", (), None)
    assert (named.info.name, named.choice.problem) == ("m", None)
