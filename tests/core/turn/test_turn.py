from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.turn.turns import MS, REQUEST, STALLED, T0, Feeder
from tui.core.screen.footer import footer_line
from tui.core.turn.answer_text import chars_limit
from tui.core.turn.last_usage import LastUsage
from tui.core.turn.result import result_of
from tui.core.turn.turn import Turn
from tui.core.types import (
    ChatRequest,
    CleanText,
    Delta,
    DoneDelta,
    FailureDelta,
    FinishDelta,
    GenerationSettings,
    Message,
    Phase,
    RefusalDelta,
    Segment,
    TextDelta,
    ThinkingDelta,
    TurnError,
    UsageDelta,
)

BUSY = TurnError("busy", "The server is busy.")
HTTP = TurnError("http", "HTTP 404: no such model.")
RECORDING = Path(__file__).parent / "data" / "rockchipllama_think_stream.txt"


# -- phases and ends ----------------------------------------------------------------------------


def _phase_after(turn: Turn, at_ms: int, *arrived: Delta) -> Phase:
    turn.feed(T0 + at_ms * MS, arrived)
    return turn.phase


def test_the_usual_way() -> None:
    turn = Turn(REQUEST, T0)
    assert (turn.phase, turn.status) == (Phase.WAITING, None)
    turn.accepted(T0 + 2 * MS)
    assert turn.phase is Phase.PREFILL
    assert _phase_after(turn, 900) is Phase.PREFILL
    assert _phase_after(turn, 950, TextDelta("")) is Phase.PREFILL
    assert _phase_after(turn, 1000, TextDelta("<think>")) is Phase.THINKING
    turn.feed(T0 + 1100 * MS, [TextDelta("hm")])
    turn.feed(T0 + 1200 * MS, [TextDelta("</think>")])
    assert _phase_after(turn, 1300, TextDelta("Hello")) is Phase.ANSWERING
    assert _phase_after(turn, 1350, FinishDelta("stop")) is Phase.ANSWERING
    turn.feed(T0 + 1360 * MS, [DoneDelta()])
    turn.end_of_stream(T0 + 9000 * MS)
    assert (turn.phase, turn.status, turn.finish_reason) == (Phase.DONE, "complete", "stop")
    assert (turn.thinking, turn.text, turn.error) == ("hm", "Hello", None)
    stats = turn.stats(T0 + 10_000 * MS)
    assert (stats.ttft_ms, stats.ttfot_ms, stats.latency_ms) == (1000, 1300, 1360)
    assert stats.thinking_s == pytest.approx(0.3)
    assert turn.stats(T0 + 10_000 * MS).elapsed_s == 1.36


@pytest.mark.parametrize(
    ("pieces", "end", "status", "phase"),
    [
        (["Hi"], [FinishDelta("stop")], "complete", Phase.DONE),
        (["Hi"], [FinishDelta(None), DoneDelta()], "complete", Phase.DONE),
        (["Hi"], [DoneDelta()], "complete", Phase.DONE),
        (["<think>only this"], [FinishDelta("length")], "empty", Phase.DONE),
        (["Hi"], [FinishDelta("length")], "complete", Phase.DONE),
        (["Hi"], [FinishDelta("")], "interrupted", Phase.ERROR),
        (["Hi"], [FinishDelta("null")], "interrupted", Phase.ERROR),
        (["Hi"], [FinishDelta("abort"), DoneDelta()], "interrupted", Phase.ERROR),
        ([], [FinishDelta("content_filter")], "error", Phase.ERROR),
        (["Hi"], [FinishDelta("stop"), TextDelta("more")], "interrupted", Phase.ERROR),
        ([], [RefusalDelta("I cannot."), FinishDelta("stop")], "interrupted", Phase.ERROR),
        ([], [FinishDelta("stop")], "empty", Phase.DONE),
        (["\n", " "], [FinishDelta("stop"), DoneDelta()], "empty", Phase.DONE),
        (["<think>\n\n</think>\n\n"], [FinishDelta("stop")], "empty", Phase.DONE),
        (["Hi"], [], "interrupted", Phase.ERROR),
        (["<think>hm"], [], "interrupted", Phase.ERROR),
        ([], [], "error", Phase.ERROR),
        (["Hi"], [FailureDelta("NPU lost")], "interrupted", Phase.ERROR),
        ([], [FailureDelta("NPU lost")], "error", Phase.ERROR),
    ],
)
def test_how_it_ends(pieces: list[str], end: list[Delta], status: str, phase: Phase) -> None:
    feeder = Feeder().text(*pieces).deltas(*end)
    feeder.turn.end_of_stream(feeder.t_ns + MS)
    assert (feeder.turn.status, feeder.turn.phase) == (status, phase)
    assert (feeder.turn.error is None) == (status in ("complete", "empty"))


