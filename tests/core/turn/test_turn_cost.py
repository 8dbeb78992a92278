"""What an answer of 16,384 tokens costs, in calls rather than in time: time depends on the day."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType

import pytest

from tests.core.turn.turns import MS, REQUEST, T0
from tui.core.turn.turn import Turn
from tui.core.types import TextDelta

TOKENS = 16_384
WORDS = ["Each ", "new ", "token\n", "reads ", "每个", "é ", "`x` ", "3"]


def calls_of(work: Callable[[], object]) -> int:
    """Calls of Python and C functions while ``work`` runs."""
    count = 0

    def profile(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.slow
def test_a_token_and_a_look_cost_the_same_at_any_length() -> None:
    turn = Turn(REQUEST, T0)
    token_calls: list[int] = []
    look_calls: list[int] = []
    for start in range(0, TOKENS, 64):
        deltas = [TextDelta(WORDS[number % len(WORDS)]) for number in range(64)]

        def feed(deltas: list[TextDelta] = deltas, start: int = start) -> None:
            for offset, delta in enumerate(deltas):
                turn.feed(T0 + (start + offset) * 5 * MS, [delta])

        def look(start: int = start) -> None:
            turn.take_pending()
            turn.stats(T0 + (start + 64) * 5 * MS)

        token_calls.append(calls_of(feed))
        look_calls.append(calls_of(look))
    quarter = len(token_calls) // 4
    assert sum(token_calls[-quarter:]) <= 1.01 * sum(token_calls[1 : quarter + 1])
    assert max(token_calls) <= 64 * 60
    assert max(look_calls[-quarter:]) <= 400
    assert sum(look_calls[-quarter:]) <= 2 * sum(look_calls[1 : quarter + 1])


@pytest.mark.slow
def test_memory_is_a_few_bytes_per_token_beside_the_text() -> None:
    deltas = [TextDelta(WORDS[number % len(WORDS)]) for number in range(len(WORDS))]
    tracemalloc.start()
    try:
        turn = Turn(REQUEST, T0)
        for number in range(TOKENS):
            turn.feed(T0 + number * MS, [deltas[number % len(deltas)]])
            if number % 16 == 0:
                turn.take_pending()
        turn.stats(T0 + TOKENS * MS)
        used, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert turn.stats(T0).tokens == TOKENS
    assert used < 64 * TOKENS
    assert peak < 200 * TOKENS
