"""The words of an answer around the crosshair, with those lit that were written then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len
from textual import events
from textual.message import Message

from tui.core.text.display import DisplayText
from tui.core.text.glyphs import Glyphs
from tui.core.text.wrap import Wrapper
from tui.core.types import SegmentKind
from tui.timeline.record import Timeline
from tui.timeline.view import TimelineView
from tui.widgets.kit.axis_rows import seconds
from tui.widgets.kit.grounds import GroundedRows
from tui.widgets.kit.rows import Row, Span

GUTTER = 10
MAX_WIDTH = 110
PIECE_CHARS = 2000
"""A line longer than this is wrapped in pieces: what is looked at must not cost the whole."""
MAX_CACHED = 200


@dataclass(frozen=True, slots=True)
class TextRow:
    """One row on the screen: what it shows, and for each shown character the offset of the one in
    the text that it comes from."""

    shown: str
    offsets: tuple[int, ...]
    start: int
    """Offset of the first character."""


class TimelineText(GroundedRows):
    """Shows thinking while the crosshair is in it, else the answer; rows begin with the time at
    which their first word was written."""

    DEFAULT_CSS = "TimelineText { height: 1fr; }"

    @dataclass
    class Pointed(Message):
        """The mouse points at a character of the thinking or the text."""

        kind: SegmentKind
        offset: int
        is_dragged: bool

    def __init__(
        self,
        view: Callable[[], TimelineView | None],
        bounds: Callable[[], tuple[int, int] | None],
        glyphs: Glyphs,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(glyphs, id=id)
        self._view = view
        self._bounds = bounds
        self._shown: list[TextRow] = []
        self._kind: SegmentKind = "text"
        self._is_pressed = False

    def build(self, width: int) -> Sequence[Row]:
        height, view = self.size.height, self._view()
        if view is None or height < 1:
            return [()] * height
        timeline = view.timeline
        chunk = view.chunk
        self._kind = kind = timeline.kind_of(max(chunk or 0, 0))
        text = timeline.characters(kind)
        token = (0, 0) if chunk is None else timeline.chunks.span(kind, chunk, chunk + 1)
        lit = self._lit(view, kind, token)
        room = min(width - GUTTER - 1, MAX_WIDTH)
        self._shown = rows_around(text, token[0], height, max(room, 8))
        rows = [self._row(timeline, kind, row, token, lit) for row in self._shown]
        if not text.strip() and height:
            waits = "no text yet" if timeline.is_running else "there is no text"
            rows = [((" " * GUTTER, "dim"), (waits, "dim"))]
        return [*rows, *[()] * (height - len(rows))]

    def _lit(
        self, view: TimelineView, kind: SegmentKind, token: tuple[int, int]
    ) -> tuple[int, int]:
        """The characters that came in the column of the crosshair, or in the selection."""
        chunks = view.timeline.chunks
        selection = view.selection
        if selection is not None:
            return chunks.span(kind, selection.chunks.start, selection.chunks.stop)
        bounds = None if view.is_following else self._bounds()
        if bounds is None or view.chunk is None:
            return token
        inside = chunks.between(*bounds)
        if not len(inside):
            return token
        return chunks.span(kind, inside.start, inside.stop)

    def _row(
        self,
        timeline: Timeline,
        kind: SegmentKind,
        row: TextRow,
        token: tuple[int, int],
        lit: tuple[int, int],
    ) -> Row:
        gutter = " " * GUTTER
        if row.shown.strip():
            chunk = timeline.chunks.of_offset(kind, row.start)
            if chunk is not None:
                mark = "~" if timeline.chunks.is_estimated else ""
                gutter = f"{mark + seconds(timeline.chunks.times_ns[chunk] / 1e9):>{GUTTER - 2}}  "
        role = "text" if kind == "text" else "soft"
        spans: list[Span] = [(gutter, "dim")]
        for char, offset in zip(row.shown, row.offsets, strict=True):
            if token[0] <= offset < token[1]:
                name = "strong/token"
            elif lit[0] <= offset < lit[1]:
                name = f"{role}/lit"
            else:
                name = role
            if spans[-1][1] == name and len(spans) > 1:
                spans[-1] = (spans[-1][0] + char, name)
            else:
                spans.append((char, name))
        return tuple(spans)

    # The mouse ------------------------------------------------------------------------------

    def _offset_at(self, event: events.MouseEvent) -> int | None:
        if not 0 <= event.y < len(self._shown):
            return None
        row, x = self._shown[event.y], event.x - GUTTER
        if x < 0 or not row.offsets:
            return None
        cells = 0
        for char, offset in zip(row.shown, row.offsets, strict=True):
            cells += cell_len(char)
            if x < cells:
                return offset
        return row.offsets[-1]

    def on_mouse_down(self, event: events.MouseDown) -> None:
        offset = self._offset_at(event)
        if offset is not None:
            self._is_pressed = True
            self.capture_mouse()
            self.post_message(self.Pointed(self._kind, offset, is_dragged=False))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        offset = self._offset_at(event) if self._is_pressed else None
        if offset is not None:
            self.post_message(self.Pointed(self._kind, offset, is_dragged=True))

    def on_mouse_up(self) -> None:
        self._is_pressed = False
        self.release_mouse()


def rows_around(text: str, focus: int, height: int, width: int) -> list[TextRow]:
    """At most ``height`` rows with the character at ``focus`` in the middle, or nearer to an end of
    the text where there are no more rows."""
    focus = min(max(focus, 0), len(text))
    start, end = _piece(text, focus)
    rows = list(_wrapped(text[start:end], start, width))
    at = max((n for n, row in enumerate(rows) if row.start <= focus), default=0)
    above, below = height // 2, height - height // 2
    while at < above and start > 0:
        start, before_end = _piece(text, start - 1)
        more = _wrapped(text[start:before_end], start, width)
        rows[:0] = more
        at += len(more)
    while len(rows) - at < height and end < len(text):
        after_start = end + 1 if text[end] == "\n" else end
        after_start, end = _piece(text, after_start)
        rows += _wrapped(text[after_start:end], after_start, width)
        if after_start >= len(text):
            break
    while at + 1 < height and start > 0 and len(rows) - at < below:
        start, before_end = _piece(text, start - 1)
        more = _wrapped(text[start:before_end], start, width)
        rows[:0] = more
        at += len(more)
    top = max(min(at - above, len(rows) - height), 0)
    return rows[top : top + height]


def _piece(text: str, offset: int) -> tuple[int, int]:
    """The line that holds this offset, or a piece of it where it is long."""
    line_start = text.rfind("\n", 0, offset) + 1
    line_end = text.find("\n", offset)
    line_end = len(text) if line_end < 0 else line_end
    start = line_start + (offset - line_start) // PIECE_CHARS * PIECE_CHARS
    return start, min(line_end, start + PIECE_CHARS)


@lru_cache(MAX_CACHED)
def _wrapped(line: str, start: int, width: int) -> tuple[TextRow, ...]:
    """The rows of a line that begins at ``start`` of its text."""
    display = DisplayText(cell_len)
    shown: list[str] = []
    offsets: list[int] = []
    for place, char in enumerate(line):
        given = display.feed(char)
        shown.append(given)
        offsets += [start + place] * len(given)
    wrapper = Wrapper(width, cell_len)
    wrapper.extend("".join(shown))
    rows = []
    for number in range(len(wrapper)):
        first, after = wrapper.span(number)
        begin = offsets[first] if first < len(offsets) else start
        rows.append(TextRow(wrapper.row(number), tuple(offsets[first:after]), begin))
    return tuple(rows)