@pytest.mark.parametrize(
    ("pieces", "error", "is_refused", "status"),
    [
        ([], BUSY, None, "refused"),
        ([], TurnError("validation", "top_k must be at least 1."), None, "refused"),
        ([], HTTP, None, "error"),
        ([], HTTP, True, "refused"),
        ([], BUSY, False, "error"),
        ([], TurnError("refused", "Nothing listens on :8021."), None, "error"),
        ([], STALLED, None, "error"),
        (["Hi"], STALLED, None, "interrupted"),
        (["Hi"], BUSY, None, "interrupted"),
    ],
)
def test_how_it_fails(
    pieces: list[str], error: TurnError, is_refused: bool | None, status: str
) -> None:
    feeder = Feeder().text(*pieces)
    feeder.turn.fail(feeder.t_ns + MS, error, is_refused=is_refused)
    assert (feeder.turn.status, feeder.turn.phase) == (status, Phase.ERROR)
    assert feeder.turn.error is error
    assert feeder.turn.text == "".join(pieces)


def test_a_cut_stream_says_after_how_much() -> None:
    feeder = Feeder().text("a", "b", "c")
    feeder.turn.end_of_stream(feeder.t_ns)
    assert feeder.turn.error is not None
    assert feeder.turn.error.kind == "cut"
    assert "after 3 tokens" in feeder.turn.error.sentence
    turn = Turn(REQUEST, T0)
    turn.end_of_stream(T0)
    assert turn.error is not None
    assert "before the first token" in turn.error.sentence


@pytest.mark.parametrize("kind", ["cut", "stalled", "io"])
def test_a_line_that_breaks_after_the_finish_takes_nothing_away(kind: str) -> None:
    feeder = Feeder().text("Hi").deltas(FinishDelta("stop"))
    feeder.turn.fail(feeder.t_ns, TurnError(kind, "The line broke."))
    assert (feeder.turn.status, feeder.turn.error) == ("complete", None)


def test_stop_keeps_what_came_and_its_numbers() -> None:
    feeder = Feeder().text(*["ab "] * 20)
    feeder.turn.stop(feeder.t_ns + 30 * MS)
    turn = feeder.turn
    assert (turn.status, turn.phase, turn.error) == ("stopped", Phase.STOPPED, None)
    assert turn.text == "ab " * 20
    result = result_of(turn, feeder.t_ns + 10**12)
    assert result.tokens_out == 20
    assert result.decode_tps == pytest.approx(10)
    assert result.latency_ms == 1000 + 1900 + 30


def test_stop_in_prefill() -> None:
    feeder = Feeder()
    feeder.turn.stop(T0 + 400 * MS)
    result = result_of(feeder.turn, T0 + 500 * MS)
    assert (result.status, result.text, result.ttft_ms) == ("stopped", "", None)
    assert (result.tokens_out, result.tokens_source, result.latency_ms) == (None, "unknown", 400)


def test_nothing_counts_after_the_end() -> None:
    feeder = Feeder().text("Hi")
    turn = feeder.turn
    turn.stop(feeder.t_ns)
    before = result_of(turn, feeder.t_ns)
    turn.feed(feeder.t_ns + MS, [TextDelta("late"), FinishDelta("stop"), DoneDelta()])
    turn.fail(feeder.t_ns + MS, STALLED)
    turn.end_of_stream(feeder.t_ns + MS)
    turn.accepted(feeder.t_ns + MS)
    turn.stop(feeder.t_ns + 2 * MS)
    assert result_of(turn, feeder.t_ns + 10 * MS) == before


