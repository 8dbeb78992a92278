"""A run that can be read: figures, charts, requests, observations."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, VerticalScroll

from tui.bench.model.screen import Picture, ResultView
from tui.core.text.glyphs import Glyphs
from tui.screens.bench.live import open_comparison
from tui.screens.bench.page import BenchData, BenchPage
from tui.widgets.bench.chart import PictureView
from tui.widgets.bench.parts import BenchPanel
from tui.widgets.bench.result import figure_rows, remark_rows, request_rows, result_title
from tui.widgets.chat.key_bar import KeyHint
from tui.widgets.kit.rows import Row

CHARTS = 4
WIDE_PAGES = ("overview", "requests", "observations")
NARROW_PAGES = (
    "figures",
    "chart 1",
    "chart 2",
    "chart 3",
    "chart 4",
    "requests",
    "observations",
)


class BenchResultScreen(BenchPage):
    """Left and Right turn its pages; on a wide terminal figures and charts share one."""

    DEFAULT_CSS = """
    BenchResultScreen #title { height: 1; }
    BenchResultScreen #words { height: 1fr; }
    BenchResultScreen #charts { height: 1fr; grid-size: 1 1; grid-gutter: 0 2; }
    BenchResultScreen #charts PictureView { height: 100%; padding: 1 0 0 0; }
    BenchResultScreen.-overview #words { height: auto; max-height: 50%; }
    BenchResultScreen.-text #charts { display: none; }
    BenchResultScreen.-chart #words { display: none; }
    BenchResultScreen.-wide #charts { grid-size: 2 2; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,tab", "page(1)", show=False, priority=True),
        Binding("left,h,shift+tab", "page(-1)", show=False, priority=True),
        Binding("down,j", "scroll_words(1)", show=False),
        Binding("up,k", "scroll_words(-1)", show=False),
        Binding("pagedown,space", "scroll_words(10)", show=False),
        Binding("pageup", "scroll_words(-10)", show=False),
        Binding("r", "retry", show=False),
        Binding("e", "export", show=False),
        Binding("c", "compare", show=False),
    ]
    HINTS = (
        KeyHint("Left Right", "pages", "page(1)"),
        KeyHint("r", "retry failed", "retry"),
        KeyHint("e", "export", "export"),
        KeyHint("c", "compare", "compare"),
        KeyHint("Esc", "back", "back"),
        KeyHint("Up Down", "scroll", "scroll_words(1)"),
    )

    def __init__(self, data: BenchData, glyphs: Glyphs, run_id: str) -> None:
        super().__init__(data, glyphs)
        self._run_id = run_id
        self._page = 0

    def compose(self) -> ComposeResult:
        glyphs = self.glyphs
        yield from self.compose_header()
        yield BenchPanel(self._title, glyphs, id="title")
        with VerticalScroll(id="words", classes="ruled", can_focus=False):
            yield BenchPanel(self._words, glyphs, id="word-rows")
        with Grid(id="charts", classes="ruled"):
            for at in range(CHARTS):
                yield PictureView(self._picture(at), glyphs, id=f"chart-{at}")
        yield from self.compose_keys()

    def on_mount(self) -> None:
        super().on_mount()
        self._show_page()

    def on_resize(self) -> None:
        self._show_page()

    # What is shown --------------------------------------------------------------------------

    def _result(self) -> ResultView | None:
        return self.view().result

    @property
    def _pages(self) -> tuple[str, ...]:
        return WIDE_PAGES if self.size.width >= 100 else NARROW_PAGES

    @property
    def page(self) -> str:
        """The name of the page that is open."""
        return self._pages[self._page % len(self._pages)]

    def _title(self, width: int, _: int) -> list[Row]:
        result = self._result()
        if result is None:
            return [((f" {self.view().work or 'this run cannot be read'}", "dim"),)]
        at = f"{self.page}  {self._pages.index(self.page) + 1} of {len(self._pages)}"
        return [result_title(result, at, width)]

    def _words(self, width: int, _: int) -> list[Row]:
        result = self._result()
        if result is None:
            return [()]
        if self.page == "requests":
            return request_rows(result.requests, width)
        if self.page == "observations":
            return remark_rows(result.remarks, width, self.glyphs)
        return figure_rows(result, width)

    def _picture(self, at: int) -> Callable[[], Picture | None]:
        def picture() -> Picture | None:
            result = self._result()
            if result is None or at >= len(result.pictures):
                return None
            return result.pictures[at]

        return picture

    def _show_page(self) -> None:
        """What stands on a page, by classes and by which charts are there."""
        page = self.page
        self.set_class(page == "overview", "-overview")
        self.set_class(page in ("figures", "requests", "observations"), "-text")
        self.set_class(page.startswith("chart"), "-chart")
        for at in range(CHARTS):
            is_shown = page == "overview" or page == f"chart {at + 1}"
            self.query_one(f"#chart-{at}").display = is_shown
        self.query_one("#words").scroll_home(animate=False)
        self.call_after_refresh(self.pull)

    # Keys -----------------------------------------------------------------------------------

    def action_page(self, step: int) -> None:
        self._page = (self._pages.index(self.page) + step) % len(self._pages)
        self._show_page()

    def action_scroll_words(self, rows: int) -> None:
        self.query_one("#words").scroll_relative(y=rows, animate=False)

    def action_retry(self) -> None:
        result = self._result()
        if result is None or not result.can_resume:
            self.say("this run is complete, or it cannot be resumed", "warn")
        elif not self.say_if(self.session.resume(self._run_id)):
            from tui.screens.bench.live import BenchLiveScreen

            self.app.switch_screen(BenchLiveScreen(self.data, self.glyphs))

    def action_export(self) -> None:
        self.session.export(self._run_id)

    def action_compare(self) -> None:
        open_comparison(self, self._run_id)
