"""Two or three answers side by side, the words that differ marked; they scroll together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from tui.core.screen.keys.lab import LAB_SIDES_KEYS
from tui.core.text.glyphs import Glyphs
from tui.core.text.sanitize import clean_line
from tui.lab.model.differences import differing_all
from tui.lab.model.matrix import CellKey, LabAnswer
from tui.screens.lab.page import LabData, LabPage
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Row, Rows, fit
from tui.widgets.kit.rows_panel import RowsPanel
from tui.widgets.lab.sides import beside, column_width, number_rows, said, side_rows

MIN_COLUMN = 34


class LabSidesScreen(LabPage):
    """As many columns as there is room for; Left and Right show the others."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(LAB_SIDES_KEYS)
    HINTS = (
        HintOf("scroll all", "lab.up", "lab.down"),
        HintOf("other answers", "lab.left", "lab.right"),
        HintOf("back", "lab.back"),
        HintOf("help", "help"),
    )
    DEFAULT_CSS = """
    LabSidesScreen #names { height: 1; margin-top: 1; }
    LabSidesScreen #words { height: 1fr; scrollbar-size-vertical: 1; }
    LabSidesScreen #numbers { height: 4; }
    """

    def __init__(self, data: LabData, glyphs: Glyphs, cells: Sequence[CellKey]) -> None:
        super().__init__(data, glyphs)
        self._cells = tuple(cells)
        self._answers: tuple[LabAnswer, ...] = ()
        self._first = 0
        self._kept: tuple[int, int, list[Row]] | None = None
        """Width, first answer, and the rows: they do not change, and answers may be long."""

    def compose(self) -> ComposeResult:
        yield from self.compose_header()
        yield RowsPanel(self._names, self.glyphs, id="names")
        with VerticalScroll(id="words", classes="ruled", can_focus=False):
            yield RowsPanel(self._words, self.glyphs, id="word-rows")
        yield RowsPanel(self._numbers, self.glyphs, id="numbers", classes="ruled")
        yield from self.compose_keys()

    def on_mount(self) -> None:
        async def run() -> None:
            opened = await self.ask(self.session.poll)
            if opened is not None:
                self._answers = tuple(opened.matrix.cell(*cell)[0] for cell in self._cells)
                self._kept = None
                self.query_one("#word-rows", Rows).refresh(layout=True)
                self.pull()

        self.run_worker(run(), group="read", exclusive=True)

    @property
    def _count(self) -> int:
        return max(1, min(len(self._cells), self.app.size.width // MIN_COLUMN))

    def _shown(self) -> range:
        first = max(0, min(self._first, len(self._cells) - self._count))
        return range(first, first + self._count)

    def _names(self, width: int, _: int) -> list[Row]:
        each = column_width(width, self._count)
        rows_alike = len({row for row, _ in self._cells}) == 1
        names: list[list[Row]] = []
        for at in self._shown():
            row, variant = self._cells[at]
            words = clean_line(variant if rows_alike else f"{row}, {variant}", 80)
            number = f"  {at + 1} of {len(self._cells)}" if self._count < len(self._cells) else ""
            names.append([fit(((f" {words}", "strong"), (number, "dim")), each)])
        return beside(names, each, " ")

    def _words(self, width: int, _: int) -> Sequence[Row]:
        first = self._shown().start
        if self._kept is None or self._kept[:2] != (width, first):
            self._kept = (width, first, self._made(width))
        return self._kept[2]

    def _made(self, width: int) -> list[Row]:
        if not self._answers:
            return [()]
        each = column_width(width, self._count)
        texts = [said(answer) for answer in self._answers]
        places = differing_all(texts)
        columns = [side_rows(texts[at], places[at], each - 1) for at in self._shown()]
        indented = [[((" ", "text"), *row) for row in column] for column in columns]
        bar = "|" if self.glyphs.is_ascii else "│"
        return beside(indented, each, bar)

    def _numbers(self, width: int, _: int) -> list[Row]:
        if not self._answers:
            return [(), (), ()]
        each = column_width(width, self._count)
        columns = [
            [((" ", "text"), *row) for row in number_rows(self._answers[at], each - 1)]
            for at in self._shown()
        ]
        return beside(columns, each, " ")

    # Keys -----------------------------------------------------------------------------------

    def action_turn(self, step: int) -> None:
        last = len(self._cells) - self._count
        if 0 <= self._first + step <= last:
            self._first += step
            self.query_one("#word-rows", Rows).refresh(layout=True)
            self.pull()
        else:
            self.say("there are no more answers" if step > 0 else "this is the first answer")

    def action_move(self, rows: int) -> None:
        self.query_one("#words").scroll_relative(y=rows, animate=False)
