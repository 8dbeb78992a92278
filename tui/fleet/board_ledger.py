"""The ledger of one board of many: it collects events for the run, which writes the journal."""

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
"""How many board samples from before a request are sent with it (a few seconds)."""


class BoardLedger(Ledger):
    """``on_event`` is called for stage changes and for requests that were sent, without
    warm-ups."""

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
        """Does nothing: an answer is written to disk when it is complete."""

    def begin_block(self) -> None:
        """Discards events from before this request, except for the last samples."""
        samples = [line for line in self._lines if isinstance(line, Sampled)]
        self._lines = [*samples[-SAMPLES_BEFORE:]]

    def take(self) -> bytes:
        """Returns and removes the journal lines since :meth:`begin_block`."""
        taken, self._lines = self._lines, []
        return b"".join(to_json(line, is_ascii=False) + b"\n" for line in taken)
