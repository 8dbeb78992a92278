"""The ledger of one board: its events are collected for the run, which has the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from tui.bench.model.events import (
    Event,
    LiveOnly,
    RequestStarted,
    Sampled,
    StageChanged,
    to_json,
)
from tui.bench.run.ledger import Ledger

_LIVE_ONLY = get_args(LiveOnly)
SAMPLES_BEFORE = 8
"""Samples from before a request that are told with it: a few seconds."""


class BoardLedger(Ledger):
    """``on_event`` is told of stages, and of requests that were sent."""

    def __init__(self, on_event: Callable[[Event], None]) -> None:
        super().__init__()
        self._on_event = on_event
        self._lines: list[Event] = []

    def write(self, event: Event) -> None:
        if isinstance(event, _LIVE_ONLY):
            return
        self._lines.append(event)
        if isinstance(event, RequestStarted) and not event.is_warmup:
            self._on_event(event)

    def show(self, event: Event) -> None:
        if isinstance(event, StageChanged):
            self._on_event(event)

    async def flush(self, *, sync: bool = False) -> None:
        """There is nothing to flush: the answer is kept when it is whole."""

    def begin_block(self) -> None:
        """Forgets what came between two requests but the last samples."""
        samples = [line for line in self._lines if isinstance(line, Sampled)]
        self._lines = [*samples[-SAMPLES_BEFORE:]]

    def take(self) -> bytes:
        """The journal's lines since the block began."""
        taken, self._lines = self._lines, []
        return b"".join(to_json(line, is_ascii=False) + b"\n" for line in taken)
