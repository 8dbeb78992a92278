"""Rows of the chooser: suites with their duration, options, earlier runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rich.cells import set_cell_size

from tui.bench.model.metrics import metric
from tui.bench.model.past_run import PastRun
from tui.bench.model.screen import BenchView, RunWish, SuiteChoice
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.widgets.bench.parts import between, folded, interval, short_seconds
from tui.widgets.kit.grounds import on_ground
from tui.widgets.kit.rows import Row, Span, fit, pad, row_width, spread, window

WIDE = 100
ABOUT_CELLS = 56
"""Where a suite's text begins, and the blank after it."""
OPTIONS = ("runs", "quick", "max time", "seed")
BOARDS_OPTION = "boards"
MAX_TIMES_S = (None, 600.0, 1800.0, 3600.0, 2 * 3600.0, 4 * 3600.0)
MAX_RUNS, MAX_SEED = 99, 999_999

Zone = Literal["suites", "past"]


@dataclass(frozen=True)
class Choosing:
    """State of the chooser."""

    zone: Zone = "suites"
    suite: int = 0
    option: int = 0
    past: int = 0
    marked: str | None = None
    """The run marked for a comparison."""
    wish: RunWish = field(default_factory=lambda: RunWish(""))

    def changed(self, step: int, names: Sequence[str] = OPTIONS) -> Choosing:
        """The chosen one of these options one step up or down."""
        wish, name = self.wish, names[self.option]
        if name == "runs":
            count = (wish.runs or 0) + step
            wish = replace(wish, runs=min(count, MAX_RUNS) if count > 0 else None)
        elif name == "quick":
            wish = replace(wish, is_quick=not wish.is_quick)
        elif name == "max time":
            at = (MAX_TIMES_S.index(wish.max_time_s) + step) % len(MAX_TIMES_S)
            wish = replace(wish, max_time_s=MAX_TIMES_S[at])
        elif name == BOARDS_OPTION:
            wish = replace(wish, is_of_boards=not wish.is_of_boards)
        else:
            wish = replace(wish, seed=min(MAX_SEED, max(0, wish.seed + step)))
        return replace(self, wish=wish)


def option_names(view: BenchView) -> tuple[str, ...]:
    """The options that there are: boards only where some are configured."""
    return (*OPTIONS, BOARDS_OPTION) if view.boards else OPTIONS


def suite_rows(
    view: BenchView, choosing: Choosing, width: int, max_rows: int, glyphs: Glyphs
) -> list[Row]:
    """Title, one row per suite, and what the chosen one is about."""
    basis = "as measured before" if view.is_measured else "from published figures"
    whose = view.model or "a model of 4 billion parameters"
    rows = [spread(((" suites", "strong"),), ((f"expected on {whose}, {basis} ", "dim"),), width)]
    if not view.suites:
        rows.append(((" reading ...", "dim"),))
    is_wide = width >= WIDE
    first, last = window(len(view.suites), max(3, max_rows - 3), choosing.suite)
    for index in range(first, last):
        is_chosen = index == choosing.suite and choosing.zone == "suites"
        rows.append(
            _suite_row(view.suites[index], choosing.wish, is_chosen, width, is_wide, glyphs)
        )
    has_cut = any(len(suite.about) > width - ABOUT_CELLS for suite in view.suites)
    if (not is_wide or has_cut) and choosing.suite < len(view.suites):
        # The chosen one in full, where the rows have no room for it.
        count = 1 if is_wide else 2
        about = folded(view.suites[choosing.suite].about, width - 4)[:count]
        rows += [()] if is_wide else []
        rows += [((f"   {line}", "soft"),) for line in about]
        rows += [()] * (count - len(about))
    rows += [((f" {problem}", "warn"),) for problem in view.problems]
    return [fit(row, width) for row in rows]


def _suite_row(
    suite: SuiteChoice,
    wish: RunWish,
    is_chosen: bool,
    width: int,
    is_wide: bool,
    glyphs: Glyphs,
) -> Row:
    prompts, runs = suite.counts(wish.runs, is_quick=wish.is_quick)
    span = suite.span(wish.runs, is_quick=wish.is_quick)
    times = "" if suite.is_by_time else f"{prompts} {glyphs.times} {runs}"
    role = "strong" if is_chosen else "text"
    row: Row = (
        (f" {glyphs.closed if is_chosen else ' '} ", "live"),
        (set_cell_size(suite.id, 13), role),
        (f"{times:>8}", "soft"),
        (f"{'~' + short_seconds(span.likely_s):>13}", role),
        (f"  {between(span):<16}", "dim"),
    )
    if is_wide:
        room = width - row_width(row) - 1
        row = (*row, (_about(suite, room), "soft" if is_chosen else "dim"))
    return on_ground(row, "selected", width) if is_chosen else row


def _about(suite: SuiteChoice, room: int) -> str:
    """What the suite is about in one line; no word is cut."""
    return suite.about if len(suite.about) <= room else f"{folded(suite.about, room - 2)[0]} …"


