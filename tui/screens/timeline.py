"""Alt+T: the timeline of an answer: its tokens, its words and the board on one axis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message

from tui.core.screen.headline import Headline
from tui.core.screen.keymap import Place
from tui.core.screen.keys.table import closing
from tui.core.screen.keys.timeline import TIMELINE_KEYS
from tui.core.text.glyphs import Glyphs
from tui.screens.page import Page
from tui.timeline.record import Timeline
from tui.timeline.source import TimelineSource
from tui.timeline.view import TimelineView
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Row, Rows
from tui.widgets.kit.rows_panel import RowsPanel
from tui.widgets.timeline.canvas import TimelineCanvas
from tui.widgets.timeline.text import TimelineText
from tui.widgets.timeline.title import cursor_rows, title_row

if TYPE_CHECKING:
    from tui.recording.reading import Recording

REDRAW_S = 0.5
"""Each time 300 to 600 bytes are written: the ends of the curves, and what is known now."""
WIDE_COLUMNS = 100
TALL_ROWS = 30
LEAST_TEXT_ROWS, TEXT_SHARE = 5, 0.22


@dataclass(frozen=True)
class TimelineData:
    """What a timeline screen shows: the source at ``at``; the others can be compared with it."""

    headline: Callable[[], Headline]
    copy: Callable[[str, str], str]
    """Puts a text into the clipboard, and gives the sentence that says where it is."""
    sources: Sequence[TimelineSource]
    at: int = 0
    compared: int | None = None
    """The source that it is compared with from the start."""


def _hints(*, is_short: bool) -> tuple[HintOf, ...]:
    """The bottom line, with arrows as signs where there is little room."""
    return (
        HintOf("token", "timeline.left", "timeline.right", is_short=is_short),
        HintOf("problem", "timeline.trouble"),
        HintOf("replay", "timeline.replay", is_short=is_short),
        HintOf("zoom", "timeline.zoom_in", "timeline.zoom_out", is_short=is_short),
        HintOf("curves", "timeline.down", is_short=is_short),
        HintOf("compare", "timeline.compare"),
        HintOf("back", "timeline.back"),
        HintOf("help", "help"),
        HintOf("by token", "timeline.unit"),
        HintOf("select", "timeline.select"),
        HintOf("word", "timeline.next_word"),
    )


class TimelineScreen(Page):
    """Draws twice a second at most while an answer runs, and sleeps otherwise."""

    @dataclass
    class Replay(Message):
        """Play an answer again, over this screen. ``read`` gives its recording, off the app's
        thread; None: it is the answer of that number in the history."""

        page: TimelineScreen
        answer: int | None
        read: Callable[[], Recording] | None = None

    BINDINGS: ClassVar[list[BindingType]] = bindings([closing("timeline"), *TIMELINE_KEYS])
    VERTICAL_BREAKPOINTS = [(0, "-short"), (TALL_ROWS, "-tall")]
    HELP_PLACE: ClassVar[Place] = "timeline"
    DEFAULT_CSS = """
    TimelineScreen #title { height: 2; }
    TimelineScreen #curves { height: 1fr; }
    TimelineScreen #cursor { height: auto; border-top: solid $rule; }
    TimelineScreen.-ascii #cursor { border-top: ascii $rule; }
    TimelineScreen #words { height: 7; }
    TimelineScreen.-short #title { height: 1; }
    TimelineScreen.-tall #words { margin-top: 1; }
    """

    def __init__(self, data: TimelineData, glyphs: Glyphs) -> None:
        super().__init__(data.headline, glyphs)
        self.data = data
        self.view: TimelineView | None = None
        self.problem = ""
        """Why there is no timeline, as a sentence; empty while there may be one."""
        self._other_at = data.compared
        self._drawn: tuple[int, int, int] | None = None
        self.draws = 0
        """How often this screen was brought up to date."""

    def compose(self) -> ComposeResult:
        # Known already, so that the first layout is the last one: each draws every curve.
        is_tall = self.app.size.height >= TALL_ROWS
        self.set_class(is_tall, "-tall")
        self.set_class(not is_tall, "-short")
        yield from self.compose_header()
        yield RowsPanel(self._title, self.glyphs, id="title")
        yield TimelineCanvas(lambda: self.view, self.glyphs, id="curves")
        yield RowsPanel(self._cursor, self.glyphs, id="cursor")
        yield TimelineText(lambda: self.view, self.bounds, self.glyphs, id="words")
        yield from self.compose_keys()

    def _title(self, width: int, _: int) -> list[Row]:
        """Which answer, and its numbers."""
        if self.view is None:
            said = (f"  {self.problem or 'reading'}", "warn" if self.problem else "dim")
            return [((" timeline", "strong"), said), ()]
        return [title_row(self.view, width, self.glyphs), ()]

    def _cursor(self, width: int, _: int) -> Sequence[Row]:
        """What was at the crosshair, in words."""
        count = 1 if width >= WIDE_COLUMNS else 2
        if self.view is None:
            return [()] * count
        return cursor_rows(self.view, self.bounds(), width, self.glyphs, count)

    def on_mount(self) -> None:
        self._divide(self.app.size)
        source = self.data.sources[self.data.at]
        if source.is_live:
            self.view = TimelineView(source.read())
            self.set_interval(REDRAW_S, self._follow)
            self._draw()
        else:
            self.run_worker(self._open(source), group="read", exclusive=True)

    async def _open(self, source: TimelineSource) -> None:
        timeline = await self._read(source)
        if timeline is None:
            self._draw()
        else:
            self.view = TimelineView(timeline)
            self._draw()
            if self._other_at is not None:
                await self._compare_with(self._other_at)

    async def _read(self, source: TimelineSource) -> Timeline | None:
        """Its timeline, read off the app's thread; None where it failed, which is said."""
        try:
            if source.is_live:
                return source.read()
            return await asyncio.to_thread(source.read)
        except ValueError as error:
            if self.view is None:
                self.problem = str(error)
            else:
                self.say(str(error), "warn")
            return None

    def on_resize(self, event: events.Resize) -> None:
        self._divide(event.size)

    def _divide(self, size: Size) -> None:
        """The words get a share of the height."""
        self.show_hints(_hints(is_short=size.width < WIDE_COLUMNS))
        rows = max(LEAST_TEXT_ROWS, round(size.height * TEXT_SHARE))
        if size.height < TALL_ROWS:
            rows = max(size.height - 17, 2)
        self.query_one("#words").styles.height = rows

    # Drawing --------------------------------------------------------------------------------

    def bounds(self) -> tuple[int, int] | None:
        """From when to when the column of the crosshair goes."""
        view = self.view
        if view is None:
            return None
        return self.query_one(TimelineCanvas).cell_bounds(view.cursor_ns)

    def _follow(self) -> None:
        """Draw what came since the last time, where it can be seen."""
        view = self.view
        if view is None or self.is_covered or not view.timeline.is_running:
            return
        if not self.app.app_focus:
            return
        timeline = self.data.sources[self.data.at].read()
        view.show(timeline)
        # The axis alone moves on with every look; it is drawn when a column of it is full.
        series = max((len(one) for one in timeline.series.values()), default=0)
        step_ns = max(view.axis(max(self.size.width, 40)).bin_ns, 1)
        state = (len(timeline.chunks), series, timeline.end_ns // step_ns)
        if state != self._drawn or not timeline.is_running:
            self._drawn = state
            self._draw()

    def _draw(self) -> None:
        self.draws += 1
        for part in ("#title", "#curves", "#cursor", "#words"):
            self.query_one(part, Rows).refresh_rows()

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self._draw)

    # Keys -----------------------------------------------------------------------------------

    def _moved(self, move: Callable[[TimelineView], object]) -> None:
        if self.view is not None:
            move(self.view)
            self._draw()

    def action_step(self, step: int) -> None:
        self._moved(lambda view: view.step_tokens(step))

    def action_word(self, step: int) -> None:
        self._moved(lambda view: view.step_words(step))

    def action_page(self, step: int) -> None:
        self._moved(lambda view: view.step_page(step))

    def action_ends(self, step: int) -> None:
        self._moved(lambda view: view.to_start() if step < 0 else view.to_end())

    def action_trouble(self, step: int) -> None:
        if self.view is not None and self.view.to_trouble(step) is None:
            self.say("nothing went wrong while this answer ran")
        self._draw()

    def action_zoom(self, step: int) -> None:
        self._moved(lambda view: view.zoom(step))

    def action_whole(self) -> None:
        self._moved(lambda view: view.show_all())

    def action_charts(self, step: int) -> None:
        canvas = self.query_one(TimelineCanvas)
        last = max(canvas.total_charts - canvas.shown_charts, 0)
        if not 0 <= canvas.first_chart + step <= last:
            self.say("there are no more curves" if last else "all curves are in view")
            return
        canvas.first_chart += step
        self._draw()

    def action_select(self) -> None:
        """Begin a selection at the crosshair, or end it."""
        self._moved(lambda view: view.select_from(None if view.is_selecting else view.cursor_ns))
        if self.view is not None and self.view.is_selecting:
            left, right = self.key("timeline.left"), self.key("timeline.right")
            self.say(f"{left} and {right} select; {self.key('timeline.copy')} copies")

    def action_unit(self) -> None:
        self._moved(lambda view: view.use_unit("time" if view.unit == "token" else "token"))
        if self.view is not None:
            self.say("by token" if self.view.unit == "token" else "by time")

    def action_copy(self) -> None:
        view = self.view
        if view is None:
            return
        selection, timeline = view.selection, view.timeline
        if selection is not None:
            words = timeline.words(selection.chunks.start, selection.chunks.stop)
            self.say(self.data.copy(words, "the selected words"))
        else:
            self.say(self.data.copy(timeline.text or timeline.thinking, "the answer"))

    def action_replay(self) -> None:
        """Play the answer again from its beginning."""
        view, source = self.view, self.data.sources[self.data.at]
        if view is None:
            return
        if view.timeline.is_running:
            self.say("the answer still runs; it can be replayed when it is over")
        elif source.recording is not None:
            self.post_message(self.Replay(self, None, source.recording))
        elif (answer := source.answer_id()) is None:
            self.say("this answer is not in the history; only those that are there can be replayed")
        else:
            self.post_message(self.Replay(self, answer))

    def action_compare(self) -> None:
        """The answer before this one, then the one before that, and at last none."""
        others = [at for at in range(len(self.data.sources)) if at != self.data.at]
        # Those before this one come first, the nearest first.
        others.sort(key=lambda at: (at > self.data.at, abs(at - self.data.at)))
        if not others:
            self.say("there is no other answer here to compare with")
            return
        at = others.index(self._other_at) + 1 if self._other_at in others else 0
        if at == len(others):
            self._other_at = None
            self._moved(lambda view: view.compare(None))
            self.say("no comparison")
            return
        self._other_at = others[at]
        self.run_worker(self._compare_with(others[at]), group="compare", exclusive=True)

    async def _compare_with(self, at: int) -> None:
        source = self.data.sources[at]
        timeline = await self._read(source)
        if timeline is not None:
            self._moved(lambda view: view.compare(timeline))
            self.say(f"compared with: {source.label}; its curve is the faint one")

    def action_back(self) -> None:
        """Out of the selection, then out of the screen."""
        if self.view is not None and self.view.is_selecting:
            self._moved(lambda view: view.select_from(None))
        else:
            super().action_back()

    # The mouse ------------------------------------------------------------------------------

    def on_timeline_canvas_pointed(self, event: TimelineCanvas.Pointed) -> None:
        self._point(event.is_dragged, lambda view: view.move_to(event.t_ns))

    def on_timeline_text_pointed(self, event: TimelineText.Pointed) -> None:
        self._point(event.is_dragged, lambda view: view.to_offset(event.kind, event.offset))

    def _point(self, is_dragged: bool, move: Callable[[TimelineView], None]) -> None:
        view = self.view
        if view is None:
            return
        if is_dragged and not view.is_selecting:
            view.select_from(view.cursor_ns)
        elif not is_dragged:
            view.select_from(None)
        move(view)
        self._draw()

    def on_timeline_canvas_wheeled(self, event: TimelineCanvas.Wheeled) -> None:
        self._moved(lambda view: view.zoom(-event.step))
