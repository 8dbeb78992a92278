"""Samples the board while its server answers, as most governors lower the clocks of an idle
board."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from tui.bench.model.options import GREEDY, Limits
from tui.bench.run.board_link import BoardLink
from tui.bench.run.connect import Connected
from tui.bench.run.recorded_turn import RecordedTurn
from tui.bench.run.request_runner import RequestRunner
from tui.bench.store.controls import Controls
from tui.core.board.reading import Snapshot
from tui.core.types import ChatRequest, Message

LOOK_S = 1.8
"""Duration of the sampled answer, long enough for loads, which need two samples."""
SAMPLE_S = 0.8
FIRST_TOKENS, LEAST_TOKENS, MOST_TOKENS = 5, 6, 512
LIMITS = Limits(first_s=120.0, idle_s=60.0, drain_s=10.0)


async def sample_while_answering(
    connected: Connected, open_board: Callable[[], BoardLink]
) -> Snapshot | None:
    """The last snapshot during an answer; None if the server buffers or does not answer.

    A first, shorter answer loads the model and gives the rate, from which the length of the second
    one follows. ``open_board`` is called during the second, so that no reading is older.
    """
    first = await _ask(connected, "Tell me about a ferry.", FIRST_TOKENS, asyncio.Event())
    rate_tps = _rate_tps(first)
    if rate_tps is None:
        return None
    tokens = min(max(math.ceil(rate_tps * LOOK_S), LEAST_TOKENS), MOST_TOKENS)
    has_begun = asyncio.Event()
    seen: list[Snapshot] = []
    watch = asyncio.create_task(_watch(open_board, has_begun, seen))
    try:
        turn = await _ask(connected, "Tell me about a canal.", tokens, has_begun)
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
    last_ns = turn.stamps_ns[-1] if turn.stamps_ns else 0
    return next((snapshot for snapshot in seen[::-1] if snapshot.t_ns <= last_ns), None)


async def _ask(
    connected: Connected, text: str, max_tokens: int, has_begun: asyncio.Event
) -> RecordedTurn:
    def look(turn: RecordedTurn) -> None:
        if turn.stamps_ns:
            has_begun.set()

    runner = RequestRunner(connected.client, Controls(), on_tick=look, tick_s=0.02)
    settings = replace(GREEDY, max_tokens=max_tokens)
    request = ChatRequest(connected.info.name, (Message("user", text),), settings)
    asked = await runner.ask(
        request, LIMITS, context_tokens=connected.context_tokens, can_skip=False
    )
    return asked.turn


def _rate_tps(turn: RecordedTurn) -> float | None:
    """Chunks per second; None if they came at once, or if there are fewer than three."""
    stamps = turn.stamps_ns
    span_s = (stamps[-1] - stamps[0]) / 1e9 if len(stamps) > 2 else 0.0
    return (len(stamps) - 1) / span_s if span_s > 0.001 else None


async def _watch(
    open_board: Callable[[], BoardLink], has_begun: asyncio.Event, seen: list[Snapshot]
) -> None:
    await has_begun.wait()
    board = open_board()
    try:
        while True:
            snapshot = await board.sample()
            if snapshot is not None:
                seen.append(snapshot)
            await asyncio.sleep(SAMPLE_S)
    finally:
        board.close()
