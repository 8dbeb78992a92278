"""The client against the simulated board: a process of its own, whose log is the truth."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter_ns

import pytest

from tests.servers.requests import USUAL, request
from tests.waiting import until
from tui.core.turn.turn import Turn
from tui.core.types import GenerationSettings
from tui.servers import models
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.connection import Connection
from tui.servers.dialects import rockchipllama
from tui.servers.exchange import answer
from tui.servers.locate import find
from tui.servers.loop import EventLoopThread
from tui.sim.server.spawn import Simulator, spawn

FAST = ("--decode-tps", "200", "--prefill-tps", "4000", "--tokens", "60")


@contextmanager
def looped() -> Iterator[EventLoopThread]:
    loop = EventLoopThread()
    loop.start()
    try:
        yield loop
    finally:
        loop.stop()


async def asked(url: str, settings: GenerationSettings) -> Turn:
    asking = request("Tell me about the NPU.", settings=settings)
    turn = Turn(asking, perf_counter_ns())
    timeouts = PhaseTimeouts(first_byte_s=20.0, idle_s=2.0, busy_s=1.0)
    async with Client(url, rockchipllama.DIALECT, timeouts) as client:
        await answer(client, asking, turn)
    return turn


def ask(simulator: Simulator, settings: GenerationSettings = USUAL) -> Turn:
    with looped() as loop:
        return loop.submit(asked(simulator.url, settings)).result(60)


def test_found_and_labelled() -> None:
    with spawn(FAST) as simulator, looped() as loop:
        server = loop.submit(find([simulator.url])).result(60)
    assert server is not None
    assert (server.name, server.is_simulated) == ("RockchipLlama", True)


@pytest.mark.timing
def test_times_agree_with_the_log(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    with spawn((*FAST, "--truth", str(truth))) as simulator:
        turn = ask(simulator)
    events = [json.loads(line) for line in truth.read_text("utf-8").splitlines()]
    sent_ns = [event["t_ns"] for event in events if event["event"] == "token"]
    stats = turn.stats(perf_counter_ns())
    assert turn.status == "complete"
    assert stats.chunks == len(sent_ns) == 60
    assert turn.text == "".join(e["text"] for e in events if e["event"] == "token")
    (request_ns,) = [event["t_ns"] for event in events if event["event"] == "request"]
    # Written before it was seen, and a token seen after it was written: what a causal order
    # demands. How close they are is for the benchmark; here it is the median, generously.
    assert turn.t0_ns <= request_ns
    stamps = [turn.t0_ns + round(ms * 1e6) for ms in _arrivals_ms(turn)]
    late_ms = [(mine - true) / 1e6 for mine, true in zip(stamps, sent_ns, strict=True)]
    assert min(late_ms) >= 0
    assert median(late_ms) < 10
    true_tps = (len(sent_ns) - 1) / ((sent_ns[-1] - sent_ns[0]) / 1e9)
    assert stats.decode_tps == pytest.approx(true_tps, rel=0.1)


def _arrivals_ms(turn: Turn) -> list[float]:
    return [(stamp - turn.t0_ns) / 1e6 for stamp in turn._meter.stamps_ns]


def test_thinking() -> None:
    with spawn(FAST) as simulator:
        turn = ask(simulator, GenerationSettings(is_thinking=True))
    assert turn.thinking.strip()
    assert "think>" not in turn.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("cut=5", "interrupted", "cut"),
        ("stall=5", "interrupted", "stalled"),
        ("busy", "refused", "busy"),
        ("html-error", "error", "http"),
        ("error=5", "interrupted", "server"),
        ("split-utf8", "complete", None),
        ("one-chunk", "complete", None),
        ("no-done", "complete", None),
        ("slow-first=1", "complete", None),
    ],
)
def test_faults(fault: str, status: str, kind: str | None) -> None:
    with spawn((*FAST, "--fault", fault)) as simulator:
        turn = ask(simulator)
    assert turn.status == status
    assert (turn.error.kind if turn.error else None) == kind
    assert "�" not in turn.text
    if status == "interrupted":
        assert turn.stats(0).chunks == 5


def test_a_refused_setting_is_refused_by_the_server_too() -> None:
    """What we would not send is what the server says no to, in the same words for the field."""

    async def straight(url: str) -> Turn:
        asking = request(settings=GenerationSettings(repeat_penalty=0.9))
        turn = Turn(asking, perf_counter_ns())
        from dataclasses import replace

        unlimited = replace(rockchipllama.DIALECT, limits=())
        async with Client(url, unlimited) as client:
            await answer(client, asking, turn)
        return turn

    with spawn(FAST) as simulator, looped() as loop:
        turn = loop.submit(straight(simulator.url)).result(60)
    assert turn.error is not None
    assert (turn.status, turn.error.kind) == ("refused", "validation")
    assert "repeat_penalty: Input should be greater than or equal to 1" in turn.error.sentence


def test_switching_survives_where_loading_over_would_hang() -> None:
    async def switch(url: str) -> list[str]:
        names = []
        async with Client(url, rockchipllama.DIALECT) as client:
            for name in ("gemma3-1b", "qwen3-0.6b", "qwen3-4b"):
                change = await models.load(client, name)
                assert change.is_done, change.sentence
                names.append(await models.loaded_name(client))
        return [name or "" for name in names]

    with spawn(("--speed", "100")) as simulator, looped() as loop:
        assert loop.submit(switch(simulator.url)).result(60) == [
            "gemma3-1b",
            "qwen3-0.6b",
            "qwen3-4b",
        ]


def test_stop_then_the_next_answer_waits_its_turn(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"

    async def story(url: str) -> tuple[Turn, Turn]:
        connection = Connection([url], search_every_s=0.1)
        running = asyncio.create_task(connection.run())
        await until(lambda: connection.state.loaded)
        first, second = (Turn(request(model=""), perf_counter_ns()) for _ in range(2))
        asking = asyncio.create_task(connection.ask(first))
        await until(lambda: first.text)
        connection.stop()
        assert connection.state.slot.status == "finishing"
        await connection.ask(second)
        await asking
        running.cancel()
        await asyncio.wait((running,))
        return first, second

    with spawn((*FAST, "--truth", str(truth))) as simulator, looped() as loop:
        first, second = loop.submit(story(simulator.url)).result(60)
    assert (first.status, second.status) == ("stopped", "complete")
    events = [json.loads(line) for line in truth.read_text("utf-8").splitlines()]
    numbers = sorted({event["request"] for event in events})
    finished = [e for e in events if e["event"] == "finish" and e["request"] == numbers[0]]
    asked_again = [e for e in events if e["event"] == "request" and e["request"] == numbers[1]]
    assert finished[0]["tokens"] == 60, "the run went on to its end"
    assert asked_again[0]["t_ns"] > finished[0]["t_ns"], "and nothing was sent before that"
