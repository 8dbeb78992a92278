"""The cost of the history: disk space, search time, processor time per token."""

from __future__ import annotations

import itertools
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Results, quantile
from benchmarks.plan import Plan
from tui.core.turn.turn import Turn
from tui.core.types import ChatRequest, FinishDelta, GenerationSettings, Message, TextDelta
from tui.history import listing, reading, writers, writing
from tui.history.board_samples import BoardSample, pack_samples
from tui.history.database import FILE_NAME, Connection, open_for_reading, open_for_writing
from tui.history.database import transaction as transaction_of
from tui.history.kept_answer import KeptConversation
from tui.history.recorder import Recorder
from tui.history.records import Origin
from tui.history.token_times import pack_times
from tui.history.writer_process import this_process

TOKENS = 500
"""Turns per conversation: one prompt and one answer."""
WORDS = 20_000
WORDS_PER_TOKEN = 0.8
"""Words of four to five letters, as in English text: 4.5 characters per token."""
GAP_NS = 319_488_000
"""3.13 tokens a second."""
JITTER_NS = 1_200_000
START_MS = 1_700_000_000_000
PAGE = 50
ORIGIN = Origin("qwen3-4b", "RockchipLlama", "rockchipllama", url="http://127.0.0.1:8021")


def measure(plan: Plan, results: Results) -> None:
    """Fills a database, measures queries; then stores answers that stream at two rates."""
    path = plan.folder / FILE_NAME
    vocabulary = _vocabulary()
    _fill(path, vocabulary, plan.history_conversations)
    for _ in range(plan.runs):
        results.add("history", "npulse", "history_open_ms", _open_ms(path))
        results.add("history", "npulse", "history_search_ms", _search_ms(path, vocabulary))
    with_tokens = plan.history_conversations * TOKENS
    results.add("history", "npulse", "history_bytes_per_token", path.stat().st_size / with_tokens)
    for rate_tps, tokens in ((3.13, 24), (50.0, 500)):
        cost = _journal_ms_per_token(plan.folder, rate_tps, tokens)
        results.add(f"history-{rate_tps:.0f}", "npulse", "journal_cpu_ms_per_token", cost)


def _vocabulary() -> list[str]:
    """Made-up words in order of their frequency (Zipf's law); frequent ones are short."""
    rng = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    return [
        "".join(rng.choices(letters, k=rng.randint(2, 4) if n < 200 else rng.randint(3, 9)))
        for n in range(WORDS)
    ]


def _fill(path: Path, vocabulary: Sequence[str], conversations: int) -> None:
    rng = random.Random(2)
    weights = list(itertools.accumulate(1 / (n + 2) for n in range(len(vocabulary))))
    connection = open_for_writing(path)
    # Faster, and does not matter here: only the finished file is measured.
    connection.execute("PRAGMA synchronous = OFF")
    try:
        with transaction_of(connection):
            writer = writers.register_writer(connection, this_process())
        for number in range(conversations):
            words = rng.choices(vocabulary, cum_weights=weights, k=int(TOKENS * WORDS_PER_TOKEN))
            with transaction_of(connection):
                _add(connection, rng, words, START_MS + number * 60_000, writer)
        with transaction_of(connection):
            writers.leave(connection, writer)
    finally:
        connection.close()


