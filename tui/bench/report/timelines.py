"""The timeline of each request as a picture: rate, board, phases and what changed."""

from __future__ import annotations

from collections.abc import Iterator

from tui.bench.model.records import Request
from tui.bench.report.blocks import Block, Chart
from tui.bench.report.text import line
from tui.bench.store.document import trace_of
from tui.bench.store.run_files import Loaded
from tui.core.board.history import THROTTLE_LEVELS
from tui.core.types import TurnError, TurnStatus
from tui.timeline.builder import TimelineBuilder
from tui.timeline.record import Timeline
from tui.timeline.svg import timeline_svg

COLUMNS = 140
"""Fewer than in a picture of its own: a report has many."""
MOST_OPEN = 3
"""More pictures than this are folded."""
BEFORE_NS, AFTER_NS = 3_000_000_000, 2_000_000_000
"""Samples of the board so long before and after a request are its own."""
ESTIMATED_PHASES = "where thinking ends and code begins is estimated"
_WHOLE = ("ok", "capped")


def request_timeline(loaded: Loaded, request: Request) -> Timeline | None:
    """A request in time; None where the times of its chunks are not known."""
    stamps, t0_ns = trace_of(request, loaded.stamps.get(request.key, ())).stamps_ns, request.t.t0_ns
    if len(stamps) < 2 or t0_ns is None:
        return None
    builder = TimelineBuilder(
        line(request.name or request.id),
        line(loaded.document.model.name),
        is_simulated=loaded.document.run.simulated,
        is_token=request.itl_ms.n > 0,
    )
    if "load" in request.ttft_includes:
        builder.before_first = "loading"
    text, thinking = loaded.texts.get(request.key, ("", ""))
    builder.add_words(text, thinking)
    if text or thinking:
        builder.notes = (ESTIMATED_PHASES,)
    end_ns = max(request.t.te_ns or 0, stamps[-1])
    given = 0
    for sample in loaded.samples:
        if not t0_ns - BEFORE_NS <= sample.t_ns <= end_ns + AFTER_NS:
            continue
        after = given
        while after < len(stamps) and stamps[after] <= sample.t_ns:
            after += 1
        builder.add_chunks([t_ns - t0_ns for t_ns in stamps[given:after]])
        given = after
        if sample.t_ns <= end_ns:
            builder.add_sample(sample.t_ns - t0_ns, _series(sample.values))
    builder.add_chunks([t_ns - t0_ns for t_ns in stamps[given:]])
    rate, is_sure = request.rate_tps, not request.is_rate_estimated
    builder.count(request.tok.out, rate, is_estimated=not is_sure)
    status, error = _ending(request)
    builder.end(status, error, end_ns - t0_ns, is_at_limit=request.status == "capped")
    return builder.timeline()


def picture(loaded: Loaded, request: Request) -> Iterator[Block]:
    """The picture of a request; nothing where its times are not known."""
    timeline = request_timeline(loaded, request)
    if timeline is None:
        return
    n_pictures = sum(len(stamps) > 1 for stamps in loaded.stamps.values())
    svg = timeline_svg(timeline, columns=COLUMNS, has_style=False)
    yield Chart(svg, "Timeline: the rate and the board, with their ranges", n_pictures > MOST_OPEN)


def _ending(request: Request) -> tuple[TurnStatus, TurnError | None]:
    if request.status in _WHOLE:
        return "complete", None
    said = line(request.error) if request.error else line(request.status.replace("_", " "))
    return "interrupted", TurnError(request.status, said)


def _series(values: dict[str, float | str | None]) -> dict[str, float | None]:
    """The readings of a sample under the names of :func:`tui.core.board.history.series_values`."""
    found: dict[str, float | None] = {
        name: value for name, value in values.items() if isinstance(value, int | float)
    }
    clocks = [v for name, v in found.items() if name.startswith("cpu.freq.") and v is not None]
    if clocks:
        found["cpu.big.freq.0"] = max(clocks)
    throttle = values.get("throttle")
    found["throttle.level"] = THROTTLE_LEVELS.get(throttle) if isinstance(throttle, str) else None
    return found
