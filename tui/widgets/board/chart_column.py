"""The charts of the board screen, one below the other on one time axis with one crosshair."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from tui.core.board.answer_log import AnswerMark
from tui.core.board.history import BoardHistory
from tui.core.text.glyphs import Glyphs
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
from tui.widgets.kit.rows import Row, Rows

MINUTE_NS = 60_000_000_000
CHART_KEYS = ("answers", "npu", "ddr", "clocks", "heat", "ram")
LEAST_CHART_ROWS = 5
ABSENT_CHART_ROWS = 1
NARROW_CHART_ROWS = 8
TIME_ROWS = 2
SPARK_COLUMNS = 10
"""Room for a value at the right of each spark."""


class ChartColumn(Vertical):
    """As many charts as there is room for; in a narrow terminal one, and a spark for each."""

    DEFAULT_CSS = """
    ChartColumn { width: 1fr; height: 100%; padding: 0 1; overflow: hidden hidden; }
    """

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self.is_narrow = False
        self.cursor_ns: int | None = None
        """Where the crosshair stands; None is now."""
        self._window: int | None = None
        """None is all that is known, rounded up."""
        self._fitting_window = 0
        self._frame: Frame | None = None
        self._first = 0

    def compose(self) -> ComposeResult:
        glyphs = self._glyphs
        yield Rows(glyphs, id="board-notice")
        for key in CHART_KEYS:
            yield Chart(glyphs, id=f"chart-{key}")
        yield Rows(glyphs, id="board-time")
        yield Rows(glyphs, id="board-sparks")

    def draw(self, history: BoardHistory, marks: Sequence[AnswerMark], now_ns: int) -> None:
        """Show these samples and answers; only charts that look different are drawn anew."""
        width, glyphs = self.content_region.width, self._glyphs
        if width < 1:
            return
        self._fitting_window = fitting_window(history.begun_ns, now_ns)
        window_ns = WINDOWS_MIN[self._window_at] * MINUTE_NS
        shared = frame(
            now_ns,
            window_ns,
            width,
            marks,
            glyphs,
            right=SPARK_COLUMNS if self.is_narrow else 0,
            is_colourless=self._is_colourless,
            cursor_ns=self.cursor_ns,
        )
        self._frame = shared
        models = board_charts(history, marks, shared.axis.start_ns)
        notice: list[Row] = [] if models else [(("reading the board ...", "dim"),)]
        self.query_one("#board-notice", Rows).show(notice)
        self._arrange(models, self.content_region.height, shared)
        self.query_one("#board-time", Rows).show(
            [answer_row(shared), axis_row(shared, window_ns)] if models else []
        )
        if self.is_narrow:
            seen = {model.key for model in self._visible(models)}
            self.query_one("#board-sparks", Rows).show(
                [spark_row(model, shared, model.key in seen, width) for model in models]
            )

    @property
    def _window_at(self) -> int:
        """Which of the windows is shown."""
        return self._fitting_window if self._window is None else self._window

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
        if self.is_narrow:
            return (models[self._first % len(models)],)
        room = self.content_region.height - TIME_ROWS
        count = max(1, min(len(models), room // LEAST_CHART_ROWS))
        first = min(self._first, len(models) - count)
        return models[first : first + count]

    def _heights(self, models: Sequence[ChartModel], height: int) -> list[int]:
        """Rows for each; a chart without a reading is only a line that says why."""
        if self.is_narrow:
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

    def step(self, step: int) -> None:
        """Begin with another chart at the next drawing."""
        self._first = (self._first + step) % len(CHART_KEYS)

    def zoom(self, step: int) -> None:
        """A shorter (1) or a longer (-1) time at the next drawing."""
        self._window = min(max(self._window_at - step, 0), len(WINDOWS_MIN) - 1)

    def point(self, columns: int) -> None:
        """Move the crosshair, which begins at the newest column; beyond that it is gone."""
        shared = self._frame
        if shared is None:
            return
        newest = min(shared.cell_of(shared.end_ns - 1), shared.cells - 1)
        at = newest + 1 if shared.cursor is None else shared.cursor
        at = max(at + columns, 0)
        self.cursor_ns = None if at > newest else shared.axis.time_of(at * shared.per_cell)
