"""The transcript: prompts and answers, live and finished, for any Textual app.

    class ChatApp(App[None]):
        def compose(self) -> ComposeResult:
            yield Transcript()

        def on_mount(self) -> None:
            transcript = self.query_one(Transcript)
            transcript.begin("what is it?")
            transcript.append("It is **Markdown** as it ")
            transcript.append("arrives.")
            transcript.end("2 pieces")

:meth:`Transcript.append` takes any text and cleans it. A caller that cleans and keeps its text
itself gives it to :meth:`Transcript.feed`, and tells :meth:`LiveTurn.attach` where it is kept.
Colours are those of the app's theme; ``style.py`` names the component classes. What only an app can
do it is asked for by a message (``messages.py``): copy a text, open a line for a search.

The widget joins objects of which none knows it: all turns (:class:`TurnList`), what of them is in
view (:class:`Viewport`), painting (:class:`Painter`), the turn that is being answered
(:class:`LiveTurn`) and those before it (:class:`PastTurns`), and for a reader :class:`SearchJump`,
:class:`CodeJump`, :class:`RowSelection` and :class:`CopyText`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar, TypeAlias

from rich.cells import cell_len
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from tui.core.screen.key_names import key_cap
from tui.core.screen.keys.chat import TRANSCRIPT_KEYS
from tui.core.text.glyphs import UNICODE, Glyphs
from tui.core.types import Segment, SegmentKind
from tui.widgets.kit.bindings import bindings
from tui.widgets.transcript import messages
from tui.widgets.transcript.cells import RIGHT_CELLS, gutter_cells
from tui.widgets.transcript.code_jump import CodeJump
from tui.widgets.transcript.copy_text import CopyText
from tui.widgets.transcript.flow import Span
from tui.widgets.transcript.layout import RenderMode
from tui.widgets.transcript.lexers import Lexers
from tui.widgets.transcript.live_turn import LiveTurn
from tui.widgets.transcript.painter import END_KEY, Painter
from tui.widgets.transcript.past_turns import PastTurns
from tui.widgets.transcript.role_styles import RoleStyles
from tui.widgets.transcript.search_jump import SearchJump
from tui.widgets.transcript.selection import RowSelection, selection_at
from tui.widgets.transcript.style import CSS, ROLES
from tui.widgets.transcript.turn_list import TurnList
from tui.widgets.transcript.turn_view import TurnState, TurnView
from tui.widgets.transcript.view_changes import ViewChanges
from tui.widgets.transcript.viewport import Viewport


class Transcript(ScrollView, can_focus=True):
    """Shows turns: those of a conversation that is opened again, and one that is being answered.

    The app calls :meth:`feed` at its own pace, at most once a frame; nothing here has a timer or
    moves by itself, and no call asks for a layout.
    """

    FOCUS_ON_CLICK = False
    """What is typed goes where it went before: only Tab, or :meth:`focus`, makes keys commands."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"transcript--{role}" for role in ROLES}
    DEFAULT_CSS = CSS
    BINDINGS: ClassVar[list[BindingType]] = bindings(TRANSCRIPT_KEYS, has_priority=False)

    FollowChanged: TypeAlias = messages.FollowChanged
    SearchRequested: TypeAlias = messages.SearchRequested
    SearchChanged: TypeAlias = messages.SearchChanged
    CopyRequested: TypeAlias = messages.CopyRequested

    def __init__(
        self,
        glyphs: Glyphs = UNICODE,
        *,
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._turn_list = turn_list = TurnList(RenderMode(80, cell_len, glyphs, Lexers()))
        self.viewport = viewport = Viewport(
            turn_list,
            ViewChanges(self._show_changes),
            height=lambda: self.size.height,
            clock=clock,
        )
        self._search_jump = SearchJump(turn_list, viewport)
        self._code_jump = CodeJump(turn_list, viewport)
        self._row_selection = RowSelection(turn_list, viewport)
        self.copy_text = CopyText(turn_list, viewport, self._code_jump)
        """What can be copied."""
        self._role_styles = RoleStyles(self)
        self.painter = Painter(
            turn_list,
            viewport,
            self._search_jump,
            size=lambda: self.size,
            style_of=self._role_styles.style_of,
            selection=lambda: self.text_selection,
        )
        self.live_turn = LiveTurn(turn_list, viewport, self.painter)
        """The turn that is being answered; what the methods here do not cover is done with it."""
        self.past_turns = PastTurns(
            turn_list,
            viewport,
            self.painter,
            self._code_jump,
            unmark=self._unmark,
            fit_later=self._settle_later,
        )
        """All others."""
        self._announced = (True, 0)
        self._is_settling = False

    def begin(self, prompt: str, label: str = "you", model: str = "") -> None:
        """A new turn, whose answer will be fed. ``model`` is named where it changes."""
        self.live_turn.begin(prompt, label=label, model=model)

    def append(self, text: str, kind: SegmentKind = "text") -> None:
        """New text of the live turn, as it came from anywhere: it is cleaned here."""
        self.live_turn.append(text, kind)

    def feed(self, segments: Sequence[Segment]) -> None:
        """New text of the live turn, clean already. Other text goes through :meth:`append`."""
        self.live_turn.feed(segments)

    def end(
        self,
        footer: str,
        *,
        state: TurnState = "done",
        error: str | None = None,
        thinking_note: str = "",
    ) -> None:
        """The live turn is over: its numbers in one dim line, its error in a style of its own."""
        self.live_turn.end(footer, state=state, error=error or "", thinking_note=thinking_note)

    def clear(self) -> tuple[TurnView, ...]:
        """Forget all turns. Returns them, for :meth:`PastTurns.put_back`."""
        return self.past_turns.clear()

    def _unmark(self) -> None:
        """End selection and search."""
        self.deselect()
        self.search("")

    def _settle_later(self) -> None:
        if not self._is_settling and self.is_attached:
            self._is_settling = True
            self.call_next(self._settle_added)

    def _settle_added(self) -> None:
        self._is_settling = False
        self.viewport.refit()

    @property
    def turns(self) -> tuple[TurnView, ...]:
        """All turns, oldest first."""
        return tuple(self._turn_list.turns)

    def set_notice(self, lines: Sequence[str | Sequence[Span]]) -> None:
        """What an empty transcript says: lines of text, or of spans of text and role."""
        self.painter.set_notice(lines)
        if not self._turn_list.turns:
            self.viewport.changes.mark()

    @property
    def is_following(self) -> bool:
        """Whether the view stays at the end."""
        return self.viewport.is_following

    def show_end(self) -> None:
        """Go to the end and follow it."""
        self.viewport.show_end()

    def show_row(self, top: int) -> None:
        """Show this row at the top, or as far down as there are rows; the end is followed."""
        self.viewport.show_row(top)

    def show_position(self, turn: int, row: int) -> None:
        """Show this row of this turn at the top, or the nearest there is."""
        self.viewport.show_position(turn, row)

    def scroll_rows(self, rows: int) -> None:
        """Move the view down by rows, or up."""
        self.viewport.scroll_rows(rows)

    def scroll_pages(self, pages: int) -> None:
        """Move the view down by pages, or up; two rows stay in view."""
        self.scroll_rows(pages * max(1, self.viewport.height - 2))

    def jump_turn(self, step: int) -> None:
        """Show the next turn from its prompt on or, with -1, the one before."""
        self.viewport.jump_turn(step)

    def jump_code(self, step: int) -> None:
        """Show the next block of code or, with -1, the one before."""
        self._code_jump.jump(step)

    def toggle_thinking(self) -> None:
        """Open or fold the thinking of the turn in view."""
        self.viewport.toggle_thinking(self.viewport.turn_in_view)

    def toggle_raw(self) -> None:
        """Show answers as they came, or as Markdown again."""
        self.deselect()
        self.viewport.toggle_raw()

    # Searching

    @property
    def is_searching(self) -> bool:
        """Whether there is a pattern whose matches are marked."""
        return self._search_jump.search is not None

    def search(self, pattern: str) -> int:
        """Mark every match and show the nearest one. Returns how many there are.

        An empty pattern ends the search. Without capitals, case does not count.
        """
        if pattern:
            self._search_jump.begin(pattern)
        elif self.is_searching:
            self._search_jump.end()
        else:
            return 0
        return self._show_search()

    def search_step(self, step: int) -> None:
        """Show the next match or, with -1, the one before; around the end."""
        if self.is_searching:
            self._search_jump.step(step)
            self._show_search()

    def _show_search(self) -> int:
        state = self._search_jump.state
        self.post_message(self.SearchChanged(self, state.pattern, state.position, state.count))
        return state.count

    # Selecting and copying

    def select_rows(self, step: int) -> None:
        """Select a row more, or one less, from the end or the beginning of the view on."""
        self._row_selection.extend(step)
        self._select(self._row_selection.selection)

    def deselect(self) -> None:
        """End the selection: its rows are about to become others."""
        self._row_selection.clear()
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()

    def selection_text(self) -> str:
        """The selected text; empty without a selection."""
        return self.copy_text.selected(self.text_selection)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        return self.copy_text.selected(selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        if selection is None:
            self._row_selection.clear()
        self.viewport.changes.mark()

    def _select(self, selection: Selection | None) -> None:
        if selection is not None:
            self.screen.selections = {self: selection}

    # Keys and mouse

    action_scroll_rows = scroll_rows
    action_scroll_pages = scroll_pages
    action_jump_turn = jump_turn
    action_jump_code = jump_code
    action_toggle_thinking = toggle_thinking
    action_toggle_raw = toggle_raw
    action_search_step = search_step
    action_select_rows = select_rows
    action_show_row = show_row
    action_show_end = show_end

    def action_search(self) -> None:
        self.post_message(self.SearchRequested(self))

    def action_copy(self) -> None:
        if text := self.selection_text():
            self.post_message(self.CopyRequested(self, text, "the selection"))
        elif text := self.copy_text.answer:
            self.post_message(self.CopyRequested(self, text, "the answer"))

    def action_copy_code(self) -> None:
        if text := self.copy_text.code:
            self.post_message(self.CopyRequested(self, text, "the code block"))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._take_wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._take_wheel(event, -1)

    def _take_wheel(self, event: events.MouseEvent, direction: int) -> None:
        event.stop()
        event.prevent_default()
        self.scroll_rows(direction * max(1, round(self.app.scroll_sensitivity_y)))

    def on_click(self, event: events.Click) -> None:
        """A click on the mark at the end follows, one on folded thinking opens it.

        Two in a row select a word, three all of a paragraph.
        """
        if event.chain > 1:
            event.prevent_default()
            _, at = self.screen.get_widget_and_offset_at(int(event.screen_x), int(event.screen_y))
            if at is not None and self._turn_list.turns:
                self._select(selection_at(self._turn_list, at, is_paragraph=event.chain > 2))
        elif self.painter.is_over_badge(event.x, event.y):
            self.show_end()
        else:
            self.viewport.toggle_thinking(self.viewport.folded_turn_at(event.y))

    # Size, theme and painting

    def on_resize(self, event: events.Resize) -> None:
        self.painter.forget_painted()
        width = event.size.width
        self.viewport.resized(max(8, width - gutter_cells(width) - RIGHT_CELLS))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._role_styles.clear()
        self.painter.forget_strips()
        self.painter.forget_painted()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Other keys work now: the mark that leads to the end may name another one."""
        super().watch_has_focus(has_focus)
        if not self.viewport.is_following:
            self.call_after_refresh(self._renew_end_key)

    def _renew_end_key(self) -> None:
        self.painter.end_key = self._end_key()
        self._show_changes(self.viewport.column_rows, False)

    def _end_key(self) -> str:
        """The key to the end, which may be bound anew."""
        if self.has_focus:
            for active in self.screen.active_bindings.values():
                if active.binding.id == "transcript.end":
                    return key_cap(active.binding.key)
        return END_KEY

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Somebody else moved the view: a selection that reaches beyond it, for one."""
        if round(new_value) != self.viewport.top_row:
            self.show_row(round(new_value))

    def _show_changes(self, first_row: int, is_rearranged: bool) -> None:
        """Bring the screen to where the view is, without a layout, and say whether it follows."""
        viewport = self.viewport
        if is_rearranged:
            self.painter.forget_strips()
        size, top = Size(self.size.width, viewport.column_rows), float(viewport.top_row)
        if (self.virtual_size, self.scroll_y, self.scroll_target_y) != (size, top, top):
            self.set_reactive(Widget.virtual_size, size)
            self.set_reactive(Widget.scroll_y, top)
            self.set_reactive(Widget.scroll_target_y, top)
        if self._announced != (viewport.is_following, viewport.new_lines):
            if self._announced[0]:
                self.painter.end_key = self._end_key()
            self._announced = (viewport.is_following, viewport.new_lines)
            self.post_message(self.FollowChanged(self, *self._announced))
        if self.is_attached and self.size and (regions := self.painter.changed_regions(first_row)):
            self.refresh(*regions)

    def render_lines(self, crop: Region) -> list[Strip]:
        if self.gutter:
            return super().render_lines(crop)
        filters, background = self.get_line_filters(), self.background_colors[1]
        strips = self.painter.paint(crop.line_range)
        for one in filters:
            strips = [strip.apply_filter(one, background) for strip in strips]
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(crop.x, crop.right) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        return self.painter.line_with_places(y)
