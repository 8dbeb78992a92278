"""What servers do wrong, one by one, over a raw socket: no false number, no lost answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from time import perf_counter_ns

import pytest

from tests.bench.run.scripted_runs import ONE, is_probe
from tests.bench.runs_of import QUICK, rate_tps, suite_of, told
from tests.bench.scripted import HEAD, ROCKCHIPLLAMA, Exchange, plain, scripted, words
from tests.servers.test_tokenizer import tokenizer_file
from tui.bench.model.events import GateSeen, Noted, StageChanged
from tui.bench.model.options import LimitPolicy


@pytest.mark.slow
async def test_an_honest_server(tmp_path: Path) -> None:
    async with scripted(plain) as server:
        found = await told(suite_of("Say a.", "Say b."), tmp_path, server.url)
    assert found.finished.outcome == "complete"
    assert found.statuses == ["ok", "ok"]
    request = found.one()
    assert request.tok.out == 12
    assert found.loaded is not None
    # Each token arrives after it was written and before the next one is, however busy the machine.
    stamps, sent_ns = found.loaded.stamps["a", 0], server.exchanges[1].sent_ns
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
    # The time of the next request does not count from before the lost one was given up.
    *_, lost, answered = server.exchanges
    start_ns = found.one("b").t.t0_ns
    assert start_ns is not None
    assert lost.begun_ns + 500_000_000 <= start_ns <= answered.begun_ns


@pytest.mark.slow
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


@pytest.mark.slow
async def test_the_rest_of_a_late_answer_is_drained_before_the_next(tmp_path: Path) -> None:
    busy_until = 0.0
    drained_ns = 0

    async def script(exchange: Exchange) -> None:
        nonlocal busy_until, drained_ns
        loop = asyncio.get_running_loop()
        await exchange.raw(HEAD)
        await asyncio.sleep(max(0.0, busy_until - loop.time()))
        if "late" in exchange.prompt:
            await exchange.text(" w0")
            busy_until = loop.time() + 1.5
            await asyncio.sleep(1.5)
            drained_ns = perf_counter_ns()
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
    start_ns = found.one("b").t.t0_ns
    assert start_ns is not None
    assert 0 < drained_ns < start_ns <= server.exchanges[-1].begun_ns


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
    *_, refused, taken = server.exchanges
    start_ns = request.t.t0_ns
    assert start_ns is not None
    assert refused.begun_ns < start_ns <= taken.begun_ns
    assert any("waited " in warning for warning in request.warnings)
    stages = [(event.stage, event.sentence) for event in found.all(StageChanged)]
    assert ("queue", "Waiting: server busy (HTTP 503).") in stages


@pytest.mark.slow
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
