"""F5: the whole board on one time axis, why it is slow, what fits, and every reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, VerticalScroll
from textual.message import Message

from tui.core.board.board_facts import BoardFacts
from tui.core.board.finding import Finding
from tui.core.screen.backend import ScreenBackend
from tui.core.screen.keymap import Place
from tui.core.screen.keys.board import BOARD_KEYS
from tui.core.screen.keys.table import closing
from tui.core.text.glyphs import Glyphs
from tui.screens.live_page import LivePage
from tui.screens.ram_calculator import RamCalculator
from tui.widgets.board.chart import Chart
from tui.widgets.board.chart_column import ChartColumn
from tui.widgets.board.facts import reading_rows
from tui.widgets.board.facts_column import FactsColumn
from tui.widgets.chat.header import Header
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import AsciiScrollBar, Rows
from tui.widgets.kit.too_small import TooSmall

WIDE_HINTS: tuple[HintOf, ...] = (
    HintOf("back", "board.back"),
    HintOf("moment", "board.cursor_before", "board.cursor_next"),
    HintOf("time", "board.zoom_in", "board.zoom_out"),
    HintOf("finding", "board.up", "board.down"),
    HintOf("open", "board.open"),
    HintOf("fix", "board.fix"),
    HintOf("copy", "board.copy"),
    HintOf("readings", "board.readings"),
    HintOf("what fits", "board.calculator"),
    HintOf("explain", "explain"),
    HintOf("help", "help"),
)
NARROW_HINTS: tuple[HintOf, ...] = (
    HintOf("back", "board.back"),
    HintOf("chart", "board.chart_before", "board.chart_next", is_short=True),
    HintOf("moment", "board.cursor_before", "board.cursor_next", is_short=True),
    HintOf("time", "board.zoom_in", "board.zoom_out", is_short=True),
    HintOf("why", "board.open"),
    HintOf("fix", "board.fix"),
    HintOf("readings", "board.readings"),
    HintOf("RAM", "board.calculator"),
    HintOf("more", "board.page_down", is_short=True),
)
FOR_FINDINGS = frozenset({"finding", "open", "why", "copy"})
"""Hints that name nothing where there is no finding."""
READING_HINTS: tuple[HintOf, ...] = (
    HintOf("back", "board.back"),
    HintOf("scroll", "board.up", "board.down"),
    HintOf("page", "board.page_down", is_short=True),
    HintOf("charts", "board.readings"),
    HintOf("what fits", "board.calculator"),
)

WIDE_COLUMNS = 100
BROAD_COLUMNS = 160
"""Width from which the sentences beside the charts have longer lines."""


class BoardScreen(LivePage):
    """Charts and facts side by side, one below the other where it is narrow; or all readings."""

    DEFAULT_CSS = """
    BoardScreen #board-body { height: 1fr; layout: horizontal; }
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
    BoardScreen.-broad #board-facts { width: 64; }
    BoardScreen.-ascii #board-facts { border-left: ascii $rule; }
    BoardScreen.-ascii.-narrow #board-facts { border-left: none; }
    BoardScreen.-tiny > * { display: none; }
    BoardScreen.-tiny TooSmall { display: block; }
    """

    # With priority, because what scrolls would take some of these for itself.
    BINDINGS: ClassVar[list[BindingType]] = bindings([closing("board"), *BOARD_KEYS])
    HELP_PLACE: ClassVar[Place] = "board"
    HINTS = WIDE_HINTS

    @dataclass
    class WantsFix(Message):
        """The chosen finding is to be fixed, or, without one, what was fixed is to be undone."""

        page: BoardScreen
        finding: Finding | None

    def __init__(
        self,
        backend: ScreenBackend,
        copy: Callable[[str, str], str],
        glyphs: Glyphs,
        *,
        no_fix: str = "",
    ) -> None:
        """``copy`` puts a text into the clipboard and gives the sentence that says where it is.
        ``no_fix``: why nothing of this board can be fixed from here."""
        super().__init__(backend.headline, glyphs)
        self._backend = backend
        self._copy = copy
        self._no_fix = no_fix
        self._has_finding = False
        self.draws = 0
        """Number of redraws, as a measure of cost."""

    def compose(self) -> ComposeResult:
        yield from self.compose_header()
        with Container(id="board-body"):
            yield ChartColumn(self.glyphs, id="board-charts")
            yield FactsColumn(self.glyphs, id="board-facts")
        with VerticalScroll(id="board-readings", can_focus=False):
            yield Rows(self.glyphs, id="reading-rows")
        yield from self.compose_keys()
        yield TooSmall()

    def on_mount(self) -> None:
        if self.glyphs.is_ascii:
            for name in ("#board-body", "#board-facts", "#board-readings"):
                bar = self.query_one(name).vertical_scrollbar
                bar.renderer = AsciiScrollBar  # type: ignore[misc]  # per bar, not for all
        self._choose_shape()

    def on_resize(self, event: events.Resize) -> None:
        self._choose_shape()
        self.call_after_refresh(self.redraw)

    def _choose_shape(self) -> None:
        is_narrow = self.app.size.width < WIDE_COLUMNS
        self.set_class(is_narrow, "-narrow")
        self.set_class(self.app.size.width >= BROAD_COLUMNS, "-broad")
        self.query_one(TooSmall).look(self.app.size)
        self._charts.is_narrow = self._findings.is_narrow = is_narrow
        self._show_keys()

    def _show_keys(self) -> None:
        hints = NARROW_HINTS if self.has_class("-narrow") else WIDE_HINTS
        self._has_finding = self._findings.chosen is not None
        if not self._has_finding:
            hints = tuple(hint for hint in hints if hint.label not in FOR_FINDINGS)
        self.show_hints(READING_HINTS if self._is_at_readings else hints)

    @property
    def _charts(self) -> ChartColumn:
        return self.query_one(ChartColumn)

    @property
    def _findings(self) -> FactsColumn:
        return self.query_one(FactsColumn)

    @property
    def _is_at_readings(self) -> bool:
        return self.has_class("-readings")

    @property
    def _facts(self) -> BoardFacts:
        return self._backend.board.facts or BoardFacts()

    # Drawing -----------------------------------------------------------------------------------

    def redraw(self) -> None:
        """Updates everything visible."""
        if self.is_covered or not self.is_mounted or self.has_class("-tiny"):
            return
        self.draws += 1
        self.query_one(Header).refresh_rows()
        board, facts = self._backend.board, self._facts
        if self._is_at_readings:
            rows = self.query_one("#reading-rows", Rows)
            if rows.size.width:
                rows.show(reading_rows(board.history, rows.size.width, self.glyphs))
            return
        self._charts.draw(board.history, facts.answers, self._backend.clock_ns())
        self._findings.draw(facts, board.history.latest, board.load)
        if self._has_finding != (self._findings.chosen is not None):
            self._show_keys()

    # Actions -----------------------------------------------------------------------------------

    def action_back(self) -> None:
        """One step back: from the crosshair to now, from the readings to the charts, then out of
        the screen."""
        if self._is_at_readings:
            self.action_readings()
        elif self._charts.cursor_ns is not None:
            self._charts.cursor_ns = None
            self.redraw()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        self.dismiss()

    def action_step(self, step: int) -> None:
        """Another chart."""
        self._charts.step(step)
        self.redraw()

    def action_zoom(self, step: int) -> None:
        """A shorter (1) or a longer (-1) time."""
        self._charts.zoom(step)
        self.redraw()

    def action_point(self, columns: int) -> None:
        """Move the crosshair."""
        if not self._is_at_readings:
            self._charts.point(columns)
            self.redraw()

    def on_chart_pointed(self, event: Chart.Pointed) -> None:
        self._charts.cursor_ns = event.t_ns
        self.redraw()

    def action_choose(self, step: int) -> None:
        """Another finding; among the readings, another line."""
        if self._is_at_readings:
            self.query_one("#board-readings").scroll_relative(y=step, animate=False)
        else:
            self._findings.choose(step)

    def action_open(self) -> None:
        """Open or close the chosen finding."""
        self._findings.toggle()

    def action_copy(self) -> None:
        """The command of the chosen finding to the clipboard."""
        finding = self._findings.chosen
        if finding is None or finding.command is None:
            self.say("there is no command to copy", "warn")
        else:
            self.say(self._copy(finding.command, "the command"))

    def action_fix(self) -> None:
        """Ask whether the chosen finding is to be fixed."""
        if self._no_fix:
            self.say(self._no_fix, "warn")
        else:
            self.post_message(self.WantsFix(self, self._findings.chosen))

    def action_page(self, step: int) -> None:
        name = "#board-readings" if self._is_at_readings else "#board-body"
        if name == "#board-body" and not self.has_class("-narrow"):
            name = "#board-facts"
        area = self.query_one(name)
        area.scroll_relative(y=step * max(1, area.size.height - 2), animate=False)

    def action_readings(self) -> None:
        """Every reading instead of the charts, and back."""
        self.toggle_class("-readings")
        self._show_keys()
        self.call_after_refresh(self.redraw)

    def action_explain(self) -> None:
        """The main readings: as exact as the board gave them, and where from."""
        from tui.core.screen.explanations import board_explanations
        from tui.screens.explain import ExplainScreen

        found = board_explanations(self._backend.board.history.latest)
        self.app.push_screen(ExplainScreen("of the board", found, self.glyphs))

    def action_calculator(self) -> None:
        board = self._backend.board
        calculator = RamCalculator(self._facts.model, lambda: board.history, self.glyphs)
        self.app.push_screen(calculator)
