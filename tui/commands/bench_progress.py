"""Progress of a run: one moving line, plain lines, JSON lines, or nothing."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Literal, TextIO

from tui.bench.model.events import (
    Event,
    Finished,
    Forecast,
    GateSeen,
    Noted,
    Progressed,
    RequestEnded,
    RequestStarted,
    StageChanged,
    Started,
    WarmupEnded,
    to_json,
)
from tui.bench.model.records import Request
from tui.core.screen.footer import queue_note
from tui.core.text.format import clock, milliseconds, rate
from tui.core.text.sanitize import clean

Ui = Literal["auto", "progress", "plain", "none", "jsonl"]
CLOSE_S = 5.0
_MARKS = {"ok": "ok", "warn": "warn", "refuse": "REFUSE"}


def shown_by(ui: Ui, out: TextIO) -> Callable[[Event], None]:
    """The progress display on ``out``. auto: a moving line on a terminal, else plain lines."""
    if ui == "auto":
        ui = "progress" if out.isatty() and os.environ.get("TERM") != "dumb" else "plain"
    if ui == "none":
        return lambda _: None
    if ui == "jsonl":
        return _Writer(out, lambda event: [to_json(event).decode()]).show
    if ui == "plain":
        return _Writer(out, Plain().lines).show
    return Moving(out).show


class Aside:
    """Shows events in a thread, so that a slow terminal does not delay token times."""

    def __init__(self, show: Callable[[Event], None]) -> None:
        self._queue: SimpleQueue[Event | None] = SimpleQueue()
        self._show = show
        self._thread = threading.Thread(target=self._run, name="npulse-progress", daemon=True)
        self._thread.start()

    def show(self, event: Event) -> None:
        """Returns at once."""
        self._queue.put(event)

    def close(self) -> None:
        """Waits for the remaining output, at most ``CLOSE_S`` for a blocked terminal."""
        self._queue.put(None)
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while (event := self._queue.get()) is not None:
            self._show(event)


class _Writer:
    """Writes lines; stops once the output is closed."""

    def __init__(self, out: TextIO, lines: Callable[[Event], list[str]]) -> None:
        self._out = out
        self._lines = lines
        self._is_gone = False

    def show(self, event: Event) -> None:
        lines = [] if self._is_gone else self._lines(event)
        if not lines:
            return
        try:
            self._out.write("".join(f"{line}\n" for line in lines))
            self._out.flush()
        except (OSError, ValueError):
            # The terminal or the pipe was closed; the run continues without it.
            self._is_gone = True


class Plain:
    """One line per event, without escape sequences."""

    def __init__(self) -> None:
        self._last_stage = ""

    def lines(self, event: Event) -> list[str]:
        """The lines for one event; most events have none."""
        if isinstance(event, Started):
            return _started(event)
        if isinstance(event, StageChanged):
            if not event.sentence or event.sentence == self._last_stage:
                return []
            self._last_stage = event.sentence
            return [f"{event.stage}: {clean(event.sentence, newlines=False)}"]
        if isinstance(event, GateSeen):
            return _gate(event)
        if isinstance(event, RequestEnded | WarmupEnded):
            return [_ended(event.request, is_warmup=isinstance(event, WarmupEnded))]
        if isinstance(event, Noted):
            return [f"note: {clean(event.sentence, newlines=False)}"]
        if isinstance(event, Finished):
            return [f"{event.outcome}: {clean(event.sentence, newlines=False)}"]
        return []


def _started(event: Started) -> list[str]:
    lines = []
    if event.is_simulated:
        lines.append("SIMULATED: this is npulse's simulated board, not a measurement of a real one")
    count = len(event.plan) - event.done
    goal = f"{count} requests" if event.minutes is None else f"{event.minutes:g} minutes"
    lines.append(
        f"run {event.run_id}: {event.title or event.suite} on {clean(event.model, newlines=False)} "
        f"at {clean(event.server, newlines=False)}, {goal}, seed {event.seed}"
    )
    if event.done:
        lines.append(f"{event.done} requests are done already")
    return lines


def _gate(event: GateSeen) -> list[str]:
    gate = event.gate
    fix = f" ({gate.fix})" if gate.fix and not gate.ok else ""
    return [f"gate {_MARKS[gate.severity]}: {clean(gate.sentence + fix, newlines=False)}"]


def _ended(request: Request, *, is_warmup: bool) -> str:
    name = "warm-up" if is_warmup else f"{request.id} #{request.rep + 1}"
    name += f" on {clean(request.board, newlines=False)}" if request.board else ""
    parts = [f"{name}: {request.status}"]
    if request.tok.out is not None:
        mark = "~" if request.tok.source == "estimated" else ""
        parts.append(f"{mark}{request.tok.out} tokens")
    if request.rate_tps is not None:
        mark = "~" if request.is_rate_estimated else ""
        parts.append(f"{mark}{rate(request.rate_tps)} tok/s")
    first = request.m.get("ttft_client_ms")
    if first is not None:
        parts.append(f"TTFT {request.marked_ttft(milliseconds(first))}")
    queue_ms = request.m.get("queue_ms")
    if queue_ms is not None:
        parts.append(queue_note(queue_ms))
    kept = [c for c in request.checks if c.passed is not None and not c.info]
    if kept:
        parts.append(f"checks {sum(bool(c.passed) for c in kept)}/{len(kept)}")
    if request.taint:
        parts.append(f"taint {' '.join(request.taint)}")
    if request.error:
        parts.append(clean(request.error, newlines=False))
    return ", ".join(parts)


class Moving:
    """Plain lines, and below them one line that is rewritten in place."""

    def __init__(self, out: TextIO) -> None:
        self._plain = Plain()
        self._out = out
        self._status = ""
        self._place = ""
        self._left = ""
        self._is_gone = False

    def show(self, event: Event) -> None:
        if self._is_gone:
            return
        if isinstance(event, RequestStarted):
            of = f"/{event.planned}" if event.planned else ""
            number = "warm-up" if event.is_warmup else f"{event.number}{of}"
            self._place = f"{number} {event.name or event.id}, {{}}/{event.max_tokens}"
        elif isinstance(event, Forecast):
            self._left = f", {clock(event.left_s)} left"
            low, high = clock(event.left_low_s), clock(event.left_high_s)
            self._left += f" ({low} to {high})" if low != high else ""
            if event.doing:
                # Of many boards none is shown by itself.
                self._status = event.doing + self._left
        elif isinstance(event, Progressed):
            self._status = self._progress(event)
        lines = self._plain.lines(event)
        if isinstance(event, Finished):
            self._status = ""
        is_of_boards = isinstance(event, Forecast) and bool(event.doing)
        if lines or is_of_boards or isinstance(event, Progressed | Finished):
            self._write(lines)

    def _progress(self, event: Progressed) -> str:
        parts = [self._place.format(event.tokens) + " tokens"]
        speed = event.rate_now_tps or event.rate_tps
        parts.append(f"{rate(speed)} tok/s" if speed is not None else event.phase)
        if event.ttft_ms is not None:
            parts.append(f"TTFT {milliseconds(event.ttft_ms)}")
        elif event.phase in ("waiting", "queue", "prefill"):
            parts.append(clock(event.elapsed_s))
        return ", ".join(parts) + self._left

    def _write(self, lines: list[str]) -> None:
        width = max(20, shutil.get_terminal_size().columns - 1)
        text = "".join(f"\r\x1b[K{line}\n" for line in lines)
        try:
            self._out.write(f"{text}\r\x1b[K{self._status[:width]}")
            self._out.flush()
        except (OSError, ValueError):
            self._is_gone = True
