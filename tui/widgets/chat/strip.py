"""The status strip: the panels as one line, for narrow terminals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tui.core.expect.wait_words import eta_text
from tui.core.text import format as fmt
from tui.widgets.chat.speed import doing_words, is_stalled, shown_rate
from tui.widgets.kit.bars import bar, spark
from tui.widgets.kit.rows import Row, Rows, Span, fit, row_width

if TYPE_CHECKING:
    from tui.core.board.history import BoardHistory
    from tui.core.expect.outlook import Outlook
    from tui.core.text.glyphs import Glyphs
    from tui.core.turn.turn_stats import TurnStats

BAR_CELLS = 8
"""Of the progress of a prefill."""


class StatusStrip(Rows):
    """Rate, TTFT, tokens, ETA, NPU load and free RAM in one row."""

    def __init__(
        self,
        stats: Callable[[], TurnStats | None],
        outlook: Callable[[TurnStats], Outlook | None],
        note: Callable[[], str | None],
        history: Callable[[], BoardHistory],
        warning_key: Callable[[], str | None],
        glyphs: Glyphs,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(glyphs, id=id)
        self._stats = stats
        self._outlook = outlook
        self._note = note
        self._history = history
        self._warning_key = warning_key

    def build(self, width: int) -> Sequence[Row]:
        stats = self._stats()
        row = strip_row(
            stats,
            self._history(),
            width,
            self._glyphs,
            self._note(),
            warning_key=self._warning_key(),
            view=None if stats is None else self._outlook(stats),
        )
        return [row]


def strip_row(
    stats: TurnStats | None,
    history: BoardHistory,
    width: int,
    glyphs: Glyphs,
    note: str | None = None,
    *,
    warning_key: str | None = None,
    view: Outlook | None = None,
) -> Row:
    """The row at ``width`` cells: whole parts are left out until the rest fits.

    ``note`` is what the server does that this turn does not tell. ``warning_key`` is the key of the
    screen that tells what is wrong with the board, None where nothing is; it is never left out.
    ``view`` is what is awaited.
    """
    parts: list[tuple[int, Row]] = []
    if note is not None:
        parts.append((0, ((f" {note}", "warn"),)))
    elif stats is None:
        parts.append((0, ((" ready", "soft"),)))
    else:
        parts += _doing_parts(stats, view, glyphs)
    if stats is not None:
        parts += _answer_parts(stats, view)
    parts += _board_parts(history)
    warning: Row = () if warning_key is None else (("  ! ", "warn"), (warning_key, "key"))
    room = width - row_width(warning)
    while len(parts) > 1 and sum(row_width(row) for _, row in parts) > room:
        parts.remove(max(parts, key=lambda part: part[0]))
    row = tuple(span for _, row in parts for span in row)
    return (*fit(row, max(room, 0)), *warning)


def _doing_parts(stats: TurnStats, view: Outlook | None, glyphs: Glyphs) -> list[tuple[int, Row]]:
    """What the answer does, or its rate; and what is wrong with it."""
    running = not stats.phase.is_over
    words, role = doing_words(stats, view)
    if is_stalled(stats):
        return [(0, ((f" {words}", "warn"),))]
    parts: list[tuple[int, Row]] = []
    if running and not stats.tokens:
        parts.append((0, ((f" {words}", "warn" if role == "warn" else "live"),)))
        if view is not None and view.awaited == "prefill" and view.share is not None:
            parts.append((4, (("  ", "text"), *bar(view.share, BAR_CELLS, glyphs, "live"))))
        return parts
    live = "live" if running else "soft"
    parts.append((0, ((f" {shown_rate(stats)} tok/s", live),)))
    parts.append((2, ((" ", "text"), *spark(stats.rate_history_tps, 7, glyphs, role=live))))
    if running and view is not None and (view.warnings or view.notes):
        parts.append((1, ((f"  {words}", "warn" if role == "warn" else "soft"),)))
    return parts


def _answer_parts(stats: TurnStats, view: Outlook | None) -> list[tuple[int, Row]]:
    """TTFT, tokens, ETA."""
    parts: list[tuple[int, Row]] = []
    if stats.ttft_ms is not None:
        parts.append((4, (("  TTFT ", "dim"), (fmt.seconds(stats.ttft_ms / 1000), "text"))))
    if not stats.tokens:
        return parts
    count: Row = ((f"  {fmt.marked(str(stats.tokens), stats.tokens_source)}", "text"),)
    if stats.max_tokens:
        count = (*count, (f"/{stats.max_tokens}", "dim"))
    parts.append((3, count))
    if stats.phase.is_over:
        return parts
    if view is not None and view.left is not None:
        parts.append((5, (("  ETA ", "dim"), (eta_text(view.left, is_short=True), "text"))))
    elif stats.eta_s is not None:
        parts.append((5, (("  ETA ", "dim"), (fmt.clock(stats.eta_s), "text"))))
    return parts


def _board_parts(history: BoardHistory) -> list[tuple[int, Row]]:
    snapshot = history.latest
    if snapshot is None:
        return []
    parts: list[tuple[int, Row]] = []
    loads = snapshot.numbers("npu.load")
    figures = " ".join(fmt.UNKNOWN if load is None else f"{load:.0f}" for load in loads)
    spans: list[Span] = [("  NPU ", "dim"), (f"{figures} %" if loads else fmt.UNKNOWN, "text")]
    parts.append((1, tuple(spans)))
    free = snapshot.number("ram.available")
    if free is not None:
        parts.append((6, (("  free ", "dim"), (f"{fmt.gib(free)} GiB", "text"))))
    return parts
