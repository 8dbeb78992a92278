"""The benchmark chooser: suites, options, earlier runs."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType

from tui.core.screen.keys.bench import BENCH_CHOOSER_KEYS
from tui.core.text.glyphs import Glyphs
from tui.screens.bench.page import BenchData, BenchPage
from tui.widgets.bench.choose import (
    MAX_RUNS,
    MAX_SEED,
    Choosing,
    chosen_past,
    chosen_suite,
    option_names,
    option_row,
    past_rows,
    status_rows,
    suite_rows,
)
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows_panel import RowsPanel

SEEK_S = 2.0
"""Time between two checks for a run of another terminal."""


class BenchScreen(BenchPage):
    """The chooser: suites, options, earlier runs. Opens the running benchmark, if there is one."""

    DEFAULT_CSS = """
    BenchScreen #suites { height: auto; margin-top: 1; }
    BenchScreen #options { height: 1; margin-top: 1; }
    BenchScreen #status { height: 1; }
    BenchScreen #past { height: 1fr; min-height: 3; }
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(BENCH_CHOOSER_KEYS)
    HINTS = (
        HintOf("run", "bench.open"),
        HintOf("option", "bench.left", "bench.right"),
        HintOf("change", "bench.more", "bench.less"),
        HintOf("earlier runs", "bench.next_part"),
        HintOf("back", "bench.back"),
        HintOf("help", "help"),
    )
    PAST_HINTS = (
        HintOf("open", "bench.open"),
        HintOf("compare two", "bench.compare"),
        HintOf("retry failed", "bench.retry"),
        HintOf("export", "bench.export"),
        HintOf("suites", "bench.next_part"),
        HintOf("back", "bench.back"),
    )

    def __init__(self, data: BenchData, glyphs: Glyphs) -> None:
        super().__init__(data, glyphs)
        self.choosing = Choosing()
        self._has_opened = False
        self._typed = ""

    def compose(self) -> ComposeResult:
        yield from self.compose_header()
        yield RowsPanel(self._suites, self.glyphs, id="suites")
        yield RowsPanel(
            lambda width, _: [option_row(self.choosing, width, self.view().boards)],
            self.glyphs,
            id="options",
        )
        yield RowsPanel(
            lambda width, _: status_rows(
                self.view(),
                width,
                self.key("bench.open"),
                is_of_boards=self.choosing.wish.is_of_boards,
            ),
            self.glyphs,
            id="status",
        )
        yield RowsPanel(
            lambda width, height: past_rows(
                self.view(), self.choosing, width, height, self.glyphs, self.key("bench.open")
            ),
            self.glyphs,
            id="past",
            classes="ruled",
        )
        yield from self.compose_keys()

    def on_mount(self) -> None:
        self.session.look()
        self.set_interval(SEEK_S, self._seek)

    def _seek(self) -> None:
        if not self.is_covered:
            self.session.seek()

    def _suites(self, width: int, _: int) -> list[tuple[tuple[str, str], ...]]:
        room = self.size.height - 11
        return suite_rows(self.view(), self.choosing, width, room, self.glyphs)

    def pull(self) -> None:
        super().pull()
        run = self.view().run
        if run is not None and not run.is_over and not self._has_opened and not self.is_covered:
            self._open_run()

    def _open_run(self) -> None:
        self._has_opened = True
        self.post_message(self.OpenRun(self))

    def on_screen_resume(self) -> None:
        self.session.look()

    # Choosing -------------------------------------------------------------------------------

    def _take(self, choosing: Choosing) -> None:
        self.choosing = choosing
        self.pull()

    def action_move(self, step: int) -> None:
        view, choosing = self.view(), self.choosing
        if choosing.zone == "suites" and view.suites:
            at = (choosing.suite + step) % len(view.suites)
            self._take(replace(choosing, suite=at))
        elif choosing.zone == "past" and view.past:
            self._take(replace(choosing, past=(choosing.past + step) % len(view.past)))

    def action_turn(self, step: int) -> None:
        self._typed = ""
        if self.choosing.zone == "suites":
            at = (self.choosing.option + step) % len(option_names(self.view()))
            self._take(replace(self.choosing, option=at))

    def action_change(self, step: int) -> None:
        self._typed = ""
        if self.choosing.zone == "suites":
            self._take(self.choosing.changed(step, option_names(self.view())))

    def on_key(self, event: events.Key) -> None:
        """Figures are typed where an option is a number."""
        name = option_names(self.view())[self.choosing.option]
        is_digit = event.character is not None and event.character in "0123456789"
        if not is_digit or self.choosing.zone != "suites" or name not in ("runs", "seed"):
            return
        event.stop()
        top = MAX_RUNS if name == "runs" else MAX_SEED
        self._typed = (self._typed + (event.character or ""))[-6:]
        value = min(top, int(self._typed))
        wish = self.choosing.wish
        wish = replace(wish, runs=value or None) if name == "runs" else replace(wish, seed=value)
        self._take(replace(self.choosing, wish=wish))

    def action_part(self, step: int = 1) -> None:
        """Moves to the other of the two lists."""
        is_past = self.choosing.zone == "suites"
        self._take(replace(self.choosing, zone="past" if is_past else "suites"))
        self.show_hints(self.PAST_HINTS if is_past else self.HINTS)

    def on_click(self, event: events.Click) -> None:
        if event.widget is None or event.widget.id not in ("suites", "past") or event.y < 1:
            return
        if (event.widget.id == "past") != (self.choosing.zone == "past"):
            self.action_part()
            return
        if event.widget.id == "suites" and event.y - 1 < len(self.view().suites):
            self._take(replace(self.choosing, suite=event.y - 1))

    # Doing ----------------------------------------------------------------------------------

    def action_open(self) -> None:
        """Begin the chosen suite, show the running benchmark, or open an earlier one."""
        view = self.view()
        if self.choosing.zone == "past":
            past = chosen_past(view, self.choosing)
            if past is not None:
                self.post_message(self.OpenResult(self, past.id))
            return
        if view.run is not None and not view.run.is_over:
            self._open_run()
            return
        suite = chosen_suite(view, self.choosing)
        if suite is None:
            self.say("the suites are still being read", "warn")
            return
        wish = replace(self.choosing.wish, suite=suite.key)
        if wish.is_of_boards and suite.is_of_one_board:
            self.say(f"{suite.id} measures one board by itself: set boards to this one", "warn")
        elif not self.say_if(self.session.start(wish)):
            self._open_run()

    def action_compare(self) -> None:
        """Mark the first of two runs, then compare the second with it."""
        past = chosen_past(self.view(), self.choosing)
        if self.choosing.zone != "past" or past is None:
            return
        marked = self.choosing.marked
        if marked is None:
            self._take(replace(self.choosing, marked=past.id))
            key = self.key("bench.compare")
            self.say(f"this is A, the baseline; {key} on another run compares it with this one")
        elif marked == past.id:
            self._take(replace(self.choosing, marked=None))
        else:
            self._take(replace(self.choosing, marked=None))
            self.post_message(self.OpenComparison(self, marked, past.id))

    def action_retry(self) -> None:
        past = chosen_past(self.view(), self.choosing)
        if self.choosing.zone != "past" or past is None:
            return
        if not past.can_resume:
            self.say("this run is complete, or it cannot be resumed", "warn")
        elif not self.say_if(self.session.resume(past.id)):
            self._open_run()

    def action_export(self) -> None:
        past = chosen_past(self.view(), self.choosing)
        if self.choosing.zone == "past" and past is not None:
            self.session.export(past.id)
