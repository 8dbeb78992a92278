from __future__ import annotations

import threading
import time

from tests.core.turn.turns import MS, REQUEST, T0, folded
from tui.core.turn.turn import Turn
from tui.core.types import DoneDelta, TextDelta

TOKENS = 16_384


def test_one_writer_and_one_reader_lose_nothing() -> None:
    turn = Turn(REQUEST, T0)

    def write() -> None:
        turn.accepted(T0)
        for number in range(TOKENS):
            turn.feed(T0 + number * MS, [TextDelta(f" {number}")])
            if number == TOKENS // 2:
                turn.feed(T0 + number * MS, [TextDelta("</think>")])
        turn.feed(T0 + TOKENS * MS, [DoneDelta()])

    writer = threading.Thread(target=write)
    writer.start()
    taken = []
    seen_tokens = 0
    while True:
        is_over = turn.phase.is_over
        taken += turn.take_pending()
        stats = turn.stats(T0 + TOKENS * MS)
        assert stats.tokens >= seen_tokens
        seen_tokens = stats.tokens
        if is_over:
            break
        time.sleep(0.0005)
    writer.join()
    thinking, text = folded(taken)
    assert thinking == "".join(f" {number}" for number in range(TOKENS // 2 + 1))
    assert text.split() == [str(number) for number in range(TOKENS // 2 + 1, TOKENS)]
    assert (turn.thinking, turn.text) == (thinking, text)
    assert turn.status == "complete"
    assert seen_tokens == TOKENS + 1
