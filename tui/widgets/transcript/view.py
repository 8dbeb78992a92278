"""A view of a column of rows that follows its end, stays put while it is read, and paints only
the cells that changed.

The widget keeps its own scroll position and never asks for a layout. A full view that follows moves
up by as many rows at once as the text is fast: terminals have called that jump scroll since the
VT100, and over a slow line it is the difference between a page and a row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment as Cells
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tui.core.text.glyphs import UNICODE, Glyphs
from tui.widgets.transcript.flow import Span
from tui.widgets.transcript.layout import RenderMode
from tui.widgets.transcript.lexers import Lexers
from tui.widgets.transcript.paint import badge_text, changed_cells, gutter_cells, with_places
from tui.widgets.transcript.parts import Part
from tui.widgets.transcript.search import Search
from tui.widgets.transcript.select import key_of
from tui.widgets.transcript.spans import Overlay, notice_spans, row_spans
from tui.widgets.transcript.style import CSS, ROLES
from tui.widgets.transcript.turn_list import TurnList

MAX_STRIPS = 128
JUMP_SECONDS = 0.25
"""How long a full view of fast text stays still before it moves up again."""
RIGHT_CELLS = 2
"""Cells right of the text: one for the caret behind a full row, one for the thumb."""


class TranscriptView(ScrollView):
    """Scrolling and painting of the rows of a turn_list; what the rows are is not known here."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"transcript--{role}" for role in ROLES}
    DEFAULT_CSS = CSS

    @dataclass
    class FollowChanged(Message, namespace="transcript"):
        """Whether the view stays at the end, and how many rows came below it since it does not."""

        transcript: TranscriptView
        is_following: bool
        new_lines: int

        @property
        def control(self) -> TranscriptView:
            return self.transcript

    def __init__(
        self,
        glyphs: Glyphs = UNICODE,
        *,
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.glyphs = glyphs
        self.is_following = True
        self.new_lines = 0
        """Rows that came below the view since it stopped following."""
        self.painted_rows = 0
        """Rows drawn since the start: with ``refreshed_cells`` the cost of this widget."""
        self.refreshed_cells = 0
        self.scroll_count = 0
        self._clock = clock
        self._turn_list = TurnList(RenderMode(80, cell_len, glyphs, Lexers()))
        self._notice: list[list[Span]] = []
        self._search: Search | None = None
        self._current_match: tuple[int, int] | None = None
        self._styles: dict[str, Style] = {}
        self._strips: dict[tuple[int, int], Strip] = {}
        """The newest at the end. Textual's LRUCache is freed by the garbage collector alone."""
        self._painted: dict[int, Strip] = {}
        self._changed: dict[int, Strip] = {}
        self._painted_thumb = range(0)
        self._announced = (True, 0)
        self._moved_at = 0.0

    # Position

    @property
    def top_row(self) -> int:
        """The row at the top of the view."""
        return round(self.scroll_y)

    @property
    def view_rows(self) -> int:
        """Rows of the view."""
        return max(1, self.size.height)

    @property
    def _end_row(self) -> int:
        """The top row that shows the end."""
        return max(0, self._turn_list.rows - self.view_rows)

    def _move_to(self, top: int) -> None:
        """Set the scroll position, without a layout and without painting."""
        rows = self._turn_list.rows
        height = max(rows, top + self.view_rows) if self.is_following else rows
        top = max(0, min(top, height - self.view_rows))
        if top != self.top_row:
            self.scroll_count += 1
        self.set_reactive(Widget.virtual_size, Size(self.size.width, height))
        self.set_reactive(Widget.scroll_y, float(top))
        self.set_reactive(Widget.scroll_target_y, float(top))

    def show_end(self) -> None:
        """Go to the end and follow it."""
        self.is_following = True
        self._turn_list.settle_end(self.view_rows)
        self._move_to(self._end_row)
        self._turn_list.trim(self.view_rows)
        self._announce(0)
        self._repaint()

    def show_row(self, top: int) -> None:
        """Show this row at the top, or as far down as there are rows; the end is followed."""
        height = self.view_rows
        top = self._turn_list.settle(max(0, min(top, self._end_row)), height)
        if top >= self._end_row:
            self.show_end()
            return
        self.is_following = False
        self._move_to(top)
        self._turn_list.trim(self.view_rows)
        self._announce(min(self.new_lines, self._rows_below()))
        self._repaint()

    def scroll_rows(self, rows: int) -> None:
        """Move the view down by rows, or up."""
        self.show_row(min(self.top_row, self._end_row) + rows)

    @contextmanager
    def _holding(self) -> Iterator[None]:
        """What is shown stays where it is while turns elsewhere are opened and measured."""
        turn_list, rows, top = self._turn_list, self._turn_list.rows, self.top_row
        anchor = None if self.is_following else turn_list.anchor(top)
        yield
        if turn_list.rows == rows and (anchor is None or turn_list.row_of_anchor(anchor) == top):
            return
        if anchor is None:
            self._move_to(top + turn_list.rows - rows)
        else:
            self._move_to(turn_list.settle(turn_list.row_of_anchor(anchor), self.view_rows))
        self._repaint()

    def _rows_below(self) -> int:
        return max(0, self._turn_list.rows - (self.top_row + self.view_rows))

    def _grown(self, rows_before: int, first_changed: int) -> None:
        """Rows from ``first_changed`` on are others than before: move if need be, and repaint."""
        rows, height, top = self._turn_list.rows, self.view_rows, self.top_row
        if self._turn_list.take_coloured():
            self._strips.clear()
            first_changed = 0
        if self.is_following:
            overhang = rows - (top + height)
            is_far_up = rows < top + height // 2 and top > 0
            if overhang > 0 or is_far_up:
                target = self._end_row + (self._jump(overhang) if overhang > 0 else 0)
                if target != top:
                    self._move_to(target)
                    first_changed = 0
            self._announce(0)
        else:
            self._move_to(top)
            self._announce(min(self.new_lines + max(0, rows - rows_before), self._rows_below()))
        self._turn_list.trim(self.view_rows)
        self._repaint(first_changed)

    def _jump(self, overhang: int) -> int:
        """How many rows to move up beyond what is needed, so that fast text moves less often."""
        now = self._clock()
        seconds, self._moved_at = now - self._moved_at, now
        if not 0 < seconds < 2 * JUMP_SECONDS:
            return 0
        wanted = round(overhang / seconds * JUMP_SECONDS)
        return max(0, min(wanted, self.view_rows // 4) - overhang)

    def _announce(self, new_lines: int) -> None:
        self.new_lines = new_lines
        if self._announced != (self.is_following, new_lines):
            self._announced = (self.is_following, new_lines)
            self.post_message(self.FollowChanged(self, self.is_following, new_lines))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Somebody else moved the view: a selection that reaches beyond it, for one."""
        if round(old_value) != round(new_value):
            self.show_row(round(new_value))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        event.prevent_default()
        self.scroll_rows(max(1, round(self.app.scroll_sensitivity_y)))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        event.prevent_default()
        self.scroll_rows(-max(1, round(self.app.scroll_sensitivity_y)))

    # Size and theme

    def on_resize(self, event: events.Resize) -> None:
        self._forget_painted()
        width = max(8, event.size.width - gutter_cells(event.size.width) - RIGHT_CELLS)
        mode = self._turn_list.mode
        if width != mode.width:
            self._restack(replace(mode, width=width))
        elif self.is_following:
            self.show_end()
        else:
            self.show_row(self.top_row)

    def _restack(self, mode: RenderMode) -> None:
        """Show everything in another mode; what is being read stays where it is."""
        turn_list = self._turn_list
        is_split_anew = mode.is_raw != turn_list.mode.is_raw
        anchor = new = None
        if not self.is_following:
            anchor = turn_list.anchor(self.top_row)
            new = turn_list.anchor(turn_list.rows - self.new_lines) if self.new_lines else None
        turn_list.change_mode(mode, is_split_anew=is_split_anew)
        self._strips.clear()
        if anchor is None:
            self.show_end()
            return
        if new is not None:
            self.new_lines = turn_list.rows_from_anchor(new)
        self.show_row(turn_list.row_of_anchor(anchor))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()
        self._strips.clear()
        self._forget_painted()

    def style_of(self, roles: str) -> Style:
        """The theme's style of no, one or more roles on this widget's own background."""
        style = self._styles.get(roles)
        if style is None:
            style = self.rich_style
            for role in roles.split():
                name = f"transcript--{role}"
                style += self.get_component_rich_style(name, partial=True)
                component = self.get_component_styles(name)
                below, ink, ground = (
                    self.background_colors[1],
                    component.color,
                    component.background,
                )
                # A style of cells knows no transparency.
                if 0 < ground.a < 1:
                    style += Style(bgcolor=(below + ground).rich_color)
                if component.has_rule("color") and 0 < ink.a < 1:
                    style += Style(color=(below + ink).rich_color)
            self._styles[roles] = style
        return style

    # Painting

    def render_lines(self, crop: Region) -> list[Strip]:
        if self.gutter:
            return super().render_lines(crop)
        filters = self.get_line_filters()
        background = self.background_colors[1]
        strips: list[Strip] = []
        width = self.size.width
        for y in crop.line_range:
            strip = self._painted.get(y)
            if y in self._changed or strip is None or strip.cell_length != width:
                strip = self._changed.pop(y, None) or self.line(y)
                self._painted[y] = strip
                self.painted_rows += 1
            for one in filters:
                strip = strip.apply_filter(one, background)
            strips.append(strip)
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(crop.x, crop.right) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """One row, with the places that a selection with the mouse needs."""
        place = self._turn_list.place(self.top_row + y) if self._turn_list.turns else None
        strip = self.line(y)
        if place is None:
            return strip
        part = self._turn_list.part(place)
        left, inner = gutter_cells(self.size.width), place.row - part.has_gap
        used = left
        if inner >= 0 and part.layout is not None:
            used += part.layout.prefix_cells(inner)
            left = used
            start, end = part.layout.row_span(inner)
            used += cell_len(part.layout.text[start:end])
        return with_places(strip, left, used, key_of(place))

    def _repaint(self, first_row: int = 0) -> None:
        """Ask for the cells that differ from what was painted last, from a row on."""
        if not self.is_attached or not self.size:
            return
        regions: list[Region] = []
        last = self.view_rows - 1
        if (thumb := self._thumb()) != self._painted_thumb:
            first_row, self._painted_thumb = 0, thumb
        start = max(0, min(first_row - self.top_row, last))
        for y in (*range(start, last), last):
            old, new = self._painted.get(y), self.line(y)
            x, end = changed_cells(old, new) if old is not None else (0, self.size.width)
            if x < end:
                self._changed[y] = new
                regions.append(Region(x, y, end - x, 1))
            else:
                self._changed.pop(y, None)
        if regions:
            self.refreshed_cells += sum(region.width for region in regions)
            self.refresh(*regions)

    def line(self, y: int) -> Strip:
        """The row of the view at ``y``, as wide as the view."""
        width = self.size.width
        if not self._turn_list.turns:
            mode = self._turn_list.mode
            return self._strip_of(notice_spans(self._notice, y, width, mode))
        strip = self._strip(self.top_row + y)
        if self.is_following:
            return strip
        if y == self.view_rows - 1:
            return self._with_badge(strip)
        if y in self._thumb():
            cells = [*strip.crop(0, width - 1), Cells(self.glyphs.column, self.style_of("thumb"))]
            return Strip(cells, width)
        return strip

    def _strip(self, row: int) -> Strip:
        place = self._turn_list.place(row)
        if place is None:
            return Strip.blank(self.size.width, self.style_of(""))
        turn, part = self._turn_list.turns[place.turn], self._turn_list.part(place)
        has_caret = turn.is_live and row == self._turn_list.rows - 1
        selection = self.text_selection
        is_cached = not has_caret and selection is None
        strip = self._strips.get((part.serial, place.row)) if is_cached else None
        if strip is None:
            overlay = Overlay(self._search, self._current_match, selection)
            mode = self._turn_list.mode
            strip = self._strip_of(
                row_spans(turn, place, self.size.width, mode, overlay, has_caret=has_caret)
            )
            if is_cached:
                if len(self._strips) >= MAX_STRIPS:
                    del self._strips[next(iter(self._strips))]
                self._strips[part.serial, place.row] = strip
        return strip

    def _strip_of(self, spans: Sequence[Span]) -> Strip:
        cells = [Cells(text, self.style_of(roles)) for text, roles in spans if text]
        return Strip(cells).adjust_cell_length(self.size.width, self.style_of(""))

    def _with_badge(self, strip: Strip) -> Strip:
        width = self.size.width
        text = badge_text(self.new_lines, self.glyphs)
        left = width - cell_len(text) - 1
        if left < 1:
            return strip
        badge = [Cells(text, self.style_of("badge")), Cells(" ", self.style_of(""))]
        return Strip([*strip.crop(0, left), *badge], width)

    def is_over_badge(self, x: int) -> bool:
        """Whether a column of the last row belongs to the mark that leads to the end."""
        if self.is_following:
            return False
        return x >= self.size.width - cell_len(badge_text(self.new_lines, self.glyphs)) - 1

    def _thumb(self) -> range:
        """The rows of the view that show, like a scrollbar, where in the column it is."""
        rows, height = self._turn_list.rows, self.view_rows
        if self.is_following or rows <= height:
            return range(0)
        size = max(1, height * height // rows)
        start = self.top_row * (height - size) // max(1, rows - height)
        return range(start, start + size)

    def _forget_painted(self) -> None:
        self._painted.clear()
        self._changed.clear()

    def _forget_strips(self, part: Part, first: int) -> None:
        """Rows of a part from ``first`` on are others than before."""
        for row in range(first, part.rows):
            self._strips.pop((part.serial, row), None)
