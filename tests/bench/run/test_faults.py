"""What servers do wrong, one by one, over a raw socket: no false number, no lost answer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.runs_of import QUICK, rate_tps, suite_of, told
from tests.bench.scripted import HEAD, ROCKCHIPLLAMA, Exchange, plain, scripted, words
from tests.servers.test_tokenizer import tokenizer_file
from tui.bench.model.events import Finished, GateSeen, Noted, StageChanged, from_json, to_json
from tui.bench.model.options import LimitPolicy
from tui.bench.model.suite import load_builtin, parse, quick
from tui.bench.run.clocks import ClockWatch

ONE = suite_of("Say something.")


def is_probe(exchange: Exchange) -> bool:
    """The stream probe comes first; it gets an honest answer unless a test is about it."""
    return exchange.number == 1


async def test_an_honest_server(tmp_path: Path) -> None:
    exchanges: list[Exchange] = []

    async def script(exchange: Exchange) -> None:
        exchanges.append(exchange)
        await plain(exchange)

    async with scripted(script) as server:
        found = await told(suite_of("Say a.", "Say b."), tmp_path, server.url)
    assert found.finished.outcome == "complete"
    assert found.statuses == ["ok", "ok"]
    request = found.one()
    assert request.tok.out == 12
    assert found.loaded is not None
    # Each token arrives after it was written and before the next one is, however busy the machine.
    stamps, sent_ns = found.loaded.stamps["a", 0], exchanges[1].sent_ns
    assert all(sent <= ours for sent, ours in zip(sent_ns, stamps, strict=True))
    in_time = [ours < after for ours, after in zip(stamps, sent_ns[1:], strict=False)]
    assert sum(in_time) >= 10
    assert request.m["decode_tps_est"] == pytest.approx(rate_tps(stamps))
    start_ns = request.t.t0_ns
    assert start_ns is not None
    assert request.m["ttft_client_ms"] == pytest.approx((stamps[0] - start_ns) / 1e6)
    assert found.loaded.texts["a", 0][0].startswith(" w0 w1")
    assert found.loaded.stamps["a", 0] == tuple(sorted(found.loaded.stamps["a", 0]))
    assert [body["temperature"] for body in server.asked] == [0.6] * 3


async def test_a_server_that_buffers(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        await asyncio.sleep(0.6)
        await exchange.raw(HEAD)
        for number in range(exchange.max_tokens):
            await exchange.text(f" w{number}")
        await exchange.finish()

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    request = found.one()
    assert found.loaded is not None
    assert found.loaded.document.config.stream_mode == "buffered"
    assert request.status == "capped"
    assert "buffered_stream" in request.taint
    assert request.m["ttft_client_ms"] is None
    assert request.itl_ms.n == 0
    latency = request.m["latency_ms"]
    assert latency is not None
    assert latency > 500
    gate = next(e.gate for e in found.all(GateSeen) if e.gate.id == "stream")
    assert gate.severity == "warn"
    assert found.finished.outcome == "complete"


async def test_a_long_answer_is_not_cut_a_long_gap_is(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        if is_probe(exchange) or "end" in exchange.prompt:
            await plain(exchange)
            return
        await words(exchange, 10, 0.08)
        if "gap" in exchange.prompt:
            await asyncio.sleep(5)
        await exchange.finish()

    policy = LimitPolicy(first_min_s=10, idle_min_s=0.6, idle_factor=0, drain_s=0.5)
    suite = suite_of("a slow one", "one with a gap", "the end")
    async with scripted(script) as server:
        found = await told(suite, tmp_path, server.url, policy=policy)
    assert found.statuses == ["ok", "timeout_idle", "ok"]
    late = found.one("b")
    assert late.tok.out == 10
    assert late.m["decode_tps_est"] is not None
    assert found.loaded is not None
    assert found.loaded.texts["b", 0][0].endswith("w9")
    assert found.loaded.document.totals["success_pct"].value == pytest.approx(200 / 3)
    assert found.finished.outcome == "incomplete"


async def test_no_first_token(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        if is_probe(exchange) or "end" in exchange.prompt:
            await plain(exchange)
            return
        await exchange.raw(HEAD)
        await asyncio.sleep(10)

    policy = LimitPolicy(first_min_s=0.5, first_factor=0, idle_min_s=5, drain_s=1)
    async with scripted(script) as server:
        found = await told(suite_of("wait", "the end"), tmp_path, server.url, policy=policy)
    assert found.statuses == ["timeout_first", "ok"]
    assert found.one("a").m["ttft_client_ms"] is None
    # The next request was not held up by the lost one.
    assert found.one("b").m["ttft_client_ms"] == pytest.approx(50, abs=40)


async def test_a_server_that_never_gets_idle_ends_the_run(tmp_path: Path) -> None:
    """RockchipLlama runs on after a disconnect; one that hangs must not poison what follows."""
    gate = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        if is_probe(exchange):
            await plain(exchange)
            return
        await exchange.raw(HEAD)
        await exchange.text(" w")
        await gate.wait()

    policy = LimitPolicy(first_min_s=5, idle_min_s=0.4, idle_factor=0, drain_s=0.4)
    suite = suite_of("one", "two", "three")
    async with scripted(script, root=ROCKCHIPLLAMA) as server:
        found = await told(suite, tmp_path, server.url, policy=policy)
    assert found.statuses == ["timeout_idle", "skipped", "skipped"]
    assert found.finished.outcome == "incomplete"
    assert "did not become idle" in found.finished.sentence


async def test_the_rest_of_a_late_answer_is_drained_before_the_next(tmp_path: Path) -> None:
    busy_until = 0.0

    async def script(exchange: Exchange) -> None:
        nonlocal busy_until
        loop = asyncio.get_running_loop()
        await exchange.raw(HEAD)
        await asyncio.sleep(max(0.0, busy_until - loop.time()))
        if "late" in exchange.prompt:
            await exchange.text(" w0")
            busy_until = loop.time() + 1.5
            await asyncio.sleep(1.5)
            await exchange.finish()
            return
        for number in range(8):
            await asyncio.sleep(0.02)
            await exchange.text(f" w{number}")
        await exchange.finish()

    policy = LimitPolicy(first_min_s=5, idle_min_s=0.4, idle_factor=0, drain_s=10)
    suite = suite_of("late", "next")
    async with scripted(script, root=ROCKCHIPLLAMA) as server:
        found = await told(suite, tmp_path, server.url, policy=policy)
    assert found.statuses == ["timeout_idle", "ok"]
    first = found.one("b").m["ttft_client_ms"]
    assert first is not None
    assert first < 300


async def test_a_cap_that_is_ignored(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        if is_probe(exchange):
            await plain(exchange)
            return
        await words(exchange, 400, 0.005)
        await exchange.finish()

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    request = found.one()
    assert request.status == "capped"
    assert "cap_ignored" in request.taint
    assert request.tok.out == 16
    assert request.itl_ms.n == 15
    assert found.finished.outcome == "complete"


@pytest.mark.parametrize(("count", "status"), [(0, "empty"), (1, "ok"), (2, "ok")])
async def test_very_short_answers(tmp_path: Path, count: int, status: str) -> None:
    async def script(exchange: Exchange) -> None:
        if is_probe(exchange):
            await plain(exchange)
            return
        await words(exchange, count)
        await exchange.finish()

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    request = found.one()
    assert request.status == status
    assert request.m["decode_tps_cl"] is None
    assert request.itl_ms.n == max(0, count - 1)


async def test_framing_of_all_sorts(tmp_path: Path) -> None:
    """Role chunk, comments, CRLF, JSON in two reads, two events in one, usage chunk, no [DONE]."""

    async def script(exchange: Exchange) -> None:
        if is_probe(exchange):
            await plain(exchange)
            return
        await exchange.raw(HEAD)
        await exchange.event({"choices": [{"delta": {"role": "assistant", "content": ""}}]})
        for _ in range(3):
            await asyncio.sleep(0.05)
            await exchange.chunk(b": heartbeat\n\n")
        await asyncio.sleep(0.05)
        await exchange.event({"choices": [{"delta": {"content": " one"}}]}, b"\r\n\r\n")
        data = b'data: {"choices": [{"delta": {"content": " two"}}]}\n\n'
        await exchange.chunk(data[:20])
        await asyncio.sleep(0.05)
        await exchange.chunk(data[20:])
        await asyncio.sleep(0.05)
        await exchange.chunk(data.replace(b"two", b"three") + data.replace(b"two", b"four"))
        await exchange.event({"choices": [{"delta": {"content": None}}]})
        await exchange.finish({"prompt_tokens": 9, "completion_tokens": 4}, done=False)

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    request = found.one()
    assert request.status == "ok"
    assert found.loaded is not None
    assert found.loaded.texts["a", 0][0] == " one two three four"
    assert (request.tok.out, request.tok.chunks) == (4, 4)
    first = request.m["ttft_client_ms"]
    assert first is not None
    assert first > 190
    stamps = found.loaded.stamps["a", 0]
    assert stamps[2] == stamps[3]


async def test_the_first_token_is_seen_when_it_comes(tmp_path: Path) -> None:
    """A client that waits for a full buffer would see 4096 bytes of 200-byte events after 0.4 s."""

    async def script(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        for number in range(min(16, exchange.max_tokens)):
            filling = {"choices": [{"delta": {"content": f" w{number}"}}], "x": "." * 130}
            await exchange.event(filling)
            await asyncio.sleep(0.02)
        await exchange.finish()

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    first = found.one().m["ttft_client_ms"]
    assert first is not None
    assert first < 100


async def test_thinking_in_its_own_channel(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        if is_probe(exchange):
            await plain(exchange)
            return
        await exchange.raw(HEAD)
        for number in range(6):
            await exchange.text(f" t{number}", "reasoning_content")
            await asyncio.sleep(0.05)
        # So long that a busy machine cannot take thought and answer for one arrival.
        await asyncio.sleep(0.4)
        for number in range(6):
            await exchange.text(f" a{number}")
            await asyncio.sleep(0.05)
        await exchange.finish()

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    request = found.one()
    first, answer = request.m["ttft_client_ms"], request.m["ttfot_ms"]
    assert first is not None
    assert answer is not None
    assert answer > first + 200
    assert request.tok.reasoning == 6
    assert found.loaded is not None
    assert found.loaded.texts["a", 0] == (" a0 a1 a2 a3 a4 a5", " t0 t1 t2 t3 t4 t5")


async def test_thinking_that_never_closes(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        if is_probe(exchange):
            await plain(exchange)
            return
        await exchange.raw(HEAD)
        await exchange.text("<think>")
        for number in range(9):
            await asyncio.sleep(0.02)
            await exchange.text(f" t{number}")
        await exchange.finish()

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    request = found.one()
    assert request.m["ttfot_ms"] is None
    checks = {check.id: check.passed for check in request.checks}
    assert checks["think_closed"] is False


async def test_usage_that_counts_words_is_not_believed(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        for number in range(14):
            await asyncio.sleep(0.01)
            await exchange.text(" ab" if number % 2 else "cd")
        await exchange.finish({"prompt_tokens": 2, "completion_tokens": 7})

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    request = found.one()
    assert request.tok.out == 14
    assert request.tok.source == "estimated"


async def test_a_stream_that_is_cut(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        if is_probe(exchange):
            await plain(exchange)
            return
        await words(exchange, 10)
        exchange.writer.close()

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    request = found.one()
    assert (request.status, request.tok.out) == ("truncated", 10)
    assert request.error


async def test_errors_of_the_server(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        if is_probe(exchange):
            await plain(exchange)
        elif "busy" in exchange.prompt:
            await exchange.raw(
                b"HTTP/1.1 503 Busy\r\ncontent-type: application/json\r\n"
                b'content-length: 17\r\n\r\n{"detail":"busy"}'
            )
        else:
            await words(exchange, 3)
            await exchange.event({"error": {"message": "the NPU fell over\x1b[31m"}})
            await exchange.raw(b"0\r\n\r\n")

    async with scripted(script) as server:
        policy = replace(QUICK.policy, busy_s=0.5)
        found = await told(suite_of("busy", "broken"), tmp_path, server.url, policy=policy)
    assert found.statuses == ["error_http", "error_backend"]
    said = found.one("b").error
    assert said is not None
    assert "NPU fell over" in said
    assert "\x1b" not in said


async def test_a_busy_server_is_waited_for_and_the_wait_is_no_time_of_the_answer(
    tmp_path: Path,
) -> None:
    left = [3]

    async def script(exchange: Exchange) -> None:
        if is_probe(exchange):
            await plain(exchange)
        elif left[0]:
            left[0] -= 1
            await exchange.raw(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n")
        else:
            await words(exchange, 10)
            await exchange.finish()

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    request = found.one()
    assert (found.statuses, left) == (["ok"], [0])
    ttft_ms = request.m["ttft_client_ms"]
    assert ttft_ms is not None
    assert ttft_ms < 1000
    assert any("waited " in warning for warning in request.warnings)
    stages = [(event.stage, event.sentence) for event in found.all(StageChanged)]
    assert ("queue", "Waiting: server busy (HTTP 503).") in stages


async def test_answers_are_counted_with_the_tokenizer_of_the_model(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers", reason="the extra npulse[tokenizer] is not installed")
    path = tokenizer_file(tmp_path)

    async def script(exchange: Exchange) -> None:
        if is_probe(exchange):
            await plain(exchange)
        else:
            await exchange.raw(HEAD)
            for _ in range(4):
                await exchange.text("six tops six tops ")
                await asyncio.sleep(0.02)
            await exchange.finish()

    async with scripted(script) as server:
        exact = (await told(ONE, tmp_path, server.url, tokenizer=path)).one()
        guess = await told(ONE, tmp_path, server.url, tokenizer=f"{path}x")
    assert (exact.tok.out, exact.tok.source) == (16, "client")
    assert guess.one().tok.source == "estimated"
    assert sum("counts stay estimated" in note.sentence for note in guess.all(Noted)) == 1


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
    assert any("stopped early" in e.sentence for e in found.all(Noted))
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


async def test_events_are_the_same_as_json(tmp_path: Path) -> None:
    async with scripted(plain) as server:
        found = await told(ONE, tmp_path, server.url)
    for event in found.events:
        line = to_json(event)
        json.loads(line)
        assert from_json(line) == event
    assert from_json(b'{"type":"progre') is None
    assert from_json(b"[]") is None
