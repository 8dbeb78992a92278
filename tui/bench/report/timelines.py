"""The timeline of each request as a chart: rate, board, phases and changes."""

from __future__ import annotations

from collections.abc import Iterator

from tui.bench.model.records import Request
from tui.bench.report.blocks import Block, Chart
from tui.bench.store.request_timeline import request_timeline
from tui.bench.store.run_files import Loaded
from tui.timeline.svg import timeline_svg

COLUMNS = 140
"""Columns of a timeline: fewer than in a single exported one, as a report has many."""
MOST_OPEN = 3
"""With more charts than this, they are folded."""


def picture(loaded: Loaded, request: Request) -> Iterator[Block]:
    """The chart of a request; empty if its token times are unknown."""
    try:
        timeline = request_timeline(loaded, request)
    except ValueError:
        return
    n_pictures = sum(len(stamps) > 1 for stamps in loaded.stamps.values())
    svg = timeline_svg(timeline, columns=COLUMNS, has_style=False)
    yield Chart(svg, "Timeline: the rate and the board, with their ranges", n_pictures > MOST_OPEN)
