"""A running benchmark: plan, answer, statistics, board, gates."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from tui.bench.model.events import StageChanged
from tui.bench.model.screen import BenchView, RunView
from tui.core.screen.keys.bench import BENCH_LIVE_KEYS
from tui.core.text.glyphs import Glyphs
from tui.screens.bench.answer_feed import AnswerFeed
from tui.screens.bench.page import BenchData, BenchPage
from tui.widgets.bench.boards import board_rows, note_rows
from tui.widgets.bench.hardware import gate_rows, hardware_rows
from tui.widgets.bench.plan import plan_rows
from tui.widgets.bench.run import answer_rows, run_rows
from tui.widgets.bench.statistics import stat_table
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Row
from tui.widgets.kit.rows_panel import RowsPanel
from tui.widgets.transcript.transcript import Transcript

LIVE_REFRESH_S = 0.25
SURE_S = 4.0
"""A second x within this time stops the run."""


class BenchLiveScreen(BenchPage):
    """Follows the run. Leaving does not end it."""

    DEFAULT_CSS = """
    BenchLiveScreen #run { height: 3; }
    BenchLiveScreen #answer { height: 3; }
    BenchLiveScreen #panels { height: 12; max-height: 50%; }
    BenchLiveScreen #plan { width: 34; height: 100%; border-right: solid $rule; }
    BenchLiveScreen #figures { width: 1fr; height: 100%; }
    BenchLiveScreen #stats { height: 6; width: 100%; }
    BenchLiveScreen #board-short { height: 3; }
    BenchLiveScreen #gates { height: 1fr; width: 100%; }
    BenchLiveScreen #board { display: none; }
    BenchLiveScreen #text-box { height: 1fr; }
    BenchLiveScreen #text { height: 1fr; }
    BenchLiveScreen #boards { display: none; height: 1fr; }
    BenchLiveScreen #notes { display: none; height: 1fr; width: 100%; }
    BenchLiveScreen.-of-boards #boards, BenchLiveScreen.-of-boards #notes { display: block; }
    BenchLiveScreen.-of-boards #answer, BenchLiveScreen.-of-boards #text-box { display: none; }
    BenchLiveScreen.-of-boards #stats, BenchLiveScreen.-of-boards #board-short,
    BenchLiveScreen.-of-boards #board, BenchLiveScreen.-wide.-of-boards #board { display: none; }
    BenchLiveScreen.-small #plan { display: none; }
    BenchLiveScreen.-wide #plan { width: 39; }
    BenchLiveScreen.-wide #board {
        display: block; width: 28; height: 100%; border-left: solid $rule;
    }
    BenchLiveScreen.-wide #board-short { display: none; }
    BenchLiveScreen.-wide.-tall #panels { height: 15; }
    BenchLiveScreen.-wide.-tall #stats { height: 9; }
    BenchLiveScreen.-ascii #plan { border-right: ascii $rule; }
    BenchLiveScreen.-ascii #board { border-left: ascii $rule; }
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(BENCH_LIVE_KEYS)
    HINTS = (
        HintOf("pause", "bench.pause"),
        HintOf("skip", "bench.skip"),
        HintOf("abort", "bench.stop"),
        HintOf("retry failed", "bench.retry"),
        HintOf("export", "bench.export"),
        HintOf("compare", "bench.compare"),
        HintOf("back", "bench.back"),
    )
    EVERY_S = LIVE_REFRESH_S
    OVER_HINTS = (
        HintOf("results", "bench.open"),
        HintOf("retry failed", "bench.retry"),
        HintOf("export", "bench.export"),
        HintOf("compare", "bench.compare"),
        HintOf("back", "bench.back"),
    )

    def __init__(self, data: BenchData, glyphs: Glyphs) -> None:
        super().__init__(data, glyphs)
        self._seen = self.session.view()
        self._run = self._pulled()
        self._feed = AnswerFeed()
        self._shown_hints: tuple[HintOf, ...] = self.HINTS
        self._abort_asked = False

    def view(self) -> BenchView:
        """As of the last pull: a plan of thousands is not made a second time for one picture."""
        return self._seen

    def _pulled(self) -> RunView:
        return self._seen.run or RunView(
            stage=StageChanged(stage="connect", sentence="no benchmark is running")
        )

    def compose(self) -> ComposeResult:
        glyphs = self.glyphs
        yield from self.compose_header()
        yield RowsPanel(
            lambda w, _: run_rows(self._run, w, glyphs, self.key("bench.pause")), glyphs, id="run"
        )
        yield RowsPanel(
            lambda w, _: answer_rows(self._run, w, glyphs), glyphs, id="answer", classes="ruled"
        )
        yield RowsPanel(
            lambda w, h: board_rows(self._run.boards, w, h), glyphs, id="boards", classes="ruled"
        )
        with Horizontal(id="panels", classes="ruled"):
            yield RowsPanel(lambda w, h: plan_rows(self._run, w, h, glyphs), glyphs, id="plan")
            with Vertical(id="figures"):
                yield RowsPanel(lambda w, _: stat_table(self._run.summary, w), glyphs, id="stats")
                yield RowsPanel(self._short_board, glyphs, id="board-short")
                yield RowsPanel(lambda w, h: gate_rows(self._run.gates, w, h), glyphs, id="gates")
                yield RowsPanel(lambda w, h: note_rows(self._run, w, h), glyphs, id="notes")
            yield RowsPanel(
                lambda w, _: hardware_rows(self._run.board, w, glyphs), glyphs, id="board"
            )
        with Vertical(id="text-box", classes="ruled"):
            transcript = Transcript(glyphs, id="text")
            transcript.can_focus = False
            yield transcript
        yield from self.compose_keys()

    def _short_board(self, width: int, _: int) -> list[Row]:
        return hardware_rows(self._run.board, width, self.glyphs, is_short=True)

    def pull(self) -> None:
        if self.is_covered:
            return
        self._seen = self.session.view()
        self._run = self._pulled()
        self.set_class(self._run.is_of_boards, "-of-boards")
        for gates in self.query("#gates"):
            # Of many boards only those that are closed are told.
            gates.display = bool(self._run.gates) or not self._run.is_of_boards
        super().pull()
        for transcript in self.query(Transcript):
            self._feed.show(self._run, transcript)
        hints: tuple[HintOf, ...] = self.OVER_HINTS if self._run.is_over else self.HINTS
        if self._run.is_of_boards:
            hints = tuple(hint for hint in hints if hint.label != "skip")
        if hints != self._shown_hints:
            self._shown_hints = hints
            self.show_hints(hints)

    # Keys -----------------------------------------------------------------------------------

    def action_pause(self) -> None:
        if not self._run.is_over:
            self.session.pause()
            self.pull()

    def action_skip(self) -> None:
        if not self._run.is_over:
            self.session.skip()
            self.pull()

    def action_abort(self) -> None:
        """The second press stops the run; what was measured is kept."""
        if self._run.is_over:
            return
        if self._abort_asked:
            self._abort_asked = False
            self.session.abort()
            self.pull()
            return
        self._abort_asked = True
        self.set_timer(SURE_S, self._forget_abort)
        self.say(f"{self.key('bench.stop')} again stops it (results kept, resumable)", "warn")

    def _forget_abort(self) -> None:
        self._abort_asked = False

    def action_retry(self) -> None:
        self.session.retry()
        self.pull()

    def action_export(self) -> None:
        if self._run.run_id:
            self.session.export(self._run.run_id)
        else:
            self.say("there is nothing to export yet", "warn")

    def action_compare(self) -> None:
        self.open_comparison(self._run.run_id)

    def action_open(self) -> None:
        """Opens the results, also of a running benchmark."""
        run_id = self._run.run_id
        if not run_id:
            self.say("nothing is measured yet", "warn")
            return
        self.post_message(self.OpenResult(self, run_id))
