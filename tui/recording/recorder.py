"""Records running answers and board samples into a file."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from msgspec.structs import replace

from tui import __version__
from tui.core.turn.turn import Turn
from tui.core.types import ModelInfo
from tui.recording import lines
from tui.recording.lines import Event, Numbers, RecordedMessage, Request
from tui.recording.masking import TokenMask
from tui.recording.samples import Sample, SampleLines
from tui.recording.scrub import Scrubber
from tui.recording.told_turn import ToldTurn
from tui.recording.writer import LineWriter

SAMPLES_BEFORE, SAMPLES_AFTER = 10, 5
"""Board samples recorded before and after an answer."""


class RecordingSession:
    """Records the answers of one npulse process in one file. Thread-safe.

    ``numbers_of(turn, now_ns)`` returns the figures to write for a finished answer. ``scrubber``
    None: nothing is masked. ``has_text`` False: only the lengths of texts are written.
    """

    def __init__(
        self,
        path: Path,
        numbers_of: Callable[[Turn, int], Mapping[str, object]],
        on_problem: Callable[[str], None],
        *,
        scrubber: Scrubber | None,
        has_text: bool = True,
    ) -> None:
        """Raises FileExistsAlreadyError if the file exists."""
        LineWriter.check(path)
        self._numbers_of = numbers_of
        self._writer = LineWriter(path, on_problem)
        self._mask = TokenMask(scrubber, has_text=has_text)
        self._header = lines.Header(
            version=lines.VERSION,
            npulse=__version__,
            is_scrubbed=scrubber is not None,
            has_text=has_text,
        )
        self._lock = threading.Lock()
        """Guards all below."""
        self._t0_ns: int | None = None
        self._last_ns = 0
        self._turn: ToldTurn | None = None
        self._n_after = 0
        self._samples = SampleLines(SAMPLES_BEFORE)

    def begin(self, turn: ToldTurn, request: Request) -> None:
        """Record this answer from now on; ``request`` comes from :func:`request_line`."""
        with self._lock:
            if self._t0_ns is None:
                first_ns = self._samples.first_ns
                self._t0_ns = turn.t0_ns if first_ns is None else min(first_ns, turn.t0_ns)
                self._writer.write(lines.encode(self._header))
            for t_ns, board in self._samples.take(is_full=True):
                self._put(t_ns, board)
            self._turn = turn
            self._put(turn.t0_ns, request)
        turn.tell_to(self._tell)

    def renew(self, turn: Turn) -> None:
        """Updates the numbers of a finished answer."""
        with self._lock:
            if turn is self._turn and turn.phase.is_over:
                self._put_numbers(self._turn)

    def on_snapshot(self, sample: Sample) -> None:
        """Takes a board sample."""
        with self._lock:
            self._samples.add(sample)
            turn = self._turn
            if turn is None:
                return
            if turn.phase.is_over:
                self._n_after -= 1
                if self._n_after < 0:
                    return
            for t_ns, board in self._samples.take():
                self._put(t_ns, board)

    def close(self) -> None:
        """Write the rest. Blocks until it is written."""
        with self._lock:
            self._write(self._mask.flush())
        self._writer.close()

    def _tell(self, t_ns: int | None, event: Event) -> None:
        with self._lock:
            self._put(t_ns, event)
            turn = self._turn
            if turn is not None and isinstance(event, lines.PhaseBegins) and event.phase.is_over:
                self._n_after = SAMPLES_AFTER
                self._put_numbers(turn)
                self._write(self._mask.flush())

    def _put_numbers(self, turn: ToldTurn) -> None:
        numbers = dict(self._numbers_of(turn, time.perf_counter_ns()))
        self._put(None, Numbers(status=turn.status, numbers=numbers))

    def _put(self, t_ns: int | None, line: Event | Request) -> None:
        self._last_ns = max(self._last_ns, t_ns or 0)
        t_ms = max(round(((t_ns or self._last_ns) - (self._t0_ns or 0)) / 1e6, 3), 0.0)
        self._write(self._mask.feed(replace(line, t_ms=t_ms)))

    def _write(self, ready: Iterable[Event | Request]) -> None:
        for line in ready:
            self._writer.write(lines.encode(line))


def request_line(
    turn: Turn,
    *,
    time_s: float,
    server: str = "",
    dialect: str = "",
    about: ModelInfo | None = None,
    context_tokens: int | None = None,
    is_simulated: bool = False,
) -> Request:
    """The request line of an answer; ``time_s`` is wall time."""
    request = turn.request
    return Request(
        time=round(time_s, 3),
        messages=tuple(RecordedMessage(m.role, m.content) for m in request.messages),
        settings=dataclasses.replace(request.settings, system_prompt=""),
        model=request.model,
        about=about,
        chunk_meaning=turn.chunk_meaning,
        context_tokens=context_tokens,
        server=server,
        dialect=dialect,
        is_simulated=is_simulated,
    )
