"""One request of a run: how it ended, its checks, its timing, its answer; Enter: its timeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from tui.bench.model.screen import OpenedRequest
from tui.core.screen.keys.bench import BENCH_REQUEST_KEYS
from tui.core.text.glyphs import Glyphs
from tui.screens.bench.page import BenchData, BenchPage
from tui.widgets.bench.request import detail_rows, request_title
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Row
from tui.widgets.kit.rows_panel import RowsPanel


class BenchRequestScreen(BenchPage):
    """Left and Right show the request before and after it."""

    DEFAULT_CSS = """
    BenchRequestScreen #title { height: 1; }
    BenchRequestScreen #words { height: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(BENCH_REQUEST_KEYS)
    HINTS = (
        HintOf("scroll", "bench.up", "bench.down"),
        HintOf("timeline", "bench.open"),
        HintOf("other requests", "bench.left", "bench.right"),
        HintOf("back", "bench.back"),
        HintOf("help", "help"),
    )

    def __init__(self, data: BenchData, glyphs: Glyphs, run_id: str, at: int) -> None:
        super().__init__(data, glyphs)
        self._run_id = run_id
        self._at = at
        self._shown: OpenedRequest | None = None
        self._kept: tuple[int, list[Row]] | None = None
        """The rows at a width: a request does not change, and its answer may be long."""

    def compose(self) -> ComposeResult:
        self._load()
        yield from self.compose_header()
        yield RowsPanel(self._title, self.glyphs, id="title")
        with VerticalScroll(id="words", classes="ruled", can_focus=False):
            yield RowsPanel(self._words, self.glyphs, id="word-rows")
        yield from self.compose_keys()

    def _load(self) -> None:
        self._shown = self.session.request(self._run_id, self._at)
        self._kept = None

    def _title(self, width: int, _: int) -> list[Row]:
        if self._shown is None:
            return [((" this request cannot be read", "warn"),)]
        return [request_title(self._shown, width)]

    def _words(self, width: int, _: int) -> Sequence[Row]:
        if self._shown is None:
            return [()]
        if self._kept is None or self._kept[0] != width:
            self._kept = (width, detail_rows(self._shown, width, self.glyphs))
        return self._kept[1]

    # Keys -----------------------------------------------------------------------------------

    def action_turn(self, step: int) -> None:
        count = 0 if self._shown is None else self._shown.of
        if 0 <= self._at + step < count:
            self._at += step
            self._load()
            self.query_one("#words").scroll_home(animate=False)
            self.pull()
        else:
            self.say("this is the last request" if step > 0 else "this is the first request")

    def action_open(self) -> None:
        """Its timeline."""
        if self._shown is not None:
            self.post_message(self.OpenTimelines(self, self._run_id, self._at))

    action_timeline = action_open

    def action_scroll_end(self) -> None:
        self.query_one("#words").scroll_end(animate=False)

    def action_scroll_home(self) -> None:
        self.query_one("#words").scroll_home(animate=False)
