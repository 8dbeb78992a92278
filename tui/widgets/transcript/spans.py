"""A row of the transcript as spans: gutter, text, caret, matches, selection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.selection import Selection

from tui.widgets.transcript.cells import gutter, gutter_cells, restyled, with_caret
from tui.widgets.transcript.flow import Flow, Span
from tui.widgets.transcript.layout import RenderMode
from tui.widgets.transcript.parts import Part
from tui.widgets.transcript.row_text import key_of
from tui.widgets.transcript.search import Search, matches_in
from tui.widgets.transcript.turn_list import Place
from tui.widgets.transcript.turn_view import TurnView


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is shown on top of the text. ``current_match`` is a part's serial and an offset."""

    search: Search | None = None
    current_match: tuple[int, int] | None = None
    selection: Selection | None = None


def row_spans(
    turn: TurnView, place: Place, width: int, mode: RenderMode, overlay: Overlay, *, has_caret: bool
) -> list[Span]:
    """One row in a view of ``width`` cells; what is missing at the right is blank."""
    part = turn.parts[place.part]
    inner = place.row - part.has_gap
    is_live = turn.is_live and place.part >= turn.live_at
    has_bar = is_live and (inner >= 0 or place.part > turn.live_at)
    label = turn.label if place.part == 0 and inner == 0 else ""
    spans = gutter(label, gutter_cells(width), mode.glyphs.live_bar if has_bar else "")
    if inner < 0 or part.layout is None:
        return spans
    content = _content(turn, part, inner, mode)
    if has_caret and not (part.kind == "status" and turn.status):
        content = with_caret(content, mode.glyphs.caret)
    if overlay.search is not None or overlay.selection is not None:
        content = _overlaid(content, part, inner, key_of(place), overlay)
    return spans + content


def notice_rows(notice: Sequence[list[Span]], mode: RenderMode) -> list[list[Span]]:
    """What an empty transcript says, wrapped: its rows below a blank one, without the gutter."""
    rows: list[list[Span]] = [[]]
    for line in notice:
        flow = Flow(mode.width, mode.cell_len)
        flow.replace(0, line)
        rows += [flow.spans(at) for at in range(len(flow))]
    return rows


def _content(turn: TurnView, part: Part, row: int, mode: RenderMode) -> list[Span]:
    layout = part.layout
    if layout is None:
        return []
    content = layout.spans(row)
    if part.kind == "status":
        return [(text, turn.status_role) for text, _ in content]
    if fill := layout.fill(row):
        used = sum(cell_len(text) for text, _ in content)
        content.append((" " * (mode.width - used), fill))
    return content


def _overlaid(content: list[Span], part: Part, row: int, key: int, overlay: Overlay) -> list[Span]:
    """The content of a row with the matches of a search and the selection shown in it."""
    layout = part.layout
    if layout is None:
        return content
    start, end = layout.row_span(row)
    left = layout.prefix_cells(row) - start
    if overlay.search is not None:
        for first, last in matches_in(overlay.search, layout.text, start, end):
            is_current = overlay.current_match == (part.serial, first)
            role = "match-current" if is_current else "match"
            first, last = max(first, start), min(last, end)
            content = restyled(content, left + first, left + last, role)
    if overlay.selection is not None and (span := overlay.selection.get_span(key)) is not None:
        first, last = span
        last = end - start if last < 0 else min(last, end - start)
        content = restyled(content, left + start + first, left + start + last, "selected")
    return content
