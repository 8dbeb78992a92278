"""Text lines of a timeline: the answer, and the moment at the crosshair."""

from __future__ import annotations

from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.timeline.record import Timeline
from tui.timeline.view import TimelineView
from tui.widgets.kit.axis_rows import mark_role, seconds
from tui.widgets.kit.rows import Row, Span, fit, spread


def title_row(view: TimelineView, width: int, glyphs: Glyphs) -> Row:
    """Which answer, how it ended, how long it took, how fast it was."""
    timeline = view.timeline
    words = " ".join(timeline.prompt.split()) or glyphs.unknown
    left: Row = ((" timeline  ", "strong"), (words, "soft"))
    right = (*_numbers(timeline, glyphs), (" ", "dim"))
    if view.other is not None:
        right = ((" compared with  ", "dim"), *_numbers(view.other, glyphs), (" ", "dim"))
    room = width - sum(len(text) for text, _ in right) - 13
    if len(words) > room > 1:
        left = (left[0], (words[: room - 1] + glyphs.ellipsis, "soft"))
    return spread(left, right, width)


def _numbers(timeline: Timeline, glyphs: Glyphs) -> Row:
    status = "running" if timeline.status is None else timeline.status
    role = {"complete": "dim", "running": "live", "stopped": "dim"}.get(status, "warn")
    spans: list[Span] = [(status, role)]
    step_s = 1.0 if timeline.is_running else 0.1
    spans.append((f"  {seconds(timeline.end_ns / 1e9, step_s)}", "soft"))
    if timeline.tokens is not None:
        spans.append((f"  {timeline.tokens} tokens", "soft"))
    if timeline.decode_tps is not None:
        mark = "~" if timeline.is_rate_estimated else ""
        spans.append((f"  {mark}{fmt.rate(timeline.decode_tps)} tok/s", "soft"))
    return tuple(spans)


def cursor_rows(
    view: TimelineView, bounds: tuple[int, int] | None, width: int, glyphs: Glyphs, rows: int
) -> list[Row]:
    """The moment at the crosshair: when, which tokens, what changed and why; in one row or two."""
    here = _selection_spans(view) or _cursor_spans(view, bounds)
    said = _said(view, bounds, "^" if glyphs.is_ascii else "▲")
    if rows == 1:
        return [fit((*here, ("    ", "dim"), *said), width)]
    return [fit(here, width), fit(((" ", "dim"), *said), width)]


def _cursor_spans(view: TimelineView, bounds: tuple[int, int] | None) -> Row:
    timeline, t_ns = view.timeline, view.cursor_ns
    span_ns = timeline.span_ns
    step = 0.1 if span_ns > 20e9 else 0.01 if span_ns > 2e9 else 0.001
    spans: list[Span] = [(f" {seconds(t_ns / 1e9, step)}", "live")]
    chunk, count = view.chunk, len(timeline.chunks)
    noun = "token" if timeline.chunks.is_token else "piece"
    if view.is_following:
        if chunk is not None:
            spans.append((f"  {noun} {chunk + 1}", "soft"))
    elif chunk is not None:
        spans.append((f"  {noun} {chunk + 1} of {count}", "soft"))
        if bounds is not None:
            inside = timeline.chunks.between(*bounds)
            if len(inside) > 1:
                spans.append((f" ({inside.start + 1} to {inside.stop} in this column)", "dim"))
    phase = timeline.phase_at(t_ns)
    if phase is not None:
        spans.append((f"  {phase.name}", "dim"))
    if view.is_following:
        spans.append(("  following", "live"))
    return tuple(spans)


def _selection_spans(view: TimelineView) -> Row:
    selection = view.selection
    if selection is None:
        return ()
    start_s, end_s = selection.start_ns / 1e9, selection.end_ns / 1e9
    count, lasted_s = len(selection.chunks), end_s - start_s
    spans: list[Span] = [
        (f" {seconds(start_s, 0.01)} to {seconds(end_s, 0.01)}", "live"),
        (f"  {seconds(lasted_s, 0.01)}", "strong"),
        (f"  {count} token{'' if count == 1 else 's'}", "soft"),
    ]
    if count > 1 and lasted_s > 0:
        spans.append((f"  {fmt.rate((count - 1) / lasted_s)} tok/s", "soft"))
    return tuple(spans)


def _said(view: TimelineView, bounds: tuple[int, int] | None, sign: str) -> Row:
    timeline, t_ns = view.timeline, view.cursor_ns
    marks = timeline.marks_at(t_ns) or (() if bounds is None else timeline.marks_at(*bounds))
    # What has a cause on the board comes before a gap that may only follow from it.
    found = sorted(marks, key=lambda mark: (mark.kind == "slow", -mark.start_ns))
    spans: list[Span] = []
    for mark in found[:2]:
        spans.append((f"{'  ' if spans else ''}{sign} {mark.sentence}", mark_role(mark)))
    if not spans and timeline.notes:
        spans.append((timeline.notes[0], "dim"))
    return tuple(spans)
