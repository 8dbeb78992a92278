"""What changes around a run while it goes on: the server, the clock, the disk."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.run.scripted_runs import ONE, is_probe
from tests.bench.runs_of import QUICK, suite_of, told
from tests.bench.scripted import HEAD, Exchange, plain, scripted, words
from tui.bench.model.events import Finished, Noted, from_json, to_json
from tui.bench.model.suite import load_builtin, parse, quick
from tui.bench.run.clocks import ClockWatch


@pytest.mark.slow
async def test_a_server_that_goes_away(tmp_path: Path) -> None:
    closing = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await plain(exchange)
        if exchange.number == 2:
            closing.set()

    async with scripted(script) as server:
        running = asyncio.create_task(told(suite_of("a", "b", "c", "d"), tmp_path, server.url))
        await closing.wait()
    found = await running
    assert found.statuses[0] in ("ok", "error_http")
    assert found.statuses.count("skipped") >= 1
    assert found.finished.outcome == "incomplete"
    assert "no longer reachable" in found.finished.sentence


@pytest.mark.slow
async def test_a_prefix_cache_is_seen(tmp_path: Path) -> None:
    seen: set[str] = set()

    async def script(exchange: Exchange) -> None:
        wait = 0.05 if exchange.prompt in seen else 0.5
        seen.add(exchange.prompt)
        await words(exchange, min(8, exchange.max_tokens), prefill_s=wait)
        await exchange.finish()

    async with scripted(script) as server:
        found = await told(quick(load_builtin("cache")), tmp_path, server.url)
    cold, warm = found.requests
    assert cold.taint == ()
    assert "cache_hit" in warm.taint
    assert found.loaded is not None
    share = found.loaded.document.totals["cache_ttft_ratio"].value
    assert share == pytest.approx(0.1, abs=0.08)
    assert found.loaded.document.summary["ttft_client_ms"].n == 1


@pytest.mark.slow
async def test_filler_is_calibrated_where_the_server_counts(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        count = len(exchange.prompt.split()) + 21
        await words(exchange, min(exchange.max_tokens, 64), 0.004)
        await exchange.finish(
            {"prompt_tokens": count, "completion_tokens": min(exchange.max_tokens, 64)}
        )

    suite = load_builtin("standard")
    async with scripted(script) as server:
        found = await told(suite, tmp_path, server.url, runs=2)
    assert [r.tok.input for r in found.requests] == [128, 128]
    assert {r.tok.in_source for r in found.requests} == {"runtime"}
    assert not any("off_target" in r.taint for r in found.requests)
    assert any("filler words make 128" in e.sentence for e in found.all(Noted))


@pytest.mark.slow
async def test_an_answer_that_stops_early_is_asked_again(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        count = 5 if exchange.number == 2 else exchange.max_tokens
        await words(exchange, min(count, 40), 0.01)
        await exchange.finish()

    text = b'id = "x"\n[[prompt]]\nid = "a"\nfiller = 32\nexact = true\nmax_tokens = 20\n'
    async with scripted(script) as server:
        found = await told(parse(text, "x.toml"), tmp_path, server.url)
    assert found.one().tok.out == 20
    assert found.one().taint == ()
    assert any("answer too short" in e.sentence for e in found.all(Noted))
    prompts = [body["messages"][-1]["content"] for body in server.asked]
    assert prompts[1] != prompts[2]


async def test_a_loop_can_be_ended(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        if is_probe(exchange):
            await plain(exchange)
            return
        await exchange.raw(HEAD)
        for _ in range(2000):
            await exchange.text(" again and")
            await asyncio.sleep(0.002)
        await exchange.finish()

    suite = suite_of("loop", cap=2000)
    async with scripted(script) as server:
        found = await told(suite, tmp_path, server.url, stops_loops=True)
    request = found.one()
    assert request.status == "loop_aborted"
    assert {c.id: c.passed for c in request.checks}["repetition"] is False
    assert (request.tok.out or 0) < 1500


@pytest.mark.slow
async def test_a_step_of_the_wall_clock_changes_no_duration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.bench.run import request_loop

    calls = iter(range(100))

    class Stepping(ClockWatch):
        def step(self) -> str | None:
            return "the wall clock stepped by -3600.0 s" if next(calls) == 1 else None

    monkeypatch.setattr(request_loop, "ClockWatch", Stepping)
    async with scripted(plain) as server:
        found = await told(suite_of("one", "two"), tmp_path, server.url)
    stepped, other = found.one("a"), found.one("b")
    assert "clock_step" in stepped.taint
    assert other.taint == ()
    assert stepped.m["latency_ms"] == pytest.approx(other.m["latency_ms"], rel=0.5)


@pytest.mark.slow
async def test_another_process_behind_the_server_begins_a_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.bench.run.board_link import BoardLink

    pids = iter([41, 41, 41, 42, 42, 42, 42])
    monkeypatch.setattr(BoardLink, "server_pid", lambda _: next(pids, 42))
    async with scripted(plain) as server:
        found = await told(suite_of("a", "b", "c"), tmp_path, server.url)
    assert found.loaded is not None
    segments = found.loaded.document.run.segments
    assert len(segments) == 2
    assert segments[0].ended == "server restarted"
    assert {r.segment for r in found.requests} == {0, 1}
    assert found.loaded.document.run.status == "complete"


async def test_a_full_disk_ends_the_run_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.bench.run import runner

    def make(folder: Path, run_id: str) -> Path:
        path = folder / run_id
        path.mkdir(parents=True)
        (path / "journal.jsonl").symlink_to("/dev/full")
        return path

    monkeypatch.setattr(runner, "make", make)
    async with scripted(plain) as server:
        options = replace(QUICK, folder=tmp_path, urls=(server.url,))
        found = [event async for event in runner.run(suite_of("a", "b"), options)]
    last = found[-1]
    assert isinstance(last, Finished)
    assert last.outcome == "failed"
    assert "No space left" in last.sentence


@pytest.mark.slow
async def test_events_are_the_same_as_json(tmp_path: Path) -> None:
    async with scripted(plain) as server:
        found = await told(ONE, tmp_path, server.url)
    for event in found.events:
        line = to_json(event)
        json.loads(line)
        assert from_json(line) == event
    assert from_json(b'{"type":"progre') is None
    assert from_json(b"[]") is None
