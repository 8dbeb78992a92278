"""The matrix of a run, which fills while answers stream."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.core.screen.keys.lab import LAB_MATRIX_KEYS
from tui.core.text.glyphs import Glyphs
from tui.lab.model.matrix import CellKey, LabAnswer, MatrixColumn, MatrixRow
from tui.lab.model.screen import OpenLab
from tui.lab.model.variant_figures import share_text
from tui.screens.lab.page import LabData, LabPage
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Row
from tui.widgets.kit.rows_panel import RowsPanel
from tui.widgets.lab.matrix import (
    SORTS,
    MatrixPlace,
    figure_rows,
    matrix_rows,
    preview_title,
    shown_columns,
    shown_rows,
    title_rows,
)
from tui.widgets.lab.sides import said, side_rows

POLL_S = 0.5
SURE_S = 4.0
"""A second x within this time stops the run."""
PREVIEW_CHARS = 3000
TAIL_CHARS = 900
"""Characters of a running answer that are shown in the preview."""
MAX_SIDES = 3


class LabMatrixScreen(LabPage):
    """Follows the run. Leaving does not end it."""

    DEFAULT_CSS = """
    LabMatrixScreen #title { height: 2; margin-top: 1; }
    LabMatrixScreen #matrix { height: 4; }
    LabMatrixScreen #figures { height: 3; }
    LabMatrixScreen #preview { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings(LAB_MATRIX_KEYS)
    HINTS = (
        HintOf("open", "lab.open"),
        HintOf("side by side", "lab.compare"),
        HintOf("judge", "lab.judge"),
        HintOf("use", "lab.use"),
        HintOf("back", "lab.back"),
        HintOf("help", "help"),
        HintOf("mark", "lab.mark"),
        HintOf("failed", "lab.failed"),
        HintOf("sort", "lab.sort"),
        HintOf("export", "lab.export"),
    )
    RUNNING_HINTS = (
        HintOf("open", "lab.open"),
        HintOf("pause", "lab.pause"),
        HintOf("skip", "lab.skip"),
        HintOf("stop", "lab.stop"),
        HintOf("side by side", "lab.compare"),
        HintOf("back", "lab.back"),
        HintOf("help", "help"),
    )

    def __init__(self, data: LabData, glyphs: Glyphs) -> None:
        super().__init__(data, glyphs)
        self._open: OpenLab | None = None
        self._place = MatrixPlace()
        self._problem = ""
        self._is_polling = False
        self._is_running_shown = False
        self._stop_asked_s = 0.0

    def compose(self) -> ComposeResult:
        glyphs = self.glyphs
        yield from self.compose_header()
        yield RowsPanel(self._title, glyphs, id="title")
        yield RowsPanel(self._table, glyphs, id="matrix")
        yield RowsPanel(self._figures, glyphs, id="figures", classes="ruled")
        yield RowsPanel(self._preview, glyphs, id="preview")
        yield from self.compose_keys()

    def on_mount(self) -> None:
        # Not a worker: each would be three messages more, twice a second.
        self.set_interval(POLL_S, self._look)
        self.run_worker(self._look(), group="poll")

    def on_screen_resume(self) -> None:
        self.run_worker(self._look(), group="poll")

    def pull(self) -> None:
        """The table takes what it needs, at most half of the screen; the answer has the rest."""
        height = max(4, min(len(self._rows) + 1, self.size.height // 2))
        panel = self.query_one("#matrix")
        if panel.styles.height is None or panel.styles.height.value != height:
            panel.styles.height = height
        super().pull()

    # What is shown --------------------------------------------------------------------------

    async def _look(self) -> None:
        if self.is_covered or self._is_polling:
            return
        self._is_polling = True
        try:
            found, problem = await self.ask(self._asked) or (None, None)
        finally:
            self._is_polling = False
        if problem:
            self._problem = problem
        is_new = found is not None and (self._open is None or found.serial != self._open.serial)
        self._open = found or self._open
        if is_new or problem:
            self._show_running()
            self.pull()

    def _asked(self) -> tuple[OpenLab | None, str | None]:
        """The run, and why there is none: both in one go, off the app's thread."""
        found = self.session.poll()
        is_running = found is not None and found.is_running
        return found, None if is_running else self.session.why_not_begun()

    def _show_running(self) -> None:
        is_running = self._open is not None and self._open.is_running
        if is_running != self._is_running_shown:
            self._is_running_shown = is_running
            self.show_hints(self.RUNNING_HINTS if is_running else self.HINTS)

    def _title(self, width: int, _: int) -> list[Row]:
        if self._open is None:
            words = self._problem or "starting: looking for the server ..."
            return [((f" {words}", "warn" if self._problem else "dim"),), ()]
        return title_rows(self._open, self._place, width, self._problem)

    def _table(self, width: int, height: int) -> list[Row]:
        if self._open is None:
            return [()]
        return matrix_rows(self._open, self._place, width, height, self.glyphs)

    def _figures(self, width: int, _: int) -> list[Row]:
        column, opened = self._column, self._open
        if opened is None or column is None:
            return [(), ()]
        found = next((one for one in opened.figures if one.variant == column.id), None)
        agreement = ""
        if opened.agreement is not None:
            agreement = f"  two passes agree in {share_text(opened.agreement.same)}"
        return figure_rows(found, column, agreement, width)

    def _preview(self, width: int, height: int) -> list[Row]:
        """The end of a running answer, the beginning of one that is over."""
        answers, row = self._answers, self._row
        title = preview_title(row, answers, width, self.glyphs)
        answer = next((a for a in answers if a.state == "running"), answers[0] if answers else None)
        if answer is None:
            return [title]
        is_running = answer.state == "running"
        text = said(answer)
        text = text[-TAIL_CHARS:] if is_running else text[:PREVIEW_CHARS]
        rows = side_rows(text, (), max(10, width - 4)) if text else []
        room = max(0, height - 1)
        kept = rows[-room:] if is_running and room else rows[:room]
        indented: list[Row] = [(("  ", "text"), *line) for line in kept]
        return [title, *indented, *[()] * (room - len(indented))]

    @property
    def _rows(self) -> tuple[MatrixRow, ...]:
        return () if self._open is None else shown_rows(self._open.matrix, self._place)

    @property
    def _columns(self) -> tuple[MatrixColumn, ...]:
        return () if self._open is None else shown_columns(self._open.matrix, self._place)

    @property
    def _row(self) -> MatrixRow | None:
        rows = self._rows
        return rows[min(self._place.row, len(rows) - 1)] if rows else None

    @property
    def _column(self) -> MatrixColumn | None:
        columns = self._columns
        return columns[min(self._place.column, len(columns) - 1)] if columns else None

    @property
    def _cell(self) -> CellKey | None:
        row, column = self._row, self._column
        return None if row is None or column is None else (row.id, column.id)

    @property
    def _answers(self) -> tuple[LabAnswer, ...]:
        cell = self._cell
        return () if cell is None or self._open is None else self._open.matrix.cell(*cell)

    # Keys -----------------------------------------------------------------------------------

    def _take(self, place: MatrixPlace) -> None:
        self._place = place
        self.pull()

    def action_move(self, step: int) -> None:
        last = max(0, len(self._rows) - 1)
        self._take(replace(self._place, row=max(0, min(last, self._place.row + step))))

    def action_turn(self, step: int) -> None:
        last = max(0, len(self._columns) - 1)
        self._take(replace(self._place, column=max(0, min(last, self._place.column + step))))

    def action_open(self) -> None:
        if self._cell is not None:
            self.post_message(self.OpenAnswer(self, self._cell))

    def action_mark(self) -> None:
        cell, marked = self._cell, self._place.marked
        if cell is None:
            return
        if cell in marked:
            marked = tuple(one for one in marked if one != cell)
        elif len(marked) >= MAX_SIDES:
            self.say(f"{MAX_SIDES} answers are marked; they fill the screen", "warn")
        else:
            marked = (*marked, cell)
        self._take(replace(self._place, marked=marked))

    def action_compare(self) -> None:
        cells: Sequence[CellKey] = self._place.marked
        row, columns = self._row, self._columns
        if len(cells) < 2 and row is not None:
            at = min(self._place.column, max(0, len(columns) - MAX_SIDES))
            cells = [(row.id, column.id) for column in columns[at : at + MAX_SIDES]]
        if len(cells) < 2:
            self.say(f"mark two answers with {self.key('lab.mark')} first", "warn")
        else:
            self.post_message(self.OpenSides(self, cells))

    def action_failed(self) -> None:
        self._take(replace(self._place, only_failed=not self._place.only_failed, row=0))

    def action_only(self) -> None:
        column = self._column
        if column is None:
            return
        columns = () if self._open is None else self._open.matrix.columns
        only = None if self._place.only_variant else column.id
        at = 0 if only else next((n for n, c in enumerate(columns) if c.id == column.id), 0)
        self._take(replace(self._place, only_variant=only, column=at))

    def action_sort(self) -> None:
        at = (SORTS.index(self._place.sort) + 1) % len(SORTS)
        self._take(replace(self._place, sort=SORTS[at], row=0))
        words = "as in the set" if not at else f"sorted by {SORTS[at]} of the chosen variant"
        self.say(words)

    def action_judge(self) -> None:
        if self._open is not None:
            self.post_message(self.OpenJudging(self))

    async def action_use(self) -> None:
        cell = self._cell
        if cell is None:
            return
        row, variant = cell
        settings = await self.ask(lambda: self.session.settings_of(variant, row))
        if settings is not None:
            self.post_message(self.Use(self, settings, variant))

    async def action_pause(self) -> None:
        self.say(await self.ask(lambda: self.session.tell("pause")) or "")

    async def action_skip(self) -> None:
        self.say(await self.ask(lambda: self.session.tell("skip")) or "")

    async def action_abort(self) -> None:
        if time.monotonic() - self._stop_asked_s > SURE_S:
            self._stop_asked_s = time.monotonic()
            self.say(f"{self.key('lab.stop')} again stops it (answers kept, resumable)", "warn")
            return
        self.say(await self.ask(lambda: self.session.tell("abort")) or "")

    async def action_retry(self) -> None:
        opened = self._open
        if opened is None or opened.is_running or opened.outcome == "complete":
            self.say("nothing is missing, or the run is still running")
            return
        refusal = await self.ask(lambda: self.session.resume(opened.run_id))
        self.say(refusal or "the run continues", "warn" if refusal else "soft")

    async def action_export(self) -> None:
        opened = self._open
        if opened is not None:
            self.say(await self.ask(lambda: self.session.export(opened.run_id)) or "")
