"""The speed panel: measured figures of the running or last answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tui.core.expect.wait_words import eta_text, short_wait
from tui.core.screen.panel_rows import LEAST_CHART
from tui.core.text import format as fmt
from tui.core.types import Phase
from tui.widgets.kit.bars import bar, digits, spark
from tui.widgets.kit.grounds import GroundedRows
from tui.widgets.kit.rows import Row, Span, pad, row_width, spread

if TYPE_CHECKING:
    from tui.timeline.record import Timeline
    from tui.widgets.chat.rate_chart import RateChart

if TYPE_CHECKING:
    from tui.core.expect.outlook import Outlook
    from tui.core.text.glyphs import Glyphs
    from tui.core.turn.turn_stats import TurnStats

LABEL_CELLS = 9
AT_HISTORY = 4
"""The row of :func:`speed_rows` that has the rate over time."""


class SpeedPanel(GroundedRows):
    """Draws the numbers of the turn in flight, or of the last one.

    ``stats`` gives them when asked, ``timeline`` what is known of that answer in time; the panel
    pulls at its own slow rate. ``key`` is the key that enlarges the panel.
    """

    def __init__(
        self,
        stats: Callable[[], TurnStats | None],
        outlook: Callable[[TurnStats], Outlook | None],
        note: Callable[[], str | None],
        timeline: Callable[[], Timeline | None],
        glyphs: Glyphs,
        *,
        key: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(glyphs, id=id)
        self._stats = stats
        self._outlook = outlook
        self._note = note
        self._timeline = timeline
        self._key = key
        self._chart: RateChart | None = None
        self.chart_rows = 0
        """Rows for the curve of the rate; below :data:`~tui.core.screen.panel_rows.LEAST_CHART` it
        is one row."""

    def build(self, width: int) -> Sequence[Row]:
        stats = self._stats()
        view = None if stats is None else self._outlook(stats)
        note = self._note()
        rows = speed_rows(stats, width, self._glyphs, note, view, self._key)
        if self.chart_rows < LEAST_CHART:
            return rows
        chart = self._curve_rows(stats, note, width)
        if _progress_row(view, width, self._glyphs) is None:
            rows[AT_HISTORY] = _rate_head(stats, width, self._glyphs)
        return [*rows[: AT_HISTORY + 1], *chart, *rows[AT_HISTORY + 1 :]]

    def _curve_rows(self, stats: TurnStats | None, note: str | None, width: int) -> list[Row]:
        if stats is None:
            words = "no answer yet" if note is None else ""
            middle: Row = ((" " * ((width - len(words)) // 2), "dim"), (words, "dim"))
            above = self.chart_rows // 2
            return [*[()] * above, middle, *[()] * (self.chart_rows - above - 1)]
        if self._chart is None:
            # Here, for nothing is drawn before the first answer.
            from tui.widgets.chat.rate_chart import RateChart

            self._chart = RateChart(self._glyphs)
        from tui.widgets.chat.rate_chart import timeline_of

        timeline = self._timeline() or timeline_of(stats)
        return self._chart.rows(timeline, width, self.chart_rows, median_rate(stats))


def speed_rows(
    stats: TurnStats | None,
    width: int,
    glyphs: Glyphs,
    note: str | None = None,
    view: Outlook | None = None,
    key: str = "",
) -> list[Row]:
    """Seven rows: title, figure, rate over time or progress of the prefill, tokens, context.

    ``note`` is what the server does that this turn does not tell, ``view`` what is awaited,
    ``key`` what enlarges the panel.
    """
    doing: Row = (doing_words(stats, view),)
    if note is not None:
        doing = ((note, "warn"),)
    title = title_row("speed", key, doing, width)
    now = shown_rate(stats)
    large = digits(now, glyphs)
    gaps = fmt.UNKNOWN if stats is None else fmt.gaps(stats.itl_p50_ms, stats.itl_p99_ms)
    ttft = None if stats is None else stats.ttft_ms
    facts: list[tuple[str, str]] = [
        ("TTFT", expected_ttft(view) if ttft is None else fmt.seconds(ttft / 1000)),
        ("prefill", prefill_text(stats)),
        ("p50/p99", gaps),
    ]
    role = "live" if stats is not None and not stats.phase.is_over else "soft"
    column = max(22 if width > 40 else len(large[0]), width - 19)
    rows: list[Row] = [title]
    for figure, (label, value) in zip(large, facts, strict=True):
        left = pad(((figure, role),), column)
        rows.append((*left, *_labelled(label, value, width - column)))
    rows += [
        _progress_row(view, width, glyphs) or _history_row(stats, width, glyphs),
        _token_row(stats, view, width, glyphs),
        _context_row(stats, width, glyphs),
    ]
    return rows


def title_row(name: str, key: str, right: Row, width: int) -> Row:
    """The name of a panel and the key that enlarges it; they give way to what stands at the
    right."""
    for left in (((name, "strong"), (f" {key}", "dim")), ((name, "strong"),)):
        if (key or len(left) == 1) and row_width(left) + row_width(right) < width:
            return spread(left, right, width)
    return spread((), right, width)


def median_rate(stats: TurnStats) -> float | None:
    """The rate of the median gap between two tokens; None where the gaps say nothing."""
    return 1000 / stats.itl_p50_ms if stats.itl_p50_ms else None


def doing_words(stats: TurnStats | None, view: Outlook | None) -> Span:
    """What the answer is doing, before its first token with what is expected of that; later what is
    wrong with it, or was planned."""
    if stats is None or view is None or stats.phase.is_over or is_stalled(stats):
        return phase_word(stats), "warn" if is_stalled(stats) else "dim"
    if not stats.tokens:
        return short_wait(view), "warn" if view.is_overdue else "dim"
    if view.warnings:
        return view.warnings[0], "warn"
    return (view.notes[0] if view.notes else phase_word(stats)), "dim"


def expected_ttft(view: Outlook | None) -> str:
    """The expected time to the first token, or – where nothing is known."""
    if view is None or view.prefill is None or view.awaited != "prefill":
        return fmt.UNKNOWN
    if view.prefill.is_at_most:
        return fmt.UNKNOWN
    return fmt.marked(fmt.long_seconds(view.prefill.likely), "estimated")


def phase_word(stats: TurnStats | None) -> str:
    """What the answer is doing, with the elapsed time while it runs."""
    if stats is None:
        return "ready"
    if stats.phase.is_over:
        return stats.phase.value
    if stats.silent_s is not None:
        return f"no token for {fmt.long_seconds(stats.silent_s)}"
    return f"{stats.phase.value} {fmt.long_seconds(stats.elapsed_s)}"


def is_stalled(stats: TurnStats | None) -> bool:
    """Whether tokens fail to come for far longer than is usual in this answer."""
    return stats is not None and not stats.phase.is_over and stats.silent_s is not None


def shown_rate(stats: TurnStats | None) -> str:
    """The rate of the moment while tokens arrive, that over the answer when it is over."""
    if stats is None:
        return fmt.UNKNOWN
    value = stats.decode_tps
    if not stats.phase.is_over and stats.rate_now_tps is not None:
        value = stats.rate_now_tps
    if value is None:
        return fmt.UNKNOWN
    source = stats.decode_source if stats.decode_tps is not None else stats.tokens_source
    return fmt.marked(fmt.rate(value), source)


def prefill_text(stats: TurnStats | None) -> str:
    """Prefill rate with the mark of its source, or – where it is not known."""
    if stats is None or stats.prefill_tps is None:
        return fmt.UNKNOWN
    return fmt.marked(f"{fmt.rate(stats.prefill_tps)} tok/s", stats.prefill_source)


def _labelled(label: str, value: str, width: int) -> Row:
    return spread(((label, "dim"),), ((value, "text"),), width)


def _progress_row(view: Outlook | None, width: int, glyphs: Glyphs) -> Row | None:
    """Progress of the prefill by earlier ones; None where it is unknown."""
    if view is None or view.awaited != "prefill" or view.share is None:
        return None
    right: Row = ((f"~{view.share * 100:.0f} %", "text"),)
    role = "warn" if view.is_overdue else "live"
    room = max(4, width - LABEL_CELLS - 7)
    return spread(
        (("prefill".ljust(LABEL_CELLS), "dim"), *bar(view.share, room, glyphs, role)), right, width
    )


def _rate_head(stats: TurnStats | None, width: int, glyphs: Glyphs) -> Row:
    """Above the curve: its unit, the average and the median."""
    if stats is None:
        return (("tok/s", "dim"),)
    average = fmt.marked(fmt.rate(stats.decode_tps), stats.decode_source)
    right: Row = ((f"{glyphs.average} ", "dim"), (average, "text"))
    middle = median_rate(stats)
    if middle is not None:
        right = (*right, ("  median ", "dim"), (fmt.rate(middle), "text"))
    return spread((("tok/s", "dim"),), right, width)


def _history_row(stats: TurnStats | None, width: int, glyphs: Glyphs) -> Row:
    over = None if stats is None else stats.decode_tps
    right: Row = (
        (f"{glyphs.average} ", "dim"),
        (fmt.marked(fmt.rate(over), stats.decode_source if stats else "unknown"), "text"),
    )
    right = (*_blanks(10 - row_width(right)), *right)
    label: Row = (("tok/s".ljust(LABEL_CELLS), "dim"),)
    room = max(4, width - LABEL_CELLS - 11)
    history = () if stats is None else stats.rate_history_tps
    live = "live" if stats is not None and not stats.phase.is_over else "soft"
    return spread((*label, *spark(history, room, glyphs, role=live)), right, width)


def _token_row(stats: TurnStats | None, view: Outlook | None, width: int, glyphs: Glyphs) -> Row:
    left: Row = (("tokens".ljust(LABEL_CELLS), "dim"),)
    if stats is None:
        return (*left, (fmt.UNKNOWN, "text"))
    left = (*left, (fmt.marked(str(stats.tokens), stats.tokens_source), "text"))
    limit: Row = ((" of ", "dim"), (str(stats.max_tokens), "dim")) if stats.max_tokens else ()
    if stats.phase.is_over:
        right: Row = (("took ", "dim"), (fmt.seconds(stats.elapsed_s), "text"))
    elif view is not None and view.left is not None:
        right = (("ETA ", "dim"), (eta_text(view.left), "text"))
    elif stats.phase in (Phase.THINKING, Phase.ANSWERING) and stats.eta_s is not None:
        right = (("ETA ", "dim"), (f"{glyphs.at_most} {fmt.long_seconds(stats.eta_s)}", "text"))
    else:
        right = (("ETA ", "dim"), (fmt.UNKNOWN, "text"))
    # The end that is expected says more than the limit.
    is_room = row_width((*left, *limit, *right)) < width
    return spread((*left, *limit) if is_room else left, right, width)


def _context_row(stats: TurnStats | None, width: int, glyphs: Glyphs) -> Row:
    left: Row = (("context".ljust(LABEL_CELLS), "dim"),)
    if stats is None or stats.context_used is None:
        return (*left, (fmt.UNKNOWN, "text"))
    used = fmt.marked(str(stats.context_used), "estimated")
    limit = fmt.UNKNOWN if stats.context_tokens is None else str(stats.context_tokens)
    right: Row = ((used, "text"), (" of ", "dim"), (limit, "dim"))
    share = None
    if stats.context_tokens:
        share = stats.context_used / stats.context_tokens
    role = "soft" if share is None or share < 0.8 else ("warn" if share < 0.95 else "bad")
    room = max(4, width - LABEL_CELLS - row_width(right) - 2)
    return spread((*left, *bar(share, room, glyphs, role)), right, width)


def _blanks(count: int) -> Row:
    return ((" " * count, "text"),) if count > 0 else ()
