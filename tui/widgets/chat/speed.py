"""The speed panel: how fast this answer is, in figures that were measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui.core.expect.outlook import Outlook
from tui.core.expect.wait_words import eta_text, short_wait
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import Phase
from tui.widgets.kit.bars import bar, digits, spark
from tui.widgets.kit.rows import Row, Rows, Span, pad, row_width, spread

LABEL_CELLS = 9


class SpeedPanel(Rows):
    """Draws the numbers of the turn in flight, or of the last one.

    ``stats`` gives them when asked; the panel pulls at its own slow rate.
    """

    def __init__(
        self,
        stats: Callable[[], TurnStats | None],
        outlook: Callable[[TurnStats], Outlook | None],
        note: Callable[[], str | None],
        glyphs: Glyphs,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(glyphs, id=id)
        self._stats = stats
        self._outlook = outlook
        self._note = note

    def build(self, width: int) -> Sequence[Row]:
        stats = self._stats()
        view = None if stats is None else self._outlook(stats)
        return speed_rows(stats, width, self._glyphs, self._note(), view)


def speed_rows(
    stats: TurnStats | None,
    width: int,
    glyphs: Glyphs,
    note: str | None = None,
    view: Outlook | None = None,
) -> list[Row]:
    """Seven rows: title, figure, rate over time or progress of the prefill, tokens, context.

    ``note`` is what the server does that this turn does not tell, ``view`` what is awaited.
    """
    doing: Row = (doing_words(stats, view),)
    if note is not None:
        doing = ((note, "warn"),)
    name: Row = (("speed", "strong"),)
    is_room = row_width(name) + row_width(doing) < width
    title = spread(name if is_room else (), doing, width)
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
    column = max(22, width - 19)
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
    """How far the prefill is, by what earlier ones took; None where nothing can be said."""
    if view is None or view.awaited != "prefill" or view.share is None:
        return None
    right: Row = ((f"~{view.share * 100:.0f} %", "text"),)
    role = "warn" if view.is_overdue else "live"
    room = max(4, width - LABEL_CELLS - 7)
    return spread(
        (("prefill".ljust(LABEL_CELLS), "dim"), *bar(view.share, room, glyphs, role)), right, width
    )


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
