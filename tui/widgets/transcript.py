"""The transcript: prompts and answers as rows, of which only those that changed are painted.

The rows come from :mod:`tui.widgets.transcript_stack`. The widget keeps its own scroll position and
never asks for a layout: new text repaints the cells that it touched, and a full view moves up by as
many rows at once as the text is fast.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment as Cells
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tui.core.types import Segment
from tui.widgets.transcript_flow import Flow, Span
from tui.widgets.transcript_layout import Room
from tui.widgets.transcript_parts import Part
from tui.widgets.transcript_stack import Stack
from tui.widgets.transcript_style import ASCII_MARKS, CSS, ROLES, UNICODE_MARKS
from tui.widgets.transcript_turn import Look, Turn, TurnState

WIDE_CELLS = 56
MAX_STRIPS = 2048
JUMP_SECONDS = 0.25
"""A full view moves up at most this often per second's fraction, by several rows at once."""


class Transcript(ScrollView, can_focus=True):
    """Shows turns. The app calls :meth:`feed` at its own pace; there is no timer here."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"transcript--{role}" for role in ROLES}
    DEFAULT_CSS = CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_rows(-1)", show=False),
        Binding("down", "scroll_rows(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "jump_start", show=False),
        Binding("end", "jump_end", "end", show=False),
        Binding("t", "toggle_thinking", "thinking", show=False),
    ]

    @dataclass
    class FollowChanged(Message):
        """Whether the view stays at the end, and how many rows came below it since it does not."""

        transcript: Transcript
        is_following: bool
        new_lines: int

        @property
        def control(self) -> Transcript:
            return self.transcript

    def __init__(
        self,
        *,
        is_ascii: bool = False,
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.is_ascii = is_ascii
        self.marks = ASCII_MARKS if is_ascii else UNICODE_MARKS
        self.is_following = True
        self.new_lines = 0
        self.painted_rows = 0
        """Rows drawn since the start: with ``refreshed_cells`` the cost of this widget."""
        self.refreshed_cells = 0
        self._clock = clock
        self._stack = Stack(Look(Room(80, cell_len, self.marks)))
        self._notice: list[list[Span]] = []
        self._styles: dict[str, Style] = {}
        self._strips: LRUCache[tuple[int, int, bool], Strip] = LRUCache(MAX_STRIPS)
        self._painted: dict[int, Strip] = {}
        self._gutter = 8
        self._announced = (True, 0)
        self._last_scroll_at = 0.0
        self._rows_since = 0

    # What is shown

    def begin(self, prompt: str, label: str = "you", model: str = "") -> None:
        """A new turn, whose answer will be fed."""
        self._end_live("done")
        self._stack.add(Turn(prompt, label, model, cell_len))
        self._stack.open(len(self._stack.turns) - 1)
        self.is_following = True
        self._show_end()

    def feed(self, segments: Sequence[Segment]) -> None:
        """New text of the live turn. Does nothing where there is none."""
        turn = self._live
        if turn is None or not segments:
            return
        last = len(self._stack.turns) - 1
        rows = self._stack.rows
        old_end = rows - 1
        if self._would_fold_in_sight(turn, segments):
            turn.wants_thinking = True
        anchor = None if self.is_following else self._stack.anchor(self._top)
        first = turn.feed(segments, self._stack.look)
        if first is None:
            self._stack.resized(last)
            for index, part in enumerate(turn.parts):
                if not part.is_exact:
                    self._stack.lay_out(last, index)
            if anchor is not None:
                self._move_to(self._stack.row_of_anchor(anchor))
            self._after_growth(rows, 0)
            return
        changed = self._stack.rows
        self._stack.resized(last, max(0, first - 1))
        for index in range(first, len(turn.parts)):
            part = turn.parts[index]
            before = part.serial
            row = self._stack.lay_out(last, index)
            self._forget_strips(part, row)
            assert before == part.serial
            changed = min(changed, self._stack.top(last, index) + row)
        self._after_growth(rows, min(changed, old_end))

    def set_status(self, text: str | None, kind: str = "dim") -> None:
        """What is going on while nothing has arrived: one row under the prompt."""
        turn = self._live
        if turn is None or (turn.status, turn.status_role) == (text, kind):
            return
        turn.status, turn.status_role = text, kind
        self._rearrange(turn)

    def end(
        self,
        footer: str,
        *,
        state: TurnState = "done",
        error: str | None = None,
        thinking_note: str = "",
    ) -> None:
        """The live turn is over: its numbers in one dim line, its error in a style of its own."""
        turn = self._live
        if turn is None:
            return
        turn.footer, turn.error = footer, error or ""
        turn.thinking_note = thinking_note
        self._end_live(state)

    def reclassify(self) -> None:
        """Everything of the live turn so far was thinking: a ``</think>`` came without opening."""
        turn = self._live
        if turn is not None:
            turn.reclassify(self._stack.look)
            self._rearrange(turn, is_arranged=True)

    def add_finished(
        self,
        prompt: str,
        thinking: str = "",
        answer: str = "",
        footer: str = "",
        state: TurnState = "done",
        error: str | None = None,
        *,
        label: str = "you",
        model: str = "",
        thinking_note: str = "",
    ) -> None:
        """A turn of a conversation that is opened again. Costs next to nothing until it is seen."""
        turn = Turn(prompt, label, model, cell_len, thinking=thinking, answer=answer, state=state)
        turn.footer, turn.error = footer, error or ""
        turn.thinking_note = thinking_note
        self._stack.add(turn)
        if self._is_settled_later:
            return
        self._is_settled_later = True
        self.call_next(self._settle_added)

    def clear(self) -> None:
        """Forget all turns."""
        self._stack.clear()
        self.is_following = True
        self._show_end()

    def set_notice(self, lines: Sequence[str | Sequence[Span]]) -> None:
        """What an empty transcript says: rows of text, or of spans with their roles."""
        self._notice = [[(line, "soft")] if isinstance(line, str) else list(line) for line in lines]
        if not self._stack.turns:
            self._repaint()

    def last_answer(self) -> str:
        """The last answer as it came, also while it streams; nothing if there is none."""
        for turn in reversed(self._stack.turns):
            if turn.answer.has_text:
                return turn.answer.text
        return ""

    def toggle_thinking(self) -> None:
        """Open or fold the thinking of the turn in view."""
        turn = self._turn_in_view()
        if turn is not None and turn.thinking.has_text:
            turn.wants_thinking = not turn.is_thinking_open
            self._rearrange(turn)

    def toggle_raw(self) -> None:
        """Show answers as they came, or as Markdown again."""
        look = self._stack.look
        self._restack(Look(look.room, not look.is_raw), is_split_anew=True)

    # Turns

    @property
    def is_raw(self) -> bool:
        """Whether answers are shown as they came."""
        return self._stack.look.is_raw

    @property
    def is_streaming(self) -> bool:
        return self._live is not None

    _is_settled_later = False

    @property
    def _live(self) -> Turn | None:
        turns = self._stack.turns
        return turns[-1] if turns and turns[-1].is_live else None

    def _settle_added(self) -> None:
        self._is_settled_later = False
        if self.is_following:
            self._show_end()

    def _end_live(self, state: TurnState) -> None:
        turn = self._live
        if turn is None:
            return
        if not self.is_following and turn.wants_thinking is None:
            turn.wants_thinking = turn.is_thinking_open
        turn.state = state
        turn.answer.finish()
        turn.thinking.finish()
        self._rearrange(turn)
        if self.is_following:
            self._show_end()

    def _rearrange(self, turn: Turn, *, is_arranged: bool = False) -> None:
        """Lay out a turn anew whose parts are others than before."""
        index = self._stack.turns.index(turn)
        rows = self._stack.rows
        anchor = None if self.is_following else self._stack.anchor(self._top)
        if not is_arranged:
            self._stack.open(index)
            turn.arrange(self._stack.look)
        self._stack.resized(index)
        if turn.is_live:
            for at, part in enumerate(turn.parts):
                if not part.is_exact:
                    self._stack.lay_out(index, at)
        self._strips.clear()
        if anchor is not None:
            self._move_to(self._stack.row_of_anchor(anchor))
        self._after_growth(rows, 0)

    def _would_fold_in_sight(self, turn: Turn, segments: Sequence[Segment]) -> bool:
        """Whether thinking that is being read would fold because the answer begins."""
        return (
            not self.is_following
            and turn.wants_thinking is None
            and turn.is_thinking_open
            and turn.thinking.has_text
            and any(segment.kind == "text" for segment in segments)
        )

    def _turn_in_view(self) -> Turn | None:
        """The turn that fills most of the view; the last one while following."""
        if not self._stack.turns:
            return None
        if self.is_following:
            return self._stack.turns[-1]
        place = self._stack.place(min(self._top + self.size.height // 2, self._stack.rows - 1))
        return self._stack.turns[place.turn] if place else None

    # Scrolling

    @property
    def _top(self) -> int:
        return round(self.scroll_y)

    @property
    def _height(self) -> int:
        return max(1, self.size.height)

    def _move_to(self, top: int) -> None:
        """Set the scroll position without a layout."""
        rows = self._stack.rows
        height = max(rows, top + self._height) if self.is_following else rows
        self.set_reactive(Widget.virtual_size, Size(self.size.width, height))
        top = max(0, min(top, height - self._height))
        self.set_reactive(Widget.scroll_y, float(top))
        self.set_reactive(Widget.scroll_target_y, float(top))

    def _show_end(self) -> None:
        """Go to the end and stay there."""
        self.is_following = True
        rows = self._stack.settle_end(self._height)
        self._move_to(max(0, rows - self._height))
        self._stack.trim()
        self._announce(0)
        self._repaint()

    def _after_growth(self, rows_before: int, first_changed: int) -> None:
        """Rows from ``first_changed`` on are others than before: move if need be, and repaint."""
        rows = self._stack.rows
        height, top = self._height, self._top
        if self.is_following:
            overhang = rows - (top + height)
            if overhang > 0 or rows < top + height - height // 2 or rows <= height:
                target = max(0, rows - height + (self._jump(overhang) if overhang > 0 else 0))
                if target != top:
                    self._move_to(target)
                    first_changed = 0
            self._announce(0)
        else:
            below = max(0, rows - (top + height))
            self._move_to(top)
            self._announce(min(self.new_lines + max(0, rows - rows_before), below))
        self._stack.trim()
        self._repaint(first_changed)

    def _jump(self, overhang: int) -> int:
        """How many rows to move up beyond what is needed, so that fast text moves less often."""
        now = self._clock()
        seconds = now - self._last_scroll_at
        self._last_scroll_at = now
        rows, self._rows_since = self._rows_since + overhang, 0
        if self._live is None or seconds <= 0 or seconds >= 2 * JUMP_SECONDS:
            self._rows_since = 0
            return 0
        return max(0, min(round(rows / seconds * JUMP_SECONDS) - overhang, self._height // 4))

    def _scroll_rows(self, rows: int) -> None:
        """Move the view by rows, as the user asked."""
        self._scroll_to_row(self._top + rows)

    def _scroll_to_row(self, top: int) -> None:
        height = self._height
        top = max(0, min(top, self._stack.rows - height))
        top = self._stack.settle(top, height)
        if top >= self._stack.rows - height:
            self._show_end()
            return
        self.is_following = False
        self._move_to(top)
        self._stack.trim()
        below = max(0, self._stack.rows - (self._top + height))
        self._announce(min(self.new_lines, below))
        self._repaint()

    def _announce(self, new_lines: int) -> None:
        self.new_lines = new_lines
        if self._announced != (self.is_following, new_lines):
            self._announced = (self.is_following, new_lines)
            self.post_message(self.FollowChanged(self, self.is_following, new_lines))

    def action_scroll_rows(self, rows: int) -> None:
        self._scroll_rows(rows)

    def action_page(self, pages: int) -> None:
        self._scroll_rows(pages * max(1, self._height - 2))

    def action_jump_start(self) -> None:
        self._scroll_to_row(0)

    def action_jump_end(self) -> None:
        self.jump_end()

    def jump_end(self) -> None:
        """Go to the end and follow it."""
        self._show_end()

    def action_toggle_thinking(self) -> None:
        self.toggle_thinking()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        event.prevent_default()
        self._scroll_rows(round(self.app.scroll_sensitivity_y) or 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        event.prevent_default()
        self._scroll_rows(-round(self.app.scroll_sensitivity_y) or -1)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Somebody else moved the view."""
        if round(old_value) != round(new_value):
            self._scroll_to_row(round(new_value))

    # Size and theme

    def on_resize(self, event: events.Resize) -> None:
        self._painted.clear()
        width = event.size.width
        self._gutter = 8 if width >= WIDE_CELLS else 5
        room = Room(max(8, width - self._gutter - 2), cell_len, self.marks)
        if room != self._stack.look.room:
            self._restack(Look(room, self._stack.look.is_raw), is_split_anew=False)
        elif self.is_following:
            self._show_end()
        else:
            self._scroll_to_row(self._top)

    def _restack(self, look: Look, *, is_split_anew: bool) -> None:
        anchor = None if self.is_following else self._stack.anchor(self._top)
        self._stack.change_look(look, is_split_anew=is_split_anew)
        self._strips.clear()
        if anchor is None:
            self._show_end()
        else:
            self._scroll_to_row(self._stack.row_of_anchor(anchor))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()
        self._strips.clear()

    # Painting

    def style_of(self, roles: str) -> Style:
        """The theme's style of one or more roles on this widget's own background."""
        style = self._styles.get(roles)
        if style is None:
            style = self.rich_style
            for role in roles.split():
                style += self.get_component_rich_style(f"transcript--{role}", partial=True)
            self._styles[roles] = style
        return style

    def render_lines(self, crop: Region) -> list[Strip]:
        if self.gutter:
            return super().render_lines(crop)
        filters = self.get_line_filters()
        background = self.background_colors[1]
        strips: list[Strip] = []
        for y in crop.line_range:
            strip = self._line(y)
            self._painted[y] = strip
            self.painted_rows += 1
            for one in filters:
                strip = strip.apply_filter(one, background)
            strips.append(strip)
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(crop.x, crop.right) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        return self._line(y)

    def _repaint(self, first_row: int = 0) -> None:
        """Ask for the cells that differ from what was painted last, from a row on."""
        if not self.is_attached or not self.size:
            return
        width = self.size.width
        regions: list[Region] = []
        start = max(0, first_row - self._top)
        lines = {*range(start, self._height), self._height - 1}
        for y in sorted(lines):
            old = self._painted.get(y)
            if old is None:
                regions.append(Region(0, y, width, 1))
                continue
            new = self._line(y)
            if new is not old:
                x, end = changed_cells(old, new)
                if x < end:
                    regions.append(Region(x, y, end - x, 1))
        if regions:
            self.refreshed_cells += sum(region.width for region in regions)
            self.refresh(*regions)

    def _line(self, y: int) -> Strip:
        """The row of the view at ``y``, as wide as the view."""
        width = self.size.width
        row = self._top + y
        if not self._stack.turns:
            return self._notice_line(y)
        strip = self._row_strip(row)
        if y == self._height - 1 and not self.is_following:
            return self._with_badge(strip)
        return strip.adjust_cell_length(width, self.rich_style)

    def _row_strip(self, row: int) -> Strip:
        place = self._stack.place(row)
        if place is None:
            return Strip.blank(self.size.width, self.rich_style)
        turn = self._stack.turns[place.turn]
        part = self._stack.part(place)
        has_caret = turn.is_live and row == self._stack.rows - 1
        key = (part.serial, place.row, has_caret)
        strip = None if has_caret else self._strips.get(key)
        if strip is None:
            strip = self._make_strip(turn, part, place.row, has_caret=has_caret)
            if not has_caret:
                self._strips[key] = strip
        return strip

    def _make_strip(self, turn: Turn, part: Part, row: int, *, has_caret: bool) -> Strip:
        width = self.size.width
        is_answer = part.kind not in ("prompt", "fold", "footer", "error")
        has_bar = (
            turn.is_live and is_answer and not (row < part.has_gap and self._is_first(turn, part))
        )
        inner = row - part.has_gap
        label = turn.label if part.kind == "prompt" and inner == 0 else ""
        spans = gutter(label, self._gutter, self.marks.bar if has_bar else " ")
        layout = part.layout
        if inner >= 0 and layout is not None:
            content = layout.spans(inner)
            if part.kind == "status":
                content = [(text, turn.status_role) for text, _ in content]
            spans += content
            if layout.fill and not self._is_label(layout, inner):
                used = sum(cell_len(text) for text, _ in content)
                spans.append((" " * max(0, self._stack.look.room.width - used), layout.fill))
            if has_caret and not (part.kind == "status" and turn.status):
                spans = with_caret(spans, self.marks.caret, self._gutter)
        cells = [Cells(text, self.style_of(roles)) for text, roles in spans if text]
        return Strip(cells).adjust_cell_length(width, self.rich_style)

    def _is_first(self, turn: Turn, part: Part) -> bool:
        """Whether nothing live stands above this part."""
        index = turn.parts.index(part) if part in turn.parts[:4] else 4
        return index < 4 and turn.parts[index - 1].kind in ("prompt", "fold")

    def _is_label(self, layout: object, row: int) -> bool:
        is_label = getattr(layout, "is_label", None)
        return bool(is_label and is_label(row))

    def _with_badge(self, strip: Strip) -> Strip:
        width = self.size.width
        count = self.new_lines
        lines = "line" if count == 1 else "lines"
        text = f" {count} new {lines} " if count else " "
        text += f"{self.marks.down} End ".lstrip() if self.marks.down else "End "
        size = cell_len(text)
        if size + 2 > width:
            return strip.adjust_cell_length(width, self.rich_style)
        left = strip.adjust_cell_length(width, self.rich_style).crop(0, width - size - 1)
        cells = [*left, Cells(text, self.style_of("badge")), Cells(" ", self.rich_style)]
        return Strip(cells, width)

    def _notice_line(self, y: int) -> Strip:
        width = self.size.width
        cells: list[Cells] = []
        rows: list[list[Span]] = [[]]
        for line in self._notice:
            flow = Flow(self._stack.look.room.width, cell_len)
            flow.replace(0, line)
            rows += [flow.spans(row) for row in range(len(flow))]
        if y < len(rows) and rows[y]:
            cells.append(Cells(" " * self._gutter, self.rich_style))
            cells += [Cells(text, self.style_of(role)) for text, role in rows[y] if text]
        return Strip(cells).adjust_cell_length(width, self.rich_style)

    def _forget_strips(self, part: Part, first: int) -> None:
        for row in range(first, part.rows + 2):
            for has_caret in (False, True):
                self._strips.discard((part.serial, row, has_caret))


