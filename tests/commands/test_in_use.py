"""What would end somebody else's answer is not done unasked."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from typing import TypeVar

import pytest

from tests.board.readers.test_process import TCP_HEAD, tcp_row
from tests.servers.raw_server import RawServer, Script, Wire, raw_server
from tui.board.readers.files import Files
from tui.commands import models
from tui.commands.in_use import npu_reason, overlap_guard, waits_behind_another, why_in_use
from tui.commands.wait_lines import WaitLines
from tui.core.turn.server_wait import ServerWait
from tui.servers.client import Client
from tui.servers.connection_state import Server
from tui.servers.dialects import openai, orkllm, rkllm_api_server, rockchipllama
from tui.servers.dialects.dialect import Dialect

T = TypeVar("T")


def board(root: Path, load: str | None) -> Files:
    if load is not None:
        (root / "proc/rknpu").mkdir(parents=True)
        (root / "proc/rknpu/load").write_text(load)
    return Files(root)


BUSY, IDLE = "NPU load:  Core0: 62%, Core1: 0%, Core2:  0%,\n", "NPU load:  0%\n"


@pytest.mark.parametrize(
    ("load", "url", "is_simulated", "reason"),
    [
        (BUSY, "http://127.0.0.1:8000", False, "the NPU load is 62 %"),
        (IDLE, "http://127.0.0.1:8000", False, None),
        (None, "http://127.0.0.1:8000", False, None),
        ("nonsense", "http://127.0.0.1:8000", False, None),
        (BUSY, "http://127.0.0.1:8000", True, None),
        (BUSY, "http://board.invalid:8000", False, None),
    ],
)
def test_what_the_npu_says(
    tmp_path: Path, load: str | None, url: str, is_simulated: bool, reason: str | None
) -> None:
    server = Server(url, orkllm.DIALECT, "oRKLLM", is_simulated=is_simulated)
    assert npu_reason(server, board(tmp_path, load)) == reason


@pytest.mark.parametrize(
    ("load", "port", "state", "is_behind"),
    [
        (BUSY, 8021, "01", True),
        (IDLE, 8021, "01", False),
        (BUSY, 8021, "06", False),
        (BUSY, 8021, "0A", False),
        (BUSY, 8080, "01", False),
        (None, 8021, "01", False),
    ],
    ids=["both", "no load", "our last one, closed", "listens", "another port", "nothing known"],
)
def test_a_prompt_waits_where_the_npu_works_and_somebody_is_connected(
    tmp_path: Path, load: str | None, port: int, state: str, is_behind: bool
) -> None:
    files = board(tmp_path, load)
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/tcp").write_text(TCP_HEAD + tcp_row(port, state, 7))
    server = Server("http://127.0.0.1:8021", rockchipllama.DIALECT, "RockchipLlama")
    assert waits_behind_another(server, files) is is_behind


def test_only_where_a_prompt_does_harm_it_is_held_back(tmp_path: Path) -> None:
    files = board(tmp_path, BUSY)

    def reason(dialect: Dialect) -> str | None:
        return overlap_guard(Server("http://127.0.0.1:8000", dialect, dialect.name), files)()

    assert reason(orkllm.DIALECT) == (
        "the NPU load is 62 %, and a prompt would end the answer that oRKLLM gives now"
    )
    assert reason(openai.DIALECT) is None


def api_server(*, is_busy: bool) -> Script:
    rows = [{"id": n, "owned_by": "rkllm", "context_length": 4096} for n in ("a-1b", "b-1b")]
    loaded = ["a-1b"]

    async def serve(wire: Wire) -> None:
        if wire.asked.path == "/v1/models":
            await wire.json({"data": rows})
        elif wire.asked.path == "/health":
            running = {"id": "x", "elapsed": 3.0} if is_busy else None
            health = {"current_model": loaded[0], "models_available": 2}
            await wire.json({**health, "active_request": running})
        elif wire.asked.method == "POST":
            loaded[0] = str(wire.asked.json["model"])
            await wire.json({"status": "ok", "model": loaded[0]})
        else:
            await wire.json({"detail": "no"}, 404)

    return serve


def served(script: Script, work: Callable[[str], T]) -> tuple[T, RawServer]:
    async def run() -> tuple[T, RawServer]:
        async with raw_server(script) as server:
            return await asyncio.to_thread(work, server.url), server

    return asyncio.run(run())


def load(*more: str) -> Callable[[str], int]:
    return lambda url: models.main(["load", "b-1b", "--url", url, *more])


@pytest.mark.parametrize("action", ["load", "unload"])
def test_models_of_a_server_at_work_are_not_changed_unasked(
    action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [action, "b-1b"] if action == "load" else [action]

    def change(url: str) -> int:
        return models.main([*words, "--url", url])

    code, server = served(api_server(is_busy=True), change)
    said = capsys.readouterr()
    assert (code, said.out) == (4, "")
    assert (
        f"RKLLM-API-Server is working on an answer: to {action} a model now may end an answer "
        "that is running. --yes does it anyway."
    ) in said.err
    assert all(asked.method == "GET" for asked in server.asked)


def test_with_yes_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert served(api_server(is_busy=True), load("--yes"))[0] == 0
    assert capsys.readouterr().out.startswith("b-1b is loaded.")


def test_an_idle_server_is_not_asked_about(capsys: pytest.CaptureFixture[str]) -> None:
    assert served(api_server(is_busy=False), load())[0] == 0
    assert "--yes" not in capsys.readouterr().err


class Typed(io.StringIO):
    """What a person types at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "code"), [("y\n", 0), ("YES\n", 0), ("n\n", 4), ("\n", 4), ("", 4)]
)
def test_at_a_terminal_it_is_asked(typed: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Typed()
    monkeypatch.setattr("sys.stdin", Typed(typed))
    monkeypatch.setattr("sys.stderr", said)
    assert served(api_server(is_busy=True), load())[0] == code
    assert "may end an answer that is running. Go on? [y/N] " in said.getvalue()
    assert ("Nothing was changed." in said.getvalue()) == (code == 4)


def test_the_refusal_is_in_the_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert served(api_server(is_busy=True), load("--json"))[0] == 4
    said = json.loads(capsys.readouterr().out)
    assert said["is_done"] is False
    assert "--yes" in said["message"]


async def test_a_server_without_a_light_is_judged_by_the_npu(tmp_path: Path) -> None:
    async with raw_server(api_server(is_busy=True)) as raw:
        plain = Server(raw.url, openai.DIALECT, "OpenAI-compatible")
        light = Server(raw.url, rkllm_api_server.DIALECT, "RKLLM-API-Server")
        files = board(tmp_path, BUSY)
        async with Client(raw.url, plain.dialect) as client:
            assert await why_in_use(client, plain, files) == "the NPU load is 62 %"
        async with Client(raw.url, light.dialect) as client:
            said = await why_in_use(client, light, files)
            assert said == "RKLLM-API-Server is working on an answer"


def test_a_short_wait_is_not_told_and_a_reason_once(capsys: pytest.CaptureFixture[str]) -> None:
    now_ns = perf_counter_ns()
    WaitLines("npulse ask", after_s=60.0).tell(ServerWait("busy", now_ns))
    assert capsys.readouterr().err == ""
    lines = WaitLines("npulse ask")
    for reason in ("busy", "busy", None, "busy", "loading"):
        lines.tell(None if reason is None else ServerWait(reason, now_ns - 90 * 10**9))
    said = capsys.readouterr().err.splitlines()
    reasons = [line.partition(": ")[2].partition(";")[0] for line in said]
    assert reasons == ["busy", "busy", "loading"]
    assert said[0].endswith("waiting (1 min 30 s so far), Ctrl+C stops")
