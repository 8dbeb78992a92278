"""``npulse ask`` of a server that is busy, and what an end of the wait leaves behind."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.commands.asking import asked_of, said, start
from tests.servers.cases import models_then
from tests.servers.raw_server import RawServer, Wire, raw_server

pytestmark = pytest.mark.slow


def test_a_busy_server_is_waited_for_with_a_line_and_the_wait_is_in_the_json(
    tmp_path: Path,
) -> None:
    left = [3]

    async def serve(wire: Wire) -> None:
        if wire.asked.method == "GET":
            await models_then(lambda _: asyncio.sleep(0))(wire)
        elif left[0]:
            left[0] -= 1
            await wire.json({"error": {"message": "RKLLM_Server is busy!"}}, 503)
        else:
            await wire.head()
            await wire.token("done")
            await wire.done()

    code, out, err = asked_of(serve, tmp_path, "hello", "--json", "--stats")
    answer = said(out)
    assert (code, answer["text"]) == (0, "done")
    assert answer["queue_ms"] > 1500
    assert answer["ttft_ms"] < answer["queue_ms"]
    waiting, footer = err.splitlines()
    assert "server busy: “RKLLM_Server is busy!”; waiting, Ctrl+C stops" in waiting
    assert "queue " in footer


def test_a_server_too_busy_to_list_its_models_is_waited_for(tmp_path: Path) -> None:
    """As one that serves one connection at a time, while it answers somebody else."""
    free_at = [0.0]

    async def serve(wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        free_at[0] = free_at[0] or loop.time() + 3.5
        await asyncio.sleep(max(free_at[0] - loop.time(), 0.0))
        if wire.asked.method == "GET":
            await models_then(lambda _: asyncio.sleep(0))(wire)
        else:
            await wire.head()
            await wire.token("done")
            await wire.done()

    code, out, err = asked_of(serve, tmp_path, "hello")
    assert (code, out) == (0, "done\n")
    assert "accepts connections but does not answer" in err
    assert err.count("Ctrl+C stops") == 1


def test_ctrl_c_ends_a_wait_at_once(tmp_path: Path) -> None:
    async def serve(wire: Wire) -> None:
        if wire.asked.method == "GET":
            await models_then(lambda _: asyncio.sleep(0))(wire)
        else:
            await wire.reply(503, b"later", "text/plain", retry_after="20")

    async def run() -> tuple[str, int]:
        async with raw_server(serve) as server:
            process = start(tmp_path, "hello", "--url", server.url)

            def stop() -> str:
                assert process.stdin is not None
                process.stdin.close()
                assert process.stderr is not None
                line = process.stderr.readline()
                process.send_signal(signal.SIGINT)
                process.wait(60)
                return line

            line = await asyncio.to_thread(stop)
            return line, process.returncode

    line, code = asyncio.run(run())
    assert "waiting, Ctrl+C stops" in line
    assert code == 130


def test_leaving_an_answer_of_rkllama_drops_its_model(tmp_path: Path) -> None:
    """Else the server lists it for a minute longer, and the next prompt hangs."""
    row = {"name": "qwen3-4b", "size": 7}

    async def serve(wire: Wire) -> None:
        path = wire.asked.path
        if path == "/v1/models":
            await wire.json({"data": [{"id": "qwen3-4b", "owned_by": "rkllama"}]})
        elif wire.asked.method == "GET":
            await wire.json({"models": [row]})
        elif path == "/unload_model":
            await wire.json({"message": "unloaded"})
        else:
            await wire.head()
            await wire.token("one ")
            await wire.until_closed()

    async def run() -> tuple[str, RawServer]:
        async with raw_server(serve) as server:
            process = start(tmp_path, "hello", "--url", server.url)

            def stop() -> str:
                assert process.stdout is not None
                assert process.stdin is not None
                process.stdin.close()
                assert process.stdout.read(4) == "one "
                process.send_signal(signal.SIGINT)
                assert process.wait(60) == 130
                assert process.stderr is not None
                return process.stderr.read()

            return await asyncio.to_thread(stop), server

    err, server = asyncio.run(run())
    (told,) = [asked for asked in server.asked if asked.path == "/unload_model"]
    assert told.json == {"model_name": "qwen3-4b"}
    assert "drops the model with this answer" in err