def option_row(choosing: Choosing, width: int, boards: Sequence[str] = ()) -> Row:
    """The options of the run; the chosen option is marked. ``boards`` are those that it can be
    shared out to."""
    wish = choosing.wish
    top = None if wish.max_time_s is None else fmt.long_seconds(wish.max_time_s)
    values = {
        "runs": "as the suite" if wish.runs is None else str(wish.runs),
        "quick": "on" if wish.is_quick else "off",
        "max time": top or "none",
        "seed": str(wish.seed),
    }
    if boards:
        values[BOARDS_OPTION] = f"all {len(boards)}" if wish.is_of_boards else "this one"
    spans: list[Span] = [("   ", "text")]
    for index, name in enumerate(values):
        is_chosen = index == choosing.option and choosing.zone == "suites"
        value = f"[{values[name]}]" if is_chosen else f" {values[name]} "
        spans += [(f"{name} ", "dim"), (value, "live" if is_chosen else "text"), ("  ", "text")]
    return fit(tuple(spans), width)


def past_rows(
    view: BenchView,
    choosing: Choosing,
    width: int,
    height: int,
    glyphs: Glyphs,
    open_key: str,
) -> list[Row]:
    """Title and earlier runs, latest first."""
    count = len(view.past)
    title: Row = ((" earlier runs", "strong"),)
    note = f"{count} kept " if count else ""
    rows = [spread(title, ((note, "dim"),), width)]
    if not view.past:
        what = "reading ..." if view.is_looking else f"none yet; {open_key} runs the chosen suite"
        return [*rows, fit(((f"   {what}", "dim"),), width)]
    first, last = window(count, max(1, height - 1), choosing.past)
    for index in range(first, last):
        is_chosen = index == choosing.past and choosing.zone == "past"
        run = view.past[index]
        rows.append(_past_row(run, is_chosen, run.id == choosing.marked, width, glyphs))
    return [fit(row, width) for row in rows]


def _past_row(run: PastRun, is_chosen: bool, is_marked: bool, width: int, glyphs: Glyphs) -> Row:
    when = run.started_utc.replace("T", " ").rstrip("Z")
    is_wide = width >= WIDE
    is_whole = run.status == "complete"
    count = f"{run.scored}/{run.planned}" if run.planned else fmt.UNKNOWN
    left: Row = (
        (f" {glyphs.closed if is_chosen else ' '} ", "live"),
        (f"{when[:16] if is_wide else when[5:16]:<{17 if is_wide else 12}}", "soft"),
        (set_cell_size(run.suite, 13), "strong" if is_chosen else "text"),
        (set_cell_size(run.model or fmt.UNKNOWN, 16 if is_wide else 11), "soft"),
        (f"{count:>6} ", "ok" if is_whole else "warn"),
    )
    if is_wide or not is_whole:
        left = (*left, (f"{run.status:<11}", "dim" if is_whole else "warn"))
    mark = "~" if run.is_rate_estimated else ""
    speed = "" if run.decode_median is None else f"{mark}{fmt.rate(run.decode_median)} tok/s"
    left = (*left, (f"{speed:>12}", "text"))
    if is_wide:
        digits = metric("decode_tps").digits_of(run.decode_median)
        ci = "" if run.decode_ci is None else interval(run.decode_ci, digits)
        left = (*left, (f"  {ci:<16}", "dim"))
    marks: list[Span] = [(" A ", "live")] if is_marked else []
    if run.baseline:
        marks.append((f"{run.baseline} ", "soft"))
    if run.is_imported:
        marks.append(("imported ", "soft"))
    if run.is_simulated:
        marks.append(("SIMULATED " if is_wide else "SIM ", "warn"))
    row = spread(pad(left, 0), tuple(marks), width)
    return on_ground(row, "selected", width) if is_chosen else row


def chosen_past(view: BenchView, choosing: Choosing) -> PastRun | None:
    """The earlier run under the mark."""
    return view.past[choosing.past] if choosing.past < len(view.past) else None


def chosen_suite(view: BenchView, choosing: Choosing) -> SuiteChoice | None:
    return view.suites[choosing.suite] if choosing.suite < len(view.suites) else None


def status_rows(
    view: BenchView, width: int, open_key: str, *, is_of_boards: bool = False
) -> Sequence[Row]:
    """Why no run can start, or that one is running. ``is_of_boards``: one on many is wanted."""
    run = view.run
    if run is not None and not run.is_over:
        return [
            fit(
                (
                    (f" {run.title or 'a run'} is running; ", "live"),
                    (f"{open_key} shows it", "text"),
                ),
                width,
            )
        ]
    if is_of_boards:
        text = f" prompts are shared out to {', '.join(view.boards)}"
        return [fit(((text, "soft"),), width)]
    if view.other_run is not None:
        text = f" another benchmark is running: {view.other_run}"
        return [fit(((text, "warn"),), width)]
    if view.server is None:
        return [fit(((" no server answers yet; earlier runs can be read", "warn"),), width)]
    return [()]
