"""Painting of a view of turns: rows as strips of cells, and which cells differ from before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment as Cells
from rich.style import Style
from textual.geometry import Region, Size
from textual.selection import Selection
from textual.strip import Strip

from tui.core.text.display import display_text
from tui.core.text.glyphs import Glyphs
from tui.core.text.sanitize import clean
from tui.widgets.transcript.cells import (
    badge_text,
    changed_cells,
    gutter,
    gutter_cells,
    with_places,
)
from tui.widgets.transcript.flow import Span
from tui.widgets.transcript.layout import RenderMode
from tui.widgets.transcript.parts import Part
from tui.widgets.transcript.row_text import key_of
from tui.widgets.transcript.search_jump import SearchJump
from tui.widgets.transcript.spans import Overlay, notice_rows, row_spans
from tui.widgets.transcript.turn_list import TurnList
from tui.widgets.transcript.viewport import Viewport

MAX_STRIPS = 128
END_KEY = "End"
"""Leads to the end where the transcript does not have the focus: a text field's own key."""


class _View(NamedTuple):
    """The view while some of its rows are made: asked for once, since asking takes long."""

    width: int
    height: int
    top_row: int
    is_following: bool
    thumb: range
    selection: Selection | None


class Painter:
    """Makes strips of the rows in view and keeps those that were painted.

    ``size`` is that of the view, ``style_of`` gives the style of roles, ``selection`` what is
    selected. ``painted_rows`` and ``refreshed_cells`` count what was painted: the cost of a view.
    """

    def __init__(
        self,
        turn_list: TurnList,
        viewport: Viewport,
        search: SearchJump,
        *,
        size: Callable[[], Size],
        style_of: Callable[[str], Style],
        selection: Callable[[], Selection | None],
    ) -> None:
        self.painted_rows = 0
        self.refreshed_cells = 0
        self.end_key = END_KEY
        """The key that leads to the end, as the mark in the last row names it."""
        self._turn_list = turn_list
        self._viewport = viewport
        self._search = search
        self._size = size
        self._style_of = style_of
        self._selection = selection
        self._notice: list[list[Span]] = []
        self._notice_rows: list[list[Span]] = []
        self._notice_mode: RenderMode | None = None
        """How the rows were wrapped; None where they have to be anew."""
        self._strips: dict[tuple[int, int], Strip] = {}
        """The newest at the end. Textual's LRUCache is freed by the garbage collector alone."""
        self._painted: dict[int, Strip] = {}
        self._changed: dict[int, Strip] = {}
        self._painted_thumb = range(0)

    @property
    def _glyphs(self) -> Glyphs:
        return self._turn_list.mode.glyphs

    def set_notice(self, lines: Iterable[str | Sequence[Span]]) -> None:
        """What is shown while there are no turns: any text, or spans of text and role."""
        self._notice_mode = None
        self._notice = [
            [
                (display_text(clean(text), cell_len), role)
                for text, role in ([(line, "soft")] if isinstance(line, str) else line)
            ]
            for line in lines
        ]

    # What has to be painted

    def forget_strips(self) -> None:
        """All rows may look different now."""
        self._strips.clear()

    def forget_rows(self, part: Part, first: int) -> None:
        """Rows of a part from ``first`` on are others than before."""
        for row in range(first, part.rows):
            self._strips.pop((part.serial, row), None)

    def forget_painted(self) -> None:
        """Nothing of what was painted stands on the screen any more."""
        self._painted.clear()
        self._changed.clear()

    def changed_regions(self, first_row: int) -> list[Region]:
        """The cells of the view that differ from what was painted last, from a row of the column
        on."""
        view = self._view()
        regions: list[Region] = []
        last = view.height - 1
        if view.thumb != self._painted_thumb:
            first_row, self._painted_thumb = 0, view.thumb
        start = max(0, min(first_row - view.top_row, last))
        for y in (*range(start, last), last):
            old, new = self._painted.get(y), self._line(y, view)
            x, end = changed_cells(old, new) if old is not None else (0, view.width)
            if x < end:
                self._changed[y] = new
                regions.append(Region(x, y, end - x, 1))
            else:
                self._changed.pop(y, None)
        self.refreshed_cells += sum(region.width for region in regions)
        return regions

    # Rows as strips

    def paint(self, rows: Iterable[int]) -> list[Strip]:
        """Rows of the view, which are on the screen from now on."""
        view = self._view()
        strips: list[Strip] = []
        for y in rows:
            strip = self._painted.get(y)
            if y in self._changed or strip is None or strip.cell_length != view.width:
                strip = self._changed.pop(y, None) or self._line(y, view)
                self._painted[y] = strip
                self.painted_rows += 1
            strips.append(strip)
        return strips

    def line(self, y: int) -> Strip:
        """The row of the view at ``y``, as wide as the view."""
        return self._line(y, self._view())

    def line_with_places(self, y: int) -> Strip:
        """The row of the view at ``y``, with the places that a selection with the mouse needs."""
        view = self._view()
        place = self._turn_list.place(view.top_row + y)
        strip = self._line(y, view)
        if place is None:
            return strip
        part = self._turn_list.part(place)
        left, inner = gutter_cells(view.width), place.row - part.has_gap
        used = left
        if inner >= 0 and part.layout is not None:
            used += part.layout.prefix_cells(inner)
            left = used
            start, end = part.layout.row_span(inner)
            used += cell_len(part.layout.text[start:end])
        return with_places(strip, left, used, key_of(place))

    def strip(self, row: int) -> Strip:
        """A row of the column, without what the view draws over it."""
        return self._strip(row, self._view())

    def _view(self) -> _View:
        viewport = self._viewport
        return _View(
            self._size().width,
            viewport.height,
            viewport.top_row,
            viewport.is_following,
            viewport.thumb,
            self._selection(),
        )

    def _line(self, y: int, view: _View) -> Strip:
        if not self._turn_list.turns:
            return self._strip_of(self._notice_spans(y, view.width), view.width)
        strip = self._strip(view.top_row + y, view)
        if view.is_following:
            return strip
        if y == view.height - 1:
            return self._with_badge(strip, view.width)
        if y in view.thumb:
            thumb = Cells(self._glyphs.column, self._style_of("thumb"))
            return Strip([*strip.crop(0, view.width - 1), thumb], view.width)
        return strip

    def _notice_spans(self, row: int, width: int) -> list[Span]:
        mode = self._turn_list.mode
        if self._notice_mode != mode:
            self._notice_rows, self._notice_mode = notice_rows(self._notice, mode), mode
        rows = self._notice_rows
        return [*gutter("", gutter_cells(width), ""), *rows[row]] if row < len(rows) else []

    def _strip(self, row: int, view: _View) -> Strip:
        turn_list, width = self._turn_list, view.width
        place = turn_list.place(row)
        if place is None:
            return Strip.blank(width, self._style_of(""))
        turn, part = turn_list.turns[place.turn], turn_list.part(place)
        has_caret = turn.is_live and row == turn_list.rows - 1 - turn.note_rows
        is_cached = not has_caret and view.selection is None
        strip = self._strips.get((part.serial, place.row)) if is_cached else None
        if strip is None:
            overlay = Overlay(self._search.search, self._search.shown, view.selection)
            spans = row_spans(turn, place, width, turn_list.mode, overlay, has_caret=has_caret)
            strip = self._strip_of(spans, width)
            if is_cached:
                if len(self._strips) >= MAX_STRIPS:
                    del self._strips[next(iter(self._strips))]
                self._strips[part.serial, place.row] = strip
        return strip

    def _strip_of(self, spans: Sequence[Span], width: int) -> Strip:
        cells = [Cells(text, self._style_of(roles)) for text, roles in spans if text]
        return Strip(cells).adjust_cell_length(width, self._style_of(""))

    # The mark that leads to the end

    def is_over_badge(self, x: int, y: int) -> bool:
        """Whether a cell of the view belongs to the mark that leads to the end."""
        if self._viewport.is_following or y != self._viewport.height - 1:
            return False
        return x >= self._size().width - cell_len(self._badge()) - 1

    def _with_badge(self, strip: Strip, width: int) -> Strip:
        text = self._badge()
        left = width - cell_len(text) - 1
        if left < 1:
            return strip
        badge = [Cells(text, self._style_of("badge")), Cells(" ", self._style_of(""))]
        return Strip([*strip.crop(0, left), *badge], width)

    def _badge(self) -> str:
        return badge_text(self._viewport.new_lines, self.end_key, self._glyphs)
