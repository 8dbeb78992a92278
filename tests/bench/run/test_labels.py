"""What is measured and what is only estimated: in records, reports and lines as on the screen."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.bench.made import request, run, trace
from tests.bench.runs_of import Told, rate_tps, suite_of, told
from tests.bench.scripted import HEAD, Exchange, plain, scripted
from tui.bench.analysis.trace import measure
from tui.bench.model.events import RequestEnded
from tui.bench.report import render
from tui.bench.run.recorded_turn import RecordedTurn
from tui.bench.run.request_record import trace_of
from tui.bench.run.request_runner import RequestResult
from tui.bench.store.run_files import Loaded
from tui.commands.bench_progress import Plain
from tui.commands.bench_run import headline
from tui.core.types import (
    ChatRequest,
    FinishDelta,
    GenerationSettings,
    Message,
    TextDelta,
    UsageDelta,
)

ONE = suite_of("Say something.")


def _shown(found: Told) -> str:
    """The run as plain lines and as a report."""
    plain = Plain()
    lines = [line for event in found.events for line in plain.lines(event)]
    assert found.loaded is not None
    return "\n".join((*lines, render.as_markdown(found.loaded), headline(found.loaded)))


@pytest.mark.slow
async def test_chunks_that_hold_several_tokens_are_an_estimate_everywhere(tmp_path: Path) -> None:
    """A server that does not count, and holds back characters of several tokens until they are
    whole: as on the screen, what is counted is chunks."""

    async def script(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        for number in range(16):
            await asyncio.sleep(0.04)
            await exchange.text("🧪" if number % 2 else " a")
        await exchange.finish()

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    request = found.one()
    assert (request.tok.out, request.tok.source) == (16, "estimated")
    assert request.m["decode_tps_cl"] is None
    assert found.loaded is not None
    assert request.m["decode_tps_est"] == pytest.approx(rate_tps(found.loaded.stamps[request.key]))
    document = found.loaded.document
    assert document.summary["decode_tps"].source == "estimated"
    assert document.totals["run_decode_tps"].source == "estimated"
    shown = _shown(found)
    rate = f"{request.rate_tps:.1f}"
    assert f"~{rate} tok/s" in shown
    assert f" {rate} tok/s" not in shown
    assert "~16 tokens" in shown


@pytest.mark.slow
async def test_a_rate_from_tokens_that_nobody_saw_is_an_interval(tmp_path: Path) -> None:
    """14 chunks every 50 ms, of 18 tokens: the server swallowed four of them."""
    sent_s: dict[int, list[tuple[float, float]]] = {}
    """Before and after each chunk was written, of every exchange: one that was left before goes on
    for a moment beside the next one."""

    async def script(exchange: Exchange) -> None:
        sent_s[exchange.number] = []
        await exchange.raw(HEAD)
        for number in range(14):
            await asyncio.sleep(0.05 if number != 6 else 0.25)
            before_s = time.perf_counter()
            await exchange.text(f" w{number}")
            sent_s[exchange.number].append((before_s, time.perf_counter()))
        await exchange.finish({"prompt_tokens": 9, "completion_tokens": 18})

    async with scripted(script) as server:
        found = await told(suite_of("a", cap=32), tmp_path, server.url)
    request = found.one()
    assert (request.tok.out, request.tok.source) == (18, "runtime")
    assert request.m["decode_tps_cl"] is None
    # 17 more tokens came in the time from the first chunk to the last, however busy the machine is:
    # the kernel stamps each of them while it is written.
    written = sent_s[max(sent_s)]
    assert len(written) == 14
    (first_s, first_over_s), (last_s, last_over_s) = written[0], written[-1]
    shortest_s, longest_s = last_s - first_over_s, last_over_s - first_s
    rate_tps = request.m["decode_tps_est"]
    assert rate_tps is not None
    assert 0.95 * 17 / longest_s <= rate_tps <= 1.05 * 17 / shortest_s
    assert request.why["decode_tps_cl"].startswith("14 chunks for 18 tokens: between ")
    assert "(14 chunks for 18 tokens: between " in _shown(found)


def test_a_token_of_the_answer_before_is_no_first_token() -> None:
    """It comes after 8 ms, the next one after a prefill of more than a second."""
    turn = RecordedTurn(ChatRequest("", (Message("user", "x"),), GenerationSettings()), 0)
    turn.feed(8_000_000, [TextDelta("old")])
    for number in range(40):
        turn.feed(1_155_000_000 + number * 50_000_000, [TextDelta(" w")])
    turn.feed(3_200_000_000, [FinishDelta("stop"), UsageDelta(tokens_out=40)])
    turn.end_of_stream(3_200_000_000)
    seen = trace_of(RequestResult(turn, None, is_idle=True), is_buffered_run=False, words_in=None)
    found = measure(seen)
    assert found.m["ttft_client_ms"] == pytest.approx(1155)
    assert found.m["decode_tps_cl"] == pytest.approx(20)
    assert (found.tokens.out, found.tokens.chunks) == (40, 40)


def test_a_first_token_after_a_load_or_a_queue_says_so_and_gives_no_prefill_rate() -> None:
    made = replace(trace(), ttft_includes=("load", "queue"))
    measured = measure(made)
    assert measured.m["prefill_tps_est"] is None
    late = msgspec.structs.replace(
        request("late", made=made), ttft_includes=("load", "queue"), m=measured.m
    )
    (line,) = Plain().lines(RequestEnded(request=late))
    assert "TTFT 1.25 s (loading and queue included)" in line
    loaded = Loaded(run([late, request("cold")]))
    assert loaded.document.summary["ttft_client_ms"].n == 1
    assert "1250.00 ms (loading and queue included)" in render.as_markdown(loaded)


@pytest.mark.slow
async def test_time_in_a_queue_is_a_figure_of_its_own(tmp_path: Path) -> None:
    """The server refuses the second request twice because it is busy, then takes it."""
    refused = [0]

    async def script(exchange: Exchange) -> None:
        if exchange.number > 1 and refused[0] < 2:
            refused[0] += 1
            body = b'{"error": {"message": "RKLLM_Server is busy!"}}'
            head = (
                "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            await exchange.raw(head.encode() + body)
            return
        await plain(exchange)

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    asked = found.one()
    assert asked.status == "ok"
    queue_ms, start_ns = asked.m["queue_ms"], asked.t.t0_ns
    assert queue_ms is not None
    assert start_ns is not None
    assert queue_ms > 250
    *_, last_refused, taken = server.exchanges
    assert last_refused.begun_ns < start_ns <= taken.begun_ns
    shown = _shown(found)
    assert f"queue {queue_ms / 1000:.2f} s" in shown
    assert "Time in Queue" in shown


@pytest.mark.slow
async def test_a_first_token_in_a_burst_is_an_estimate(tmp_path: Path) -> None:
    """Something on the way held the first five tokens back."""

    async def script(exchange: Exchange) -> None:
        await exchange.raw(HEAD)
        await asyncio.sleep(0.2)
        event = b'data: {"choices": [{"delta": {"content": " w"}}]}\n\n'
        await exchange.chunk(5 * event)
        for number in range(11):
            await asyncio.sleep(0.03)
            await exchange.text(f" w{number}")
        await exchange.finish()

    async with scripted(script) as server:
        found = await told(ONE, tmp_path, server.url)
    asked = found.one()
    assert asked.is_ttft_estimated
    assert asked.m["prefill_tps_est"] is None
    assert found.loaded is not None
    assert found.loaded.document.summary["ttft_client_ms"].n == 0
    assert re.search(r"a #1: .*TTFT ~\d", _shown(found))