def test_what_follows_the_end_marker_in_the_same_read_is_ignored() -> None:
    turn = Turn(REQUEST, T0)
    turn.feed(T0 + MS, [TextDelta("Hi"), DoneDelta(), TextDelta("late"), FailureDelta("x")])
    assert (turn.text, turn.status) == ("Hi", "complete")


def test_usage_after_the_finish_counts() -> None:
    feeder = Feeder().text(*["ab "] * 20)
    feeder.deltas(FinishDelta("stop"), UsageDelta(tokens_out=20, tokens_in=9), DoneDelta())
    result = result_of(feeder.turn, feeder.t_ns)
    assert (result.tokens_out, result.tokens_source) == (20, "runtime")
    assert result.decode_tps == pytest.approx(10)
    assert result.decode_source == "measured"


def test_times_count_from_the_write() -> None:
    turn = Turn(REQUEST, T0)
    assert turn.stats(T0 + 5000 * MS).elapsed_s == 5
    turn.sent(T0 + 60_000 * MS)
    turn.accepted(T0 + 60_001 * MS)
    turn.sent(T0 + 60_500 * MS)
    turn.feed(T0 + 61_000 * MS, [TextDelta("Hi"), DoneDelta()])
    stats = turn.stats(T0 + 70_000 * MS)
    assert (stats.headers_ms, stats.ttft_ms, stats.latency_ms) == (1, 1000, 1000)
    assert turn.t0_ns == T0 + 60_000 * MS


def test_the_prompt_that_it_answers() -> None:
    assert Turn(REQUEST, T0).prompt == "why?"
    assert Turn(ChatRequest("m", (), GenerationSettings()), T0).prompt == ""


# -- the first token ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first",
    ["<think>", "<", "<th", "\n", " ", "Hello", "\ud83d", "\U000e0041", "\x1b"],
)
def test_any_text_at_all_is_the_first_token(first: str) -> None:
    feeder = Feeder().text(first, "and more")
    stats = feeder.turn.stats(feeder.t_ns)
    assert stats.ttft_ms == 1000
    assert stats.chunks == 2


def test_thinking_on_its_own_channel_is_the_first_token() -> None:
    feeder = Feeder().deltas(
        TextDelta(""), ThinkingDelta(""), ThinkingDelta("hm"), TextDelta("\n\n"), TextDelta("Hi")
    )
    stats = feeder.turn.stats(feeder.t_ns)
    assert (stats.ttft_ms, stats.ttfot_ms) == (1200, 1300)
    assert (feeder.turn.thinking, feeder.turn.text) == ("hm", "Hi")
    assert feeder.turn.take_pending() == [
        Segment("thinking", CleanText("hm")),
        Segment("text", CleanText("Hi")),
    ]


def test_a_tag_in_characters_is_thinking() -> None:
    feeder = Feeder(Turn(REQUEST, T0, "character"), gap_ms=10).text(*"<think>hm</think>\n\nHi")
    stats = feeder.turn.stats(feeder.t_ns)
    assert (feeder.turn.thinking, feeder.turn.text) == ("hm", "Hi")
    assert (stats.ttft_ms, stats.chunks) == (1000, 21)
    assert stats.ttfot_ms == 1000 + 17 * 10
    assert stats.thinking_s == pytest.approx(0.17)
    assert stats.tokens == 7


# -- a recorded stream --------------------------------------------------------------------------


