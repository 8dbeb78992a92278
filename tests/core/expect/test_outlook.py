"""What is awaited of an answer, how far it is, and when it ends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.core.expect.past import answer, answers
from tui.core.expect.decode import fit_decode, usual_lengths
from tui.core.expect.outlook import Knowledge, NpuSeen, Outlook, outlook
from tui.core.expect.past_answer import PastAnswer
from tui.core.expect.prefill import fit_prefill
from tui.core.expect.wait_words import long_wait, short_wait
from tui.core.turn.turn import Turn
from tui.core.types import ChatRequest, GenerationSettings, Message, TextDelta

NS = 1_000_000_000
UNSEEN = NpuSeen()


def turn_of(chars: int = 4000, max_tokens: int = 2048, context: int = 16384) -> Turn:
    settings = GenerationSettings(max_tokens=max_tokens)
    request = ChatRequest("qwen3-4b", (Message("user", "a" * chars),), settings)
    return Turn(request, 0, "token", context)


def known(past: Sequence[PastAnswer]) -> Knowledge:
    lengths = usual_lengths(past, None, is_thinking=False)
    return Knowledge(fit_prefill(past), fit_decode(past), lengths)


def view(
    turn: Turn, at_s: float, past: Sequence[PastAnswer] = (), npu: NpuSeen = UNSEEN
) -> Outlook:
    now_ns = round(at_s * NS)
    stats = turn.stats(now_ns)
    return outlook(stats, known(past), npu, t0_ns=0, now_ns=now_ns, is_first=True)


def test_a_prefill_is_told_with_what_earlier_ones_took() -> None:
    turn = turn_of()
    turn.accepted(1000)
    size = turn.stats(0).prompt_estimate
    assert size is not None
    seen = view(turn, 14.0, answers(40))
    assert seen.prefill is not None
    assert seen.prefill.likely == pytest.approx(0.2 + 0.03 * size, rel=0.05)
    assert seen.share == pytest.approx(14.0 / seen.prefill.likely)
    assert not seen.is_overdue
    assert short_wait(seen) == "prefill 14 s of ~28 s"
    assert long_wait(seen).endswith("from 40 earlier prompts)")


def test_without_earlier_ones_only_the_time_is_told() -> None:
    turn = turn_of()
    turn.accepted(1000)
    seen = view(turn, 14.0)
    assert (seen.prefill, seen.share) == (None, None)
    assert short_wait(seen) == long_wait(seen) == "prefill 14 s"


def test_a_prefill_is_never_told_as_done_and_is_overdue_one_day() -> None:
    turn = turn_of()
    turn.accepted(1000)
    seen = view(turn, 90.0, answers(40))
    assert seen.share is not None
    assert seen.share < 1
    assert seen.is_overdue
    assert "longer than expected" in long_wait(seen)


def test_an_npu_that_does_nothing_tells_a_queue_from_a_prefill() -> None:
    turn = turn_of()
    turn.accepted(1000)
    assert view(turn, 2.0, npu=NpuSeen(idle_samples=1)).awaited == "prefill"
    seen = view(turn, 5.0, answers(40), NpuSeen(idle_samples=4))
    assert (seen.awaited, seen.share) == ("queue", None)
    assert "the NPU is idle" in long_wait(seen)
    assert view(turn, 6.0, npu=NpuSeen(busy_ns=5 * NS)).awaited == "prefill"


def test_loading_ends_when_the_npu_begins() -> None:
    turn = turn_of()
    turn.note_before_prefill("load")
    assert view(turn, 3.0, answers(40)).awaited == "loading"
    turn.accepted(1000)
    assert view(turn, 8.0, answers(40), NpuSeen(idle_samples=9)).awaited == "loading"
    seen = view(turn, 20.0, answers(40), NpuSeen(busy_ns=12 * NS))
    assert (seen.awaited, seen.elapsed_s) == ("prefill", 8.0)
    assert seen.share == pytest.approx(8.0 / 28.3, rel=0.1)


def answering(turn: Turn, tokens: int, gap_s: float = 0.3) -> float:
    """Seconds at the last token."""
    turn.accepted(1000)
    for number in range(tokens):
        turn.feed(round((1 + number * gap_s) * NS), [TextDelta("word ")])
    return 1 + (tokens - 1) * gap_s


def test_the_end_is_expected_where_answers_usually_end() -> None:
    past = [answer(n, tokens=300 + 10 * n) for n in range(11)]
    turn = turn_of(40)
    seen = view(turn, answering(turn, 100), past)
    assert seen.left is not None
    assert seen.left.likely == pytest.approx(250 * 0.3, rel=0.02)
    assert seen.left.low == pytest.approx(210 * 0.3, rel=0.02)
    assert seen.left_most_s == pytest.approx(1948 * 0.3, rel=0.02)
    assert seen.share == pytest.approx(30 / 105, rel=0.05)


def test_no_end_is_expected_beyond_the_limit() -> None:
    past = [answer(n, tokens=300 + 10 * n) for n in range(11)]
    turn = turn_of(40, max_tokens=150)
    seen = view(turn, answering(turn, 100), past)
    assert seen.left is not None
    assert seen.left.high == pytest.approx(50 * 0.3, rel=0.02)


def test_too_few_earlier_answers_tell_the_limit_only() -> None:
    turn = turn_of(40, context=400)
    seen = view(turn, answering(turn, 100), [answer(n) for n in range(5)])
    assert seen.left is None
    assert seen.context_left is not None
    assert 250 < seen.context_left < 300
    assert seen.left_most_s == pytest.approx(seen.context_left * 0.3, rel=0.05)
