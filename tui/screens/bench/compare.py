"""Comparison of two benchmark runs, with verdicts."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from tui.core.screen.keys.bench import BENCH_COMPARE_KEYS
from tui.core.text.glyphs import Glyphs
from tui.screens.bench.page import BenchData, BenchPage
from tui.widgets.bench.result import compare_rows
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Row
from tui.widgets.kit.rows_panel import RowsPanel


class BenchCompareScreen(BenchPage):
    """A is the baseline; w swaps the sides, f compares although something else differs."""

    DEFAULT_CSS = """
    BenchCompareScreen #words { height: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(BENCH_COMPARE_KEYS)
    HINTS = (
        HintOf("scroll", "bench.up", "bench.down"),
        HintOf("swap sides", "bench.swap"),
        HintOf("compare anyway", "bench.force"),
        HintOf("back", "bench.back"),
    )

    def __init__(self, data: BenchData, glyphs: Glyphs, a: str, b: str) -> None:
        super().__init__(data, glyphs)
        self._sides = (a, b)

    def compose(self) -> ComposeResult:
        yield from self.compose_header()
        with VerticalScroll(id="words", can_focus=False):
            yield RowsPanel(self._rows, self.glyphs, id="word-rows")
        yield from self.compose_keys()

    def _rows(self, width: int, _: int) -> list[Row]:
        view = self.view()
        if view.comparison is None:
            return [(), ((f" {view.work or 'these runs cannot be read'} ...", "dim"),)]
        return [(), *compare_rows(view.comparison, width, self.glyphs, self.key("bench.force"))]

    def action_swap(self) -> None:
        self._sides = (self._sides[1], self._sides[0])
        self.session.compare(*self._sides)
        self.pull()

    def action_force(self) -> None:
        self.session.compare(*self._sides, is_forced=True)
        self.pull()
