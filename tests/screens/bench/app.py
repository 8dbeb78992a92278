"""A bare app that opens the bench screens as the dashboard does, for tests and for looking."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.screen import Screen

from tests.screens.headline import HEADLINE
from tests.screens.opened import ThemedApp
from tui.bench.model.screen import BenchSession
from tui.core.screen.keys.chat import GLOBAL_KEYS
from tui.core.text.glyphs import ASCII, UNICODE
from tui.screens.bench.chooser import BenchScreen
from tui.screens.bench.navigation import open_page
from tui.screens.bench.page import BenchData, BenchPage
from tui.widgets.kit.bindings import bindings


class BenchApp(ThemedApp):
    """F3 opens the chooser, as it does in npulse."""

    BINDINGS: ClassVar[list[BindingType]] = [("f3", "bench"), *bindings(GLOBAL_KEYS)]

    def __init__(
        self,
        session: BenchSession,
        *,
        theme: str = "npulse-dark",
        is_ascii: bool = False,
        opens: bool = True,
    ) -> None:
        super().__init__(theme)
        self.glyphs = ASCII if is_ascii else UNICODE
        self.session = session
        self.opens = opens

    def on_mount(self) -> None:
        if self.opens:
            self.action_bench()

    def action_bench(self) -> None:
        self.push_screen(BenchScreen(self.data, self.glyphs))

    def _open_bench_page(self, event: BenchPage.Open) -> None:
        open_page(event)

    on_bench_page_open_run = on_bench_page_open_result = _open_bench_page
    on_bench_page_open_comparison = on_bench_page_open_request = _open_bench_page

    @property
    def data(self) -> BenchData:
        return BenchData(self.session, lambda: HEADLINE)

    @property
    def page(self) -> Screen[object]:
        return self.screen
