"""The result of a run: figures, charts, requests, observations."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Grid, VerticalScroll

from tui.bench.model.screen import BoardNow, Picture, ResultView
from tui.core.screen.keys.bench import BENCH_RESULT_KEYS
from tui.core.screen.keys.explain import EXPLAIN
from tui.core.text.glyphs import Glyphs
from tui.screens.bench.page import BenchData, BenchPage
from tui.widgets.bench.boards import board_rows, projection_rows
from tui.widgets.bench.chart import PictureView
from tui.widgets.bench.request import chosen_rows, request_at, request_rows
from tui.widgets.bench.result import figure_rows, remark_rows, result_title
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Row
from tui.widgets.kit.rows_panel import RowsPanel

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
EVERY_ROW = 10_000
"""The page can be scrolled."""
BOARDS_PAGE = "boards"
"""Of a run on many boards, after the first one."""
TEXT_PAGES = ("figures", BOARDS_PAGE, "requests", "observations")


class BenchResultScreen(BenchPage):
    """Left and Right turn its pages; on a wide terminal figures and charts share one.

    On the page of requests Up and Down choose one, and Enter opens it.
    """

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

    BINDINGS: ClassVar[list[BindingType]] = bindings([*BENCH_RESULT_KEYS, EXPLAIN])
    HINTS = (
        HintOf("pages", "bench.left", "bench.right"),
        HintOf("requests", "bench.open"),
        HintOf("retry failed", "bench.retry"),
        HintOf("export", "bench.export"),
        HintOf("compare", "bench.compare"),
        HintOf("explain", "explain"),
        HintOf("back", "bench.back"),
        HintOf("scroll", "bench.up", "bench.down"),
    )
    REQUEST_HINTS = (
        HintOf("open the request", "bench.open"),
        HintOf("choose", "bench.up", "bench.down"),
        HintOf("timeline", "bench.timeline"),
        HintOf("pages", "bench.left", "bench.right"),
        HintOf("retry failed", "bench.retry"),
        HintOf("back", "bench.back"),
        HintOf("export", "bench.export"),
        HintOf("compare", "bench.compare"),
    )

    def __init__(self, data: BenchData, glyphs: Glyphs, run_id: str) -> None:
        super().__init__(data, glyphs)
        self._run_id = run_id
        self._page = WIDE_PAGES[0]
        self._chosen = 0

    def compose(self) -> ComposeResult:
        glyphs = self.glyphs
        yield from self.compose_header()
        yield RowsPanel(self._title, glyphs, id="title")
        with VerticalScroll(id="words", classes="ruled", can_focus=False):
            yield RowsPanel(self._words, glyphs, id="word-rows")
        with Grid(id="charts", classes="ruled"):
            for at in range(CHARTS):
                yield PictureView(self._picture(at), glyphs, id=f"chart-{at}")
        yield from self.compose_keys()

    def on_mount(self) -> None:
        self._show_page()

    def on_resize(self) -> None:
        self._show_page()

    # What is shown --------------------------------------------------------------------------

    def _result(self) -> ResultView | None:
        return self.view().result

    @property
    def _pages(self) -> tuple[str, ...]:
        pages, result = WIDE_PAGES if self.size.width >= 100 else NARROW_PAGES, self._result()
        if result is None or not result.document.boards:
            return pages
        return (pages[0], BOARDS_PAGE, *pages[1:])

    @property
    def page(self) -> str:
        """The name of the page that is open."""
        return self._page if self._page in self._pages else self._pages[0]

    def action_explain(self) -> None:
        """The figures of the run: value, of what it is the median, and formula."""
        from tui.screens.explain import ExplainScreen
        from tui.widgets.bench.explained import run_figures

        result = self._result()
        found = [] if result is None else run_figures(result.document.summary)
        self.app.push_screen(ExplainScreen("of this run", found, self.glyphs))

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
            return request_rows(result.document.requests, width, self.glyphs, self._chosen)
        if self.page == BOARDS_PAGE:
            document = result.document
            boards = [BoardNow(board) for board in document.boards]
            rows = board_rows(boards, width, EVERY_ROW, is_over=True)
            return [*rows, (), *projection_rows(document.projections, width)]
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
        self.set_class(page in TEXT_PAGES, "-text")
        self.set_class(page.startswith("chart"), "-chart")
        for at in range(CHARTS):
            is_shown = page == "overview" or page == f"chart {at + 1}"
            self.query_one(f"#chart-{at}").display = is_shown
        self.show_hints(self.REQUEST_HINTS if page == "requests" else self.HINTS)
        self.query_one("#words").scroll_home(animate=False)
        self.call_after_refresh(self._fill_page)

    def _fill_page(self) -> None:
        self.pull()
        if self.page == "requests":
            # Where a row stands is known once the new rows are laid out.
            self.call_after_refresh(self._show_chosen)

    def _show_chosen(self) -> None:
        """Scrolls until the chosen request can be seen whole."""
        result = self._result()
        if result is not None and result.document.requests:
            words = self.query_one("#words")
            width = self.query_one("#word-rows").size.width
            first, rows = chosen_rows(result.document.requests, width, self._chosen)
            # The first request brings the heading with it.
            top, end, y = 0 if first == 1 else first, first + rows, words.scroll_offset.y
            if top < y:
                words.scroll_to(y=top, animate=False)
            elif end > y + words.size.height:
                words.scroll_to(y=end - words.size.height, animate=False)

    # Keys -----------------------------------------------------------------------------------

    def action_turn(self, step: int) -> None:
        """Another page."""
        pages = self._pages
        self._turn_to(pages[(pages.index(self.page) + step) % len(pages)])

    def _turn_to(self, page: str) -> None:
        self._page = page
        self._show_page()

    action_part = action_turn

    def action_move(self, rows: int) -> None:
        """Scroll; on the page of requests, choose another one."""
        if self.page == "requests":
            self._choose(self._chosen + rows)
        else:
            super().action_move(rows)

    def _choose(self, at: int) -> None:
        result = self._result()
        if result is not None and result.document.requests:
            self._chosen = min(max(0, at), len(result.document.requests) - 1)
            self.pull()
            self._show_chosen()

    def action_open(self) -> None:
        """Open the chosen request; from another page, show the requests first."""
        result = self._result()
        if self.page != "requests":
            self._turn_to("requests")
        elif result is None or not result.document.requests:
            self.say("this run has no requests", "warn")
        else:
            self.post_message(self.OpenRequest(self, self._run_id, self._chosen))

    def action_timeline(self) -> None:
        """The timeline of the chosen request; from another page, show the requests first."""
        result = self._result()
        if self.page == "requests" and result is not None and result.document.requests:
            self.post_message(self.OpenTimelines(self, self._run_id, self._chosen))
        else:
            self.action_open()

    def on_click(self, event: events.Click) -> None:
        """A click chooses a request, another one on it opens it."""
        result = self._result()
        if result is None or self.page != "requests" or event.widget is None:
            return
        if event.widget.id != "word-rows":
            return
        at = request_at(result.document.requests, event.widget.size.width, event.y)
        if at is None:
            return
        if at == self._chosen:
            self.action_open()
        else:
            self._choose(at)

    def action_retry(self) -> None:
        result = self._result()
        if result is None or not result.can_resume:
            self.say("this run is complete, or it cannot be resumed", "warn")
        elif not self.say_if(self.session.resume(self._run_id)):
            self.post_message(self.OpenRun(self, is_replacing=True))

    def action_export(self) -> None:
        self.session.export(self._run_id)

    def action_compare(self) -> None:
        self.open_comparison(self._run_id)
