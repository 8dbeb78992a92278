"""What a turn gives out piece by piece, and what comes of any stream."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.hostile import HOSTILE, raw_controls
from tests.core.turn.test_think import PIECES
from tests.core.turn.turns import REQUEST, STALLED, T0, Feeder, folded
from tui.core.turn.chunk_log import ChunkMeaning
from tui.core.turn.result import result_of
from tui.core.turn.think import Reclassified
from tui.core.turn.turn import Turn
from tui.core.types import (
    ChatRequest,
    CleanText,
    Delta,
    FailureDelta,
    FinishDelta,
    GenerationSettings,
    Message,
    Segment,
    TextDelta,
    ThinkingDelta,
    UsageDelta,
)


def test_pending_is_one_segment_per_change_of_kind() -> None:
    feeder = Feeder().text("<think>", "a", "b", "</think>", "\n", "c", "d")
    had_pending = feeder.turn.has_pending
    assert feeder.turn.take_pending() == [
        Segment("thinking", CleanText("ab")),
        Segment("text", CleanText("cd")),
    ]
    assert (had_pending, feeder.turn.has_pending) == (True, False)
    assert feeder.turn.take_pending() == []
    feeder.text("e")
    assert feeder.turn.take_pending() == [Segment("text", CleanText("e"))]
    assert (feeder.turn.thinking, feeder.turn.text) == ("ab", "cde")


def test_text_that_was_thinking_and_was_taken() -> None:
    feeder = Feeder().text("so ", "it is")
    assert feeder.turn.take_pending() == [Segment("text", CleanText("so it is"))]
    feeder.text(" then", "\n</think>", "\n\n", "Hi")
    assert feeder.turn.is_reclassified
    assert feeder.turn.take_pending() == [
        Reclassified(),
        Segment("thinking", CleanText(" then\n")),
        Segment("text", CleanText("Hi")),
    ]
    assert (feeder.turn.thinking, feeder.turn.text) == ("so it is then", "Hi")
    stats = feeder.turn.stats(feeder.t_ns)
    assert (stats.ttft_ms, stats.ttfot_ms, stats.thinking_tokens) == (1000, 1400, 4)


def test_text_that_was_thinking_and_was_not_taken() -> None:
    feeder = Feeder().text("so", "</think>Hi")
    assert feeder.turn.take_pending() == [
        Segment("thinking", CleanText("so")),
        Segment("text", CleanText("Hi")),
    ]
    assert feeder.turn.is_reclassified


def test_white_space_before_an_unopened_closing_tag_still_parts_words() -> None:
    batch: list[Delta] = [TextDelta("word "), TextDelta("</think>"), ThinkingDelta("more")]
    turn = Feeder().deltas(*batch).turn
    assert folded(turn.take_pending()) == ("word more", "")
    assert turn.thinking == "word more"


def test_what_was_held_back_comes_at_the_end() -> None:
    feeder = Feeder().text("a </thi")
    assert feeder.turn.take_pending() == [Segment("text", CleanText("a "))]
    feeder.text("\ud83d")
    feeder.turn.stop(feeder.t_ns)
    assert folded(feeder.turn.take_pending()) == ("", "</thi\ufffd")
    assert feeder.turn.text == "a </thi\ufffd"


words = st.sampled_from([*PIECES, "\x1b]52;c;eA==\x07", "\u202e", "\ud83d", "\ude00", "\r", "中"])
deltas = st.one_of(
    words.map(TextDelta),
    words.map(ThinkingDelta),
    st.builds(
        UsageDelta,
        st.none() | st.integers(-5, 500),
        st.none() | st.integers(-5, 500),
        st.none() | st.floats(),
        st.none() | st.floats(),
    ),
    st.sampled_from([FinishDelta("stop"), FinishDelta("\x1b[2J"), FinishDelta(None)]),
)
reads = st.lists(st.tuples(st.integers(0, 10**10), st.lists(deltas, max_size=4)), max_size=20)
ends = st.sampled_from(["stop", "fail", "end_of_stream", "none"])


@pytest.mark.slow
@given(reads, ends, st.sampled_from(["token", "character", "unknown"]))
@settings(max_examples=300)
def test_any_stream_at_all(
    stream: list[tuple[int, list[Delta]]], end: str, meaning: ChunkMeaning
) -> None:
    turn = Turn(REQUEST, T0, meaning, 4096)
    t_ns, taken = T0, []
    for gap_ns, batch in stream:
        t_ns += gap_ns
        turn.feed(t_ns, batch)
        taken += turn.take_pending()
        turn.stats(t_ns)
    if end == "fail":
        turn.fail(t_ns, STALLED)
    elif end != "none":
        getattr(turn, end)(t_ns)
    taken += turn.take_pending()
    thinking, text = folded(taken)
    assert text == turn.text
    assert thinking.rstrip() == turn.thinking
    assert raw_controls(text) == raw_controls(thinking) == []
    result = result_of(turn, t_ns)
    values = result.to_json_dict()
    json.loads(json.dumps(values, allow_nan=False))
    for number, source in (
        ("tokens_out", "tokens_source"),
        ("decode_tps", "decode_source"),
        ("prefill_ms", "prefill_source"),
    ):
        assert (values[number] is None) == (values[source] == "unknown")


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_hostile_comes_out(name: str) -> None:
    hostile = HOSTILE[name]
    request = ChatRequest(hostile, (Message("user", hostile),), GenerationSettings())
    feeder = Feeder(Turn(request, T0)).deltas(TextDelta(hostile), ThinkingDelta(hostile))
    feeder.deltas(FinishDelta(hostile), FailureDelta(hostile))
    turn = feeder.turn
    for segment in turn.take_pending():
        assert raw_controls(segment.text) == []
    result = result_of(turn, feeder.t_ns, server=hostile)
    for text in (result.text, result.thinking):
        assert raw_controls(text) == []
    lines = (result.model, result.server, result.finish)
    for line in (*lines, turn.error.sentence if turn.error else ""):
        assert raw_controls(line or "", newlines=False) == []
