"""Answers that a test feeds word by word."""

from __future__ import annotations

import time
from dataclasses import replace

from tests.core.turn.turns import REQUEST
from tui.core.turn.turn import Turn
from tui.core.types import FinishDelta, Message, TextDelta


def asked(prompt: str = "why?") -> Turn:
    request = replace(REQUEST, messages=(Message("user", prompt),))
    return Turn(request, time.perf_counter_ns())


def feed(turn: Turn, *words: str) -> None:
    for word in words:
        turn.feed(time.perf_counter_ns(), [TextDelta(word)])


def end(turn: Turn) -> None:
    now_ns = time.perf_counter_ns()
    turn.feed(now_ns, [FinishDelta("stop")])
    turn.end_of_stream(now_ns)