def gutter(label: str, cells: int, bar: str) -> list[Span]:
    """The cells left of the text: who speaks, or the bar of a live answer."""
    at = 2 if cells >= 8 else 1
    if label:
        while cell_len(label) > cells - at - 1:
            label = label[:-1]
        text = " " * at + label
        return [(text + " " * (cells - cell_len(text)), "you")]
    if bar == " ":
        return [(" " * cells, "text")]
    return [(" " * (cells - 2), "text"), (bar, "live"), (" ", "text")]


def with_caret(spans: list[Span], caret: str, left: int) -> list[Span]:
    """The spans with the caret behind the last character that is not blank."""
    while spans and not spans[-1][0].strip() and sum(cell_len(text) for text, _ in spans) > left:
        role = spans.pop()[1]
        used = sum(cell_len(text) for text, _ in spans)
        if used < left:
            spans.append((" " * (left - used), role))
            break
    return [*spans, (caret, "caret")]


def changed_cells(before: Strip, after: Strip) -> tuple[int, int]:
    """From which cell to which two strips of one width differ; equal where there is none."""
    return _first_difference(before, after), after.cell_length


def _first_difference(before: Strip, after: Strip) -> int:
    x = 0
    for one, two in zip(before, after, strict=False):
        if one == two:
            x += one.cell_length
            continue
        if one.style == two.style:
            for a, b in zip(one.text, two.text, strict=False):
                if a != b:
                    break
                x += cell_len(a)
        return x
    return x
