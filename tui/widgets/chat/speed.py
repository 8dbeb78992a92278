"""The speed panel: how fast this answer is, in figures that were measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import Phase
from tui.widgets.kit.bars import bar, digits, spark
from tui.widgets.kit.rows import Row, Rows, pad, row_width, spread

LABEL_CELLS = 9


class SpeedPanel(Rows):
    """Draws the numbers of the turn in flight, or of the last one.

    ``stats`` gives them when asked; the panel pulls at its own slow rate.
    """

    def __init__(
        self,
        stats: Callable[[], TurnStats | None],
        note: Callable[[], str | None],
        glyphs: Glyphs,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(glyphs, id=id)
        self._stats = stats
        self._note = note

    def build(self, width: int) -> Sequence[Row]:
        return speed_rows(self._stats(), width, self._glyphs, self._note())


def speed_rows(
    stats: TurnStats | None, width: int, glyphs: Glyphs, note: str | None = None
) -> list[Row]:
    """Seven rows: title, figure, rate over time, tokens, context.

    ``note`` is what the server does that this turn does not tell.
    """
    doing: Row = ((phase_word(stats), "warn" if is_stalled(stats) else "dim"),)
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
        ("TTFT", fmt.milliseconds(ttft) if ttft is None else fmt.seconds(ttft / 1000)),
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
        _history_row(stats, width, glyphs),
        _token_row(stats, width, glyphs),
        _context_row(stats, width, glyphs),
    ]
    return rows


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


def _token_row(stats: TurnStats | None, width: int, glyphs: Glyphs) -> Row:
    left: Row = (("tokens".ljust(LABEL_CELLS), "dim"),)
    if stats is None:
        return (*left, (fmt.UNKNOWN, "text"))
    left = (*left, (fmt.marked(str(stats.tokens), stats.tokens_source), "text"))
    if stats.max_tokens:
        left = (*left, (" of ", "dim"), (str(stats.max_tokens), "dim"))
    if stats.phase.is_over:
        right: Row = (("took ", "dim"), (fmt.seconds(stats.elapsed_s), "text"))
    elif stats.phase in (Phase.THINKING, Phase.ANSWERING) and stats.eta_s is not None:
        right = (("ETA ", "dim"), (f"{glyphs.at_most} {fmt.long_seconds(stats.eta_s)}", "text"))
    else:
        right = (("ETA ", "dim"), (fmt.UNKNOWN, "text"))
    return spread(left, right, width)


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
