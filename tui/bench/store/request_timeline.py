"""Timeline of a request of a run: its chunks, its text and the board on one time axis."""

from __future__ import annotations

from collections.abc import Sequence

from tui.bench.model.events import Sampled
from tui.bench.model.records import Request
from tui.bench.store.chunk_words import unpacked
from tui.bench.store.document import trace_of
from tui.bench.store.run_files import Loaded
from tui.core.board.history import THROTTLE_LEVELS
from tui.core.text.sanitize import clean, clean_line
from tui.core.types import TurnError, TurnStatus
from tui.history.board_samples import BoardSample
from tui.timeline.builder import TimelineBuilder
from tui.timeline.record import Timeline
from tui.timeline.stored import ESTIMATED_WORDS, fill

BEFORE_NS, AFTER_NS = 3_000_000_000, 2_000_000_000
"""Time before and after a request whose board samples belong to its timeline."""
NO_TIMES = "no token times were kept of this request"
MAX_NAME_CHARS, MAX_ERROR_CHARS = 200, 300
MAX_TEXT_CHARS = 400_000
"""Longer texts are cut: no model on a board writes as much, but a file from outside may have it."""
_WHOLE = ("ok", "capped")


def request_timeline(loaded: Loaded, request: Request) -> Timeline:
    """The timeline of a request, sanitised. Raises ValueError with one sentence if the chunk times
    are unknown."""
    stamps, t0_ns = trace_of(request, loaded.stamps.get(request.key, ())).stamps_ns, request.t.t0_ns
    if len(stamps) < 2 or t0_ns is None:
        raise ValueError(NO_TIMES)
    builder = TimelineBuilder(
        clean_line(request.name or request.id, MAX_NAME_CHARS),
        clean_line(loaded.document.model.name, MAX_NAME_CHARS),
        is_simulated=loaded.document.run.simulated,
        is_token=request.itl_ms.n > 0,
    )
    if "load" in request.ttft_includes:
        builder.before_first = "loading"
    text, thinking = (
        clean(one[:MAX_TEXT_CHARS]) for one in loaded.texts.get(request.key, ("", ""))
    )
    ends = unpacked(loaded.chunk_ends.get(request.key, ""))
    is_known = ends is not None and len(ends.text) == len(stamps)
    if (text or thinking) and not is_known:
        builder.notes = (ESTIMATED_WORDS,)
    end_ns = max(request.t.te_ns or 0, stamps[-1])
    samples = request_samples(loaded.samples_of(request), t0_ns, end_ns)
    times_ns = [t_ns - t0_ns for t_ns in stamps]
    fill(builder, text, thinking, times_ns, samples, ends)
    builder.count(request.tok.out, request.rate_tps, is_estimated=request.is_rate_estimated)
    status, error = ending(request)
    builder.end(status, error, end_ns - t0_ns, is_at_limit=request.status == "capped")
    return builder.timeline()


def request_samples(samples: Sequence[Sampled], t0_ns: int, end_ns: int) -> list[BoardSample]:
    """The samples during a request from ``t0_ns`` to ``end_ns`` (the samples' clock), with times
    relative to ``t0_ns``."""
    return [
        BoardSample(sample.t_ns - t0_ns, _series(sample.values))
        for sample in samples
        if t0_ns - BEFORE_NS <= sample.t_ns <= end_ns + AFTER_NS
    ]


def ending(request: Request) -> tuple[TurnStatus, TurnError | None]:
    """The request's status as that of a turn, with the error, sanitised."""
    if request.status in _WHOLE:
        return "complete", None
    said = clean_line(request.error or request.status.replace("_", " "), MAX_ERROR_CHARS)
    return "interrupted", TurnError(request.status, said)


def _series(values: dict[str, float | str | None]) -> dict[str, float | None]:
    """The values of a sample, with the names of :func:`tui.core.board.history.series_values`."""
    found: dict[str, float | None] = {
        name: value for name, value in values.items() if isinstance(value, int | float)
    }
    clocks = [v for name, v in found.items() if name.startswith("cpu.freq.") and v is not None]
    if clocks:
        found["cpu.big.freq.0"] = max(clocks)
    throttle = values.get("throttle")
    found["throttle.level"] = THROTTLE_LEVELS.get(throttle) if isinstance(throttle, str) else None
    return found