def test_a_recorded_stream_of_rockchipllama() -> None:
    """Recorded words; the server's own usage counts words, so its dialect reports none."""
    feeder = Feeder(gap_ms=50)
    for line in RECORDING.read_text().splitlines():
        if line.startswith("data: {"):
            choice = json.loads(line.removeprefix("data: "))["choices"][0]
            if choice["finish_reason"]:
                feeder.deltas(FinishDelta(choice["finish_reason"]))
            else:
                feeder.text(choice["delta"]["content"])
        elif line == "data: [DONE]":
            feeder.deltas(DoneDelta())
    result = result_of(feeder.turn, feeder.t_ns)
    assert result.thinking == "The RK3588 has a neural processin"
    assert result.text == "g unit with three cores. On this board a fo"
    assert (result.status, result.finish) == ("complete", "stop")
    assert (result.chunks, result.tokens_out, result.tokens_source) == (24, 24, "estimated")
    assert result.decode_tps == pytest.approx(20)
    assert (result.itl_ms.p50, result.itl_ms.max) == (50, 50)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("max_tokens", "limit"), [(10, 1 << 19), (100_000, 6_400_000), (0, 1 << 24)]
)
def test_an_endless_answer_ends_and_keeps_what_came(max_tokens: int, limit: int) -> None:
    settings = GenerationSettings(max_tokens=max_tokens)
    turn = Turn(ChatRequest("m", (Message("user", "hi"),), settings), T0)
    assert chars_limit(max_tokens) == limit
    piece = "x" * 65_536
    for number in range(2 * limit // len(piece)):
        turn.feed(T0 + number * MS, [TextDelta(piece)])
        turn.take_pending()
    assert turn.error is not None
    assert (turn.status, turn.error.kind) == ("interrupted", "protocol")
    assert limit < len(turn.text) <= limit + len(piece)


def test_what_the_server_does_before_the_prefill_stands_beside_the_ttft() -> None:
    turn = Turn(REQUEST, T0)
    turn.note_before_prefill("load")
    turn.note_before_prefill("load")
    feeder = Feeder(turn).text(*["word "] * 12)
    turn.note_before_prefill("queue")  # too late: the first token is there
    stats = turn.stats(feeder.t_ns)
    assert stats.ttft_includes == ("load",)
    assert stats.prefill_tps is None
    assert "TTFT 1.00 s (loading included)" in footer_line(stats, "complete")
    assert result_of(turn, feeder.t_ns).to_json_dict()["ttft_includes"] == ["load"]


@pytest.mark.parametrize("is_kernel", [True, False])
def test_a_late_loop_says_nothing_about_stamps_of_the_kernel(is_kernel: bool) -> None:
    turn = Turn(REQUEST, T0)
    turn.note_clock(is_kernel=is_kernel)
    feeder = Feeder(turn).text("word")
    turn.note_lag(45.0)
    stats = turn.stats(feeder.t_ns)
    assert stats.max_lag_ms == 45.0
    assert stats.is_marked is not is_kernel


def test_the_usage_of_the_answer_before_is_dropped() -> None:
    """An answer of 60 tokens, one of 24 with the same report, and one of 30 with its own."""
    last = LastUsage()
    report = UsageDelta(tokens_in=9, tokens_out=60, prefill_ms=400.0, decode_ms=6000.0)
    turns = []
    for count, usage in ((60, report), (24, report), (30, replace(report, tokens_out=30))):
        feeder = Feeder(Turn(replace(REQUEST, settings=GenerationSettings()), T0, last_usage=last))
        feeder.text(*["word "] * count).deltas(usage, FinishDelta("stop"), DoneDelta())
        turns.append((feeder.turn, feeder.turn.stats(feeder.t_ns)))
    assert [turn.is_usage_stale for turn, _ in turns] == [False, True, False]
    assert [(s.tokens, s.tokens_source) for _, s in turns] == [
        (60, "runtime"), (24, "estimated"), (30, "runtime"),
    ]  # fmt: skip
    assert turns[1][1].prefill_source == "estimated"


def test_equal_counts_of_two_answers_at_their_limit_are_no_mistake() -> None:
    last = LastUsage()
    report = UsageDelta(tokens_in=9, tokens_out=64)
    for count in (60, 40):  # the rest of the tokens were parts of characters
        feeder = Feeder(Turn(REQUEST, T0, last_usage=last)).text(*["word "] * count)
        feeder.deltas(report, FinishDelta("length"), DoneDelta())
        assert feeder.turn.stats(feeder.t_ns).tokens == 64
