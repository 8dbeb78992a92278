"""A panel of the dashboard over the whole screen: its curves, and what each figure is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from tui.core.screen.backend import ScreenBackend
from tui.core.screen.explanations import (
    PanelName,
    reading_explanations,
    speed_explanations,
)
from tui.core.screen.keymap import Place
from tui.core.screen.keys.panel import PANEL_SCREEN_KEYS
from tui.core.screen.last_answers import LastAnswer
from tui.core.screen.panel_rows import USUAL_CHART
from tui.core.text.glyphs import Glyphs
from tui.screens.chat.figures import ChatFigures
from tui.screens.live_page import LivePage
from tui.widgets.board.chart import WINDOWS_MIN, Chart, axis_row, fitting_window, frame
from tui.widgets.board.curves import ChartModel, board_charts
from tui.widgets.chat.answers import AnswersPanel
from tui.widgets.chat.explained import explained_rows
from tui.widgets.chat.header import Header
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.chat.speed import SpeedPanel
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Row, Rows
from tui.widgets.kit.rows_panel import RowsPanel

CHARTS: Mapping[PanelName, tuple[str, ...]] = {
    "npu": ("npu", "clocks"),
    "memory": ("ram",),
    "board": ("ddr", "heat"),
}
MOST_CHARTS = 2
SPEED_ROWS = 7
LEAST_CHART_ROWS = 5
LEAST_WHY_ROWS = 6
"""What explains the figures gets so many rows before the curve gets any."""


class PanelScreen(LivePage):
    """One panel; the keys of the panels go from one to the other."""

    DEFAULT_CSS = """
    PanelScreen #large { height: auto; padding: 0 1; }
    PanelScreen #time { padding: 0 1; height: auto; }
    PanelScreen Chart, PanelScreen #answers { padding: 0 1; }
    PanelScreen #why { height: 1fr; padding: 0 1; }
    PanelScreen #explained { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings(PANEL_SCREEN_KEYS)
    HELP_PLACE: ClassVar[Place] = "panel"
    HINTS = (
        HintOf("back", "panel.back"),
        HintOf("speed", "panel.speed"),
        HintOf("npu", "panel.npu"),
        HintOf("memory", "panel.memory"),
        HintOf("board", "panel.board"),
        HintOf("answers", "panel.answers"),
        HintOf("scroll", "panel.up", "panel.down"),
    )
    ANSWER_HINTS = (
        HintOf("timeline", "panel.open"),
        HintOf("choose", "panel.up", "panel.down"),
        *HINTS[:-1],
    )

    def __init__(
        self,
        backend: ScreenBackend,
        figures: ChatFigures,
        answers: Callable[[], Sequence[LastAnswer]],
        panel: PanelName,
        glyphs: Glyphs,
    ) -> None:
        super().__init__(backend.headline, glyphs)
        self._backend = backend
        self._figures = figures
        self._answers = answers
        self.panel: PanelName = panel

    def compose(self) -> ComposeResult:
        figures, glyphs = self._figures, self.glyphs
        yield from self.compose_header()
        yield SpeedPanel(
            figures.stats, figures.outlook, figures.note, figures.timeline, glyphs, id="large"
        )
        for number in range(MOST_CHARTS):
            yield Chart(glyphs, id=f"chart-{number}")
        yield Rows(glyphs, id="time")
        yield AnswersPanel(self._answers, glyphs, id="answers")
        with VerticalScroll(id="why", classes="ruled", can_focus=False):
            yield RowsPanel(self._explained, glyphs, id="explained")
        yield from self.compose_keys()

    def on_mount(self) -> None:
        self._show_panel()

    def on_resize(self, event: events.Resize) -> None:
        self._show_panel()

    def _show_panel(self) -> None:
        """The widgets of the panel, with the rows that each of them gets."""
        speed = self.query_one("#large", SpeedPanel)
        answers = self.query_one(AnswersPanel)
        height = self.app.size.height - 2
        charts = CHARTS.get(self.panel, ())
        speed.display = self.panel == "speed"
        answers.display = self.panel == "answers"
        self.query_one("#why").display = self.panel != "answers"
        self.query_one("#time").display = bool(charts)
        # The curve gets half of the screen, what explains the figures the other one.
        least = min(USUAL_CHART, height - SPEED_ROWS - LEAST_WHY_ROWS)
        speed.chart_rows = max(height // 2 - SPEED_ROWS, least, 0)
        answers.count = max(height - 1, 1)
        if self.panel == "answers":
            answers.chosen = answers.chosen or 0
        for number in range(MOST_CHARTS):
            chart = self.query_one(f"#chart-{number}", Chart)
            chart.display = number < len(charts)
            rows = height // 2 // max(len(charts), 1)
            chart.styles.height = max(rows, LEAST_CHART_ROWS)
        self.show_hints(self.ANSWER_HINTS if self.panel == "answers" else self.HINTS)
        self.query_one("#why").scroll_home(animate=False)
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Bring everything up to date that is seen now."""
        if self.is_covered or not self.is_mounted:
            return
        self.query_one(Header).refresh_rows()
        if self.panel == "speed":
            self.query_one("#large", Rows).refresh_rows()
        elif self.panel == "answers":
            self.query_one(AnswersPanel).refresh_rows()
        else:
            self._show_charts()
        self.query_one("#explained", RowsPanel).refresh_rows()

    def _show_charts(self) -> None:
        board = self._backend.board
        facts = board.facts
        first = self.query_one("#chart-0", Chart)
        width = first.size.width
        if width < 1:
            return
        marks = () if facts is None else facts.answers
        now_ns = self._backend.clock_ns()
        window_ns = 60_000_000_000 * WINDOWS_MIN[fitting_window(board.history.begun_ns, now_ns)]
        shared = frame(now_ns, window_ns, width, marks, self.glyphs)
        models = {one.key: one for one in board_charts(board.history, marks, shared.axis.start_ns)}
        for number, key in enumerate(CHARTS[self.panel]):
            model: ChartModel | None = models.get(key)
            if model is not None:
                self.query_one(f"#chart-{number}", Chart).show_model(model, shared)
        self.query_one("#time", Rows).show([axis_row(shared, window_ns)])

    def _explained(self, width: int, _: int) -> list[Row]:
        """What the figures are, folded to the width that there is."""
        if self.panel == "speed":
            found = speed_explanations(self._figures.stats())
        else:
            found = reading_explanations(self.panel, self._backend.board.history.latest)
        return explained_rows(found, width, self.glyphs)

    # Keys -----------------------------------------------------------------------------------

    def action_panel(self, panel: PanelName) -> None:
        """Another panel; the key of this one goes back."""
        if panel == self.panel:
            self.action_back()
        else:
            self.panel = panel
            self._show_panel()

    def action_move(self, rows: int) -> None:
        """Choose another answer, or scroll what explains the figures."""
        if self.panel == "answers":
            self.query_one(AnswersPanel).choose(rows)
        else:
            self.query_one("#why").scroll_relative(y=rows, animate=False)

    def action_open(self) -> None:
        """The timeline of the chosen answer."""
        if self.panel == "answers":
            answers = self.query_one(AnswersPanel)
            answers.open_chosen()