def _add(
    connection: Connection,
    rng: random.Random,
    words: Sequence[str],
    at_ms: int,
    writer: int,
    tokens: int = TOKENS,
    gap_ns: int = GAP_NS,
) -> None:
    """Stores a conversation with one exchange, without the text of each token."""
    prompt = " ".join(words[:20]) + "?"
    number = writing.add_conversation(connection, writing.title_of(prompt), at_ms)
    asked = writing.add_turn(connection, number, None, "user", prompt, at_ms)
    settings = GenerationSettings()
    answer = writing.begin_answer(connection, number, asked, writer, ORIGIN, settings, at_ms)
    t_ns, times_ns = 1_250_000_000, []
    for _ in range(tokens):
        t_ns += gap_ns + round(rng.gauss(0, JITTER_NS))
        times_ns.append(t_ns)
    samples = [_sample(rng, second) for second in range(t_ns // 1_000_000_000)]
    gaps = {"p50": 319.488, "p90": 321.2, "p99": 323.114, "max": 330.08}
    end = writing.FinishedAnswer(
        text=" ".join(words) + ".",
        thinking="",
        status="complete",
        error=None,
        tokens=tokens,
        decode_tps=1e9 / gap_ns,
        numbers={
            "finish": "stop", "ttft_ms": 1250.123, "ttft_source": "measured",
            "latency_ms": t_ns / 1e6, "tokens_out": tokens, "tokens_source": "runtime",
            "decode_tps": 1e9 / gap_ns, "decode_source": "measured", "prefill_ms": 1100.23,
            "prefill_tps": 29.41, "prefill_source": "runtime", "itl_ms": gaps, "chunks": tokens,
            "clock": "kernel", "headers_ms": 4.123, "ttfot_ms": 1250.123, "prompt_tokens": 35,
            "context_used": 35 + tokens, "context_tokens": 16_384, "context_source": "runtime",
            "max_lag_ms": 1.2,
        },
        times=pack_times(0, times_ns),
        board=pack_samples(samples),
    )  # fmt: skip
    writing.finish_answer(connection, answer, end)


def store_hour(path: Path, tokens: int) -> None:
    """Stores an answer that took an hour, with a board sample per second."""
    rng, vocabulary = random.Random(3), _vocabulary()
    words = rng.choices(vocabulary, k=int(tokens * WORDS_PER_TOKEN))
    connection = open_for_writing(path)
    try:
        with transaction_of(connection):
            writer = writers.register_writer(connection, this_process())
            _add(connection, rng, words, START_MS, writer, tokens, round(3600e9 / tokens))
            writers.leave(connection, writer)
    finally:
        connection.close()


def _sample(rng: random.Random, second: int) -> BoardSample:
    values = {
        "ddr.load": 62.0 + rng.randint(0, 3), "ddr.freq": 2.112e9, "ddr.max_freq": 2.112e9,
        "soc.temp": 70 + second * 0.05, "npu.temp": 69 + second * 0.05, "npu.freq": 1e9,
        "npu.max_freq": 1e9, "ram.available": 9.4e9 - rng.randint(0, 3) * 1e6, "ram.model": 4.9e9,
        "npu.load.0": 86.0 + rng.randint(-3, 3), "npu.load.1": 84.0 + rng.randint(-3, 3),
        "npu.load.2": 61.0 + rng.randint(-3, 3), "cpu.big.freq.0": 2.256e9,
        "cpu.big.freq.1": 2.256e9, "npu.activity": rng.gauss(700, 15),
    }  # fmt: skip
    return BoardSample(second * 1_000_000_000, values)


def _open_ms(path: Path) -> float:
    """Time from opening the file to the first page of the list and the number of conversations."""
    began_ns = time.perf_counter_ns()
    connection = open_for_reading(path)
    try:
        listing.conversations(connection, limit=PAGE, order="updated")
        listing.count(connection)
    finally:
        connection.close()
    return (time.perf_counter_ns() - began_ns) / 1e6


def _search_ms(path: Path, vocabulary: Sequence[str]) -> float:
    """Time of the slowest of several searches: frequent and rare words, two words, a prefix, a
    phrase."""
    often, usual, rare = vocabulary[0], vocabulary[500], vocabulary[-7]
    queries = [often, usual, rare, f"{often} {usual}", usual[:3], f'"{often} {usual}"', "xyzzyq"]
    connection = open_for_reading(path)
    took_ms = []
    try:
        for query in queries:
            began_ns = time.perf_counter_ns()
            reading.search(connection, query, limit=PAGE)
            took_ms.append((time.perf_counter_ns() - began_ns) / 1e6)
    finally:
        connection.close()
    return quantile(took_ms, 1.0)


def _journal_ms_per_token(folder: Path, rate_tps: float, tokens: int) -> float:
    """Processor time of the writing thread, from the first token to the end of the answer."""
    place = folder / f"journal-{rate_tps:g}"
    recorder = Recorder(place / FILE_NAME)
    try:
        _stream(recorder, 1, 50.0)  # the file is made, the code is warm
        thread = recorder.thread_id
        assert thread is not None
        clock = time.pthread_getcpuclockid(thread)
        began_ns = time.clock_gettime_ns(clock)
        _stream(recorder, tokens, rate_tps)
        return (time.clock_gettime_ns(clock) - began_ns) / 1e6 / tokens
    finally:
        recorder.close()
        shutil.rmtree(place, ignore_errors=True)


def _stream(recorder: Recorder, tokens: int, rate_tps: float) -> None:
    request = ChatRequest("qwen3-4b", (Message("user", "why?"),), GenerationSettings())
    turn = Turn(request, time.perf_counter_ns())
    kept = recorder.record(turn, ORIGIN, KeptConversation())
    kept.is_stored.result(10)
    due_s = time.perf_counter()
    for _ in range(tokens):
        due_s += 1 / rate_tps
        time.sleep(max(due_s - time.perf_counter(), 0))
        turn.feed(time.perf_counter_ns(), [TextDelta("word ")])
    now_ns = time.perf_counter_ns()
    turn.feed(now_ns, [FinishDelta("stop")])
    turn.end_of_stream(now_ns)
    while recorder.is_busy:
        time.sleep(0.02)
