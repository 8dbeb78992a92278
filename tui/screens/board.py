"""F5: the whole board on one time axis, why it is slow, what fits, and every reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widgets import Static

from tui.core.board.board_facts import BoardFacts
from tui.core.board.finding import Finding
from tui.core.screen.backend import ScreenBackend
from tui.core.screen.keymap import Place
from tui.core.screen.keys.board import BOARD_KEYS
from tui.core.screen.keys.table import closing
from tui.core.text.glyphs import Glyphs
from tui.screens.ram_calculator import RamCalculator
from tui.widgets.board.chart import (
    WINDOWS_MIN,
    Chart,
    Frame,
    answer_row,
    axis_row,
    fitting_window,
    frame,
    spark_row,
)
from tui.widgets.board.curves import ChartModel, board_charts
from tui.widgets.board.facts import (
    decode_rows,
    finding_rows,
    headroom_rows,
    load_rows,
    missing_rows,
    reading_rows,
)
from tui.widgets.chat.header import Header
from tui.widgets.chat.key_bar import HintOf, KeyHint, key_hints
from tui.widgets.chat.message_line import MessageBar
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.opaque_screen import OpaqueScreen
from tui.widgets.kit.rows import AsciiScrollBar, Row, Rows

WIDE_HINTS: tuple[HintOf, ...] = (
    HintOf("back", "board.back"),
    HintOf("at a moment", "board.cursor_before", "board.cursor_next"),
    HintOf("time", "board.zoom_in", "board.zoom_out"),
    HintOf("finding", "board.up", "board.down"),
    HintOf("open", "board.open"),
    HintOf("copy command", "board.copy"),
    HintOf("readings", "board.readings"),
    HintOf("what fits", "board.calculator"),
)
NARROW_HINTS: tuple[HintOf, ...] = (
    HintOf("back", "board.back"),
    HintOf("chart", "board.chart_before", "board.chart_next", is_short=True),
    HintOf("moment", "board.cursor_before", "board.cursor_next", is_short=True),
    HintOf("time", "board.zoom_in", "board.zoom_out", is_short=True),
    HintOf("why", "board.open"),
    HintOf("readings", "board.readings"),
    HintOf("RAM", "board.calculator"),
    HintOf("more", "board.page_down", is_short=True),
)
READING_HINTS: tuple[HintOf, ...] = (
    HintOf("back", "board.back"),
    HintOf("scroll", "board.up", "board.down"),
    HintOf("page", "board.page_down", is_short=True),
    HintOf("charts", "board.readings"),
    HintOf("what fits", "board.calculator"),
)

REDRAW_S = 1.0
MINUTE_NS = 60_000_000_000
WIDE_COLUMNS = 100
MIN_COLUMNS, MIN_ROWS = 40, 10
CHART_KEYS = ("answers", "npu", "ddr", "clocks", "heat", "ram")
LEAST_CHART_ROWS = 5
ABSENT_CHART_ROWS = 1
NARROW_CHART_ROWS = 8
TIME_ROWS = 2
SPARK_COLUMNS = 10
"""Room for a value at the right of each spark."""


class BoardScreen(OpaqueScreen):
    """Draws once a second while it is on top, and sleeps otherwise."""

    DEFAULT_CSS = """
    BoardScreen { layout: vertical; background: $background; color: $foreground; }
    BoardScreen #board-body { height: 1fr; layout: horizontal; }
    BoardScreen #board-charts { width: 1fr; height: 100%; padding: 0 1; overflow: hidden hidden; }
    BoardScreen #board-facts {
        width: 46; height: 100%; padding: 0 1; border-left: solid $rule; scrollbar-size-vertical: 1;
    }
    BoardScreen #board-facts Rows { margin-bottom: 1; }
    BoardScreen #board-sparks { display: none; }
    BoardScreen #board-readings {
        display: none; height: 1fr; padding: 0 1; scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
    }
    BoardScreen.-readings #board-body { display: none; }
    BoardScreen.-readings #board-readings { display: block; }
    BoardScreen.-narrow #board-body {
        layout: vertical; overflow: hidden auto; scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
    }
    BoardScreen.-narrow #board-charts { width: 100%; height: auto; }
    BoardScreen.-narrow #board-facts {
        width: 100%; height: auto; border-left: none; overflow: hidden hidden;
    }
    BoardScreen.-narrow #board-sparks { display: block; }
    BoardScreen.-ascii #board-facts { border-left: ascii $rule; }
    BoardScreen.-ascii.-narrow #board-facts { border-left: none; }
    BoardScreen #board-small {
        display: none; width: 100%; height: 100%; content-align: center middle;
    }
    BoardScreen.-tiny > * { display: none; }
    BoardScreen.-tiny #board-small { display: block; }
    """

    # With priority, because what scrolls would take some of these for itself.
    BINDINGS: ClassVar[list[BindingType]] = bindings([closing("board"), *BOARD_KEYS])
    HELP_PLACE: ClassVar[Place] = "board"

    def __init__(
        self, backend: ScreenBackend, copy: Callable[[str, str], str], glyphs: Glyphs
    ) -> None:
        """``copy`` puts a text into the clipboard and gives the sentence that says where it is."""
        super().__init__()
        self._backend = backend
        self._copy = copy
        self._glyphs = glyphs
        self._timer: Timer | None = None
        self._window: int | None = None
        """None is all that is known, rounded up."""
        self._cursor_ns: int | None = None
        """Where the crosshair stands; None is now."""
        self._frame: Frame | None = None
        self._first = 0
        self._chosen = 0
        self._opened: frozenset[str] | None = None
        """The open findings by rule; None until the user opens or closes one."""
        self._owner: list[int] = []
        self.draws = 0
        """How often this screen was brought up to date."""
        self.set_class(glyphs.is_ascii, "-ascii")

    def compose(self) -> ComposeResult:
        glyphs = self._glyphs
        self._choose_shape()
        yield Header(self._backend.headline, glyphs, id="board-header")
        with Container(id="board-body"):
            with Vertical(id="board-charts"):
                yield Rows(glyphs, id="board-notice")
                for key in CHART_KEYS:
                    yield Chart(glyphs, id=f"chart-{key}")
                yield Rows(glyphs, id="board-time")
                yield Rows(glyphs, id="board-sparks")
            with VerticalScroll(id="board-facts", can_focus=False):
                for name in ("why", "decode", "ahead", "load", "missing"):
                    yield Rows(glyphs, id=f"facts-{name}")
        with VerticalScroll(id="board-readings", can_focus=False):
            yield Rows(glyphs, id="reading-rows")
        yield MessageBar(self._hints, glyphs, id="board-keys")
        yield Static("", id="board-small", markup=False)

    def on_mount(self) -> None:
        if self._glyphs.is_ascii:
            for name in ("#board-body", "#board-facts", "#board-readings"):
                bar = self.query_one(name).vertical_scrollbar
                bar.renderer = AsciiScrollBar  # type: ignore[misc]  # per bar, not for all
        self._timer = self.set_interval(REDRAW_S, self.redraw)
        self.call_after_refresh(self.redraw)

    def on_screen_suspend(self) -> None:
        if self._timer is not None:
            self._timer.pause()

    def on_screen_resume(self) -> None:
        if self._timer is not None:
            self._timer.resume()
            self.call_after_refresh(self.redraw)

    def on_resize(self, event: events.Resize) -> None:
        self._choose_shape()
        self.query_one("#board-keys", MessageBar).set_hints(self._hints)
        self.call_after_refresh(self.redraw)

    def _choose_shape(self) -> None:
        width, height = self.app.size
        is_tiny = width < MIN_COLUMNS or height < MIN_ROWS
        self.set_class(width < WIDE_COLUMNS, "-narrow")
        self.set_class(is_tiny, "-tiny")
        if is_tiny and self.is_mounted:
            self.query_one("#board-small", Static).update(
                f"npulse needs {MIN_COLUMNS}x{MIN_ROWS}; this terminal is {width}x{height}"
            )

    @property
    def _is_narrow(self) -> bool:
        return self.has_class("-narrow")

    @property
    def _hints(self) -> Sequence[KeyHint]:
        if self.has_class("-readings"):
            return key_hints(self, READING_HINTS)
        return key_hints(self, NARROW_HINTS if self._is_narrow else WIDE_HINTS)

    @property
    def _facts(self) -> BoardFacts:
        return self._backend.board.facts or BoardFacts()

    # Drawing -----------------------------------------------------------------------------------

    def redraw(self) -> None:
        """Bring everything up to date that is seen now."""
        if not self.is_current or not self.is_mounted or self.has_class("-tiny"):
            return
        self.draws += 1
        self.query_one("#board-header", Rows).refresh_rows()
        if self.has_class("-readings"):
            self._show_readings()
            return
        self._show_charts()
        self._show_facts()

    def _show_charts(self) -> None:
        board, glyphs = self._backend.board, self._glyphs
        area = self.query_one("#board-charts", Vertical)
        width = area.content_region.width
        if width < 1:
            return
        window_ns = WINDOWS_MIN[self._window_at] * MINUTE_NS
        marks = self._facts.answers
        right = SPARK_COLUMNS if self._is_narrow else 0
        is_colourless = self._is_colourless
        shared = frame(
            self._backend.clock_ns(),
            window_ns,
            width,
            marks,
            glyphs,
            right=right,
            is_colourless=is_colourless,
            cursor_ns=self._cursor_ns,
        )
        self._frame = shared
        models = board_charts(board.history, marks, shared.axis.start_ns)
        notice: list[Row] = [] if models else [(("reading the board ...", "dim"),)]
        self.query_one("#board-notice", Rows).show(notice)
        self._arrange(models, area.content_region.height, shared)
        self.query_one("#board-time", Rows).show(
            [answer_row(shared), axis_row(shared, window_ns)] if models else []
        )
        if self._is_narrow:
            seen = {model.key for model in self._visible(models)}
            self.query_one("#board-sparks", Rows).show(
                [spark_row(model, shared, model.key in seen, width) for model in models]
            )

    @property
    def _window_at(self) -> int:
        """Which of the windows is shown."""
        if self._window is not None:
            return self._window
        return fitting_window(self._backend.board.history.begun_ns, self._backend.clock_ns())

    def _arrange(self, models: Sequence[ChartModel], height: int, shared: Frame) -> None:
        """Give each chart that is shown its rows, and draw it."""
        shown = self._visible(models)
        heights = self._heights(shown, height)
        by_key = {model.key: (model, rows) for model, rows in zip(shown, heights, strict=True)}
        for key in CHART_KEYS:
            chart = self.query_one(f"#chart-{key}", Chart)
            found = by_key.get(key)
            chart.display = found is not None
            if found is not None:
                if chart.styles.height is None or chart.styles.height.value != found[1]:
                    chart.styles.height = found[1]
                chart.show_model(found[0], shared)

    def _visible(self, models: Sequence[ChartModel]) -> Sequence[ChartModel]:
        """The charts for which there is room, from the chosen one on."""
        if not models:
            return ()
        if self._is_narrow:
            return (models[self._first % len(models)],)
        room = self.query_one("#board-charts").content_region.height - TIME_ROWS
        count = max(1, min(len(models), room // LEAST_CHART_ROWS))
        first = min(self._first, len(models) - count)
        return models[first : first + count]

    def _heights(self, models: Sequence[ChartModel], height: int) -> list[int]:
        """Rows for each; a chart without a reading is only a line that says why."""
        if self._is_narrow:
            spare = self.app.size.height - 2 - TIME_ROWS - len(CHART_KEYS) - 6
            return [max(NARROW_CHART_ROWS, spare)] * len(models)
        is_short = [bool(model.absent) and model.key != "answers" for model in models]
        room = height - TIME_ROWS - ABSENT_CHART_ROWS * sum(is_short)
        drawn = max(1, len(models) - sum(is_short))
        rows, rest = divmod(max(room, drawn * 3), drawn)
        heights: list[int] = []
        for short in is_short:
            heights.append(ABSENT_CHART_ROWS if short else rows + (rest > 0))
            rest -= not short and rest > 0
        return heights

    @property
    def _is_colourless(self) -> bool:
        """Whether all curves would look alike."""
        variables = self.app.theme_variables
        return self.app.no_color or variables["live"] == variables["foreground"]

    def _show_facts(self) -> None:
        facts, glyphs = self._facts, self._glyphs
        width = self.query_one("#facts-why", Rows).size.width
        if width < 1:
            return
        findings = facts.findings
        self._chosen = min(self._chosen, max(0, len(findings) - 1))
        rows, self._owner = finding_rows(findings, self._chosen, self._open_rules(), width, glyphs)
        snapshot = self._backend.board.history.latest
        if snapshot is None:
            rows, self._owner = [(("why slow", "strong"),), (("reading the board ...", "dim"),)], []
        self.query_one("#facts-why", Rows).show(rows)
        self.query_one("#facts-decode", Rows).show(decode_rows(facts.decode, width, glyphs))
        self.query_one("#facts-ahead", Rows).show(
            headroom_rows(facts.trend, snapshot, width, glyphs)
        )
        self.query_one("#facts-load", Rows).show(load_rows(self._backend.board.load, width))
        self.query_one("#facts-missing", Rows).show(
            missing_rows(snapshot, facts.remedies, width, glyphs)
        )

    def _show_readings(self) -> None:
        rows = self.query_one("#reading-rows", Rows)
        if rows.size.width:
            history = self._backend.board.history
            rows.show(reading_rows(history, rows.size.width, self._glyphs))

    # Actions -----------------------------------------------------------------------------------

    def action_back(self) -> None:
        """One step back: from the crosshair to now, from the readings to the charts, then out of
        the screen."""
        if self._cursor_ns is not None and not self.has_class("-readings"):
            self._cursor_ns = None
            self.redraw()
        elif self.has_class("-readings"):
            self.action_readings()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        self.dismiss()

    def action_step(self, step: int) -> None:
        """Another chart."""
        self._first = (self._first + step) % len(CHART_KEYS)
        self.redraw()

    def action_zoom(self, step: int) -> None:
        """A shorter (1) or a longer (-1) time."""
        self._window = min(max(self._window_at - step, 0), len(WINDOWS_MIN) - 1)
        self.redraw()

    def action_point(self, columns: int) -> None:
        """Move the crosshair, which begins at the newest column; beyond that it is gone."""
        shared = self._frame
        if shared is None or self.has_class("-readings"):
            return
        newest = min(shared.cell_of(shared.end_ns - 1), shared.cells - 1)
        at = newest + 1 if shared.cursor is None else shared.cursor
        at = max(at + columns, 0)
        self._cursor_ns = None if at > newest else shared.axis.time_of(at * shared.per_cell)
        self.redraw()

    def on_chart_pointed(self, event: Chart.Pointed) -> None:
        self._cursor_ns = event.t_ns
        self.redraw()

    def action_choose(self, step: int) -> None:
        """Another finding; among the readings, another line."""
        if self.has_class("-readings"):
            self.query_one("#board-readings").scroll_relative(y=step, animate=False)
            return
        count = len(self._facts.findings)
        if count:
            self._chosen = (self._chosen + step) % count
            self._show_facts()

    def action_open(self) -> None:
        """Open or close the chosen finding."""
        finding = self._finding()
        if finding is not None:
            self._opened = self._open_rules() ^ {finding.rule}
            self._show_facts()

    def action_copy(self) -> None:
        """The command of the chosen finding to the clipboard."""
        finding = self._finding()
        if finding is None or finding.command is None:
            self._say("there is no command to copy", "warn")
        else:
            self._say(self._copy(finding.command, "the command"))

    def action_page(self, step: int) -> None:
        name = "#board-readings" if self.has_class("-readings") else "#board-body"
        if name == "#board-body" and not self._is_narrow:
            name = "#board-facts"
        area = self.query_one(name)
        area.scroll_relative(y=step * max(1, area.size.height - 2), animate=False)

    def action_readings(self) -> None:
        """Every reading instead of the charts, and back."""
        self.toggle_class("-readings")
        self.query_one("#board-keys", MessageBar).set_hints(self._hints)
        self.call_after_refresh(self.redraw)

    def action_calculator(self) -> None:
        board = self._backend.board
        calculator = RamCalculator(self._facts.model, lambda: board.history, self._glyphs)
        self.app.push_screen(calculator)

    def _open_rules(self) -> frozenset[str]:
        """What is open: at first the worst one, where there is room for it."""
        if self._opened is not None or self._is_narrow:
            return self._opened or frozenset()
        wrong = [finding.rule for finding in self._facts.findings if finding.weight == "act"]
        return frozenset(wrong[:1])

    def _finding(self) -> Finding | None:
        findings = self._facts.findings
        return findings[self._chosen] if self._chosen < len(findings) else None

    def _say(self, text: str, role: str = "soft") -> None:
        self.query_one("#board-keys", MessageBar).say(text, role)

    def on_click(self, event: events.Click) -> None:
        rows = self.query_one("#facts-why", Rows)
        if event.widget is rows and event.y < len(self._owner) and self._owner[event.y] >= 0:
            self._chosen = self._owner[event.y]
            self.action_open()

    async def on_key_bar_chosen(self, event: MessageBar.Chosen) -> None:
        await self.run_action(event.action)
