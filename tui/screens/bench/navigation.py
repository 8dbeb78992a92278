"""Opens the screen that a bench page asks for; the only module that knows all of them."""

from __future__ import annotations

from tui.screens.bench.compare import BenchCompareScreen
from tui.screens.bench.live import BenchLiveScreen
from tui.screens.bench.page import BenchPage
from tui.screens.bench.request import BenchRequestScreen
from tui.screens.bench.result import BenchResultScreen


def open_page(asked: BenchPage.Open) -> None:
    """Opens a page above the requesting one; ignored where that is no longer on top."""
    page = asked.page
    if page.app.screen is not page:
        # Enter was pressed twice before the first one was handled.
        return
    data, glyphs, session = page.data, page.glyphs, page.session
    opened: BenchPage
    if isinstance(asked, BenchPage.OpenRun):
        opened = BenchLiveScreen(data, glyphs)
        if asked.is_replacing:
            page.app.switch_screen(opened)
            return
    elif isinstance(asked, BenchPage.OpenResult):
        session.open_result(asked.run_id)
        opened = BenchResultScreen(data, glyphs, asked.run_id)
    elif isinstance(asked, BenchPage.OpenRequest):
        opened = BenchRequestScreen(data, glyphs, asked.run_id, asked.at)
    elif isinstance(asked, BenchPage.OpenComparison):
        session.compare(asked.a, asked.b)
        opened = BenchCompareScreen(data, glyphs, asked.a, asked.b)
    else:
        raise TypeError(f"no bench page for {type(asked).__name__}")
    page.app.push_screen(opened)
