"""Watches a running answer: repetition, rate, free context, and a planned stop.

It is checked a few times a second in the network's event loop, not for each token.
"""

from __future__ import annotations

from collections import deque

from tui.bench.checks.loops import LoopDetector, Repetition, pieces_of
from tui.core.board.history import series_values
from tui.core.board.reading import Snapshot
from tui.core.expect.outlook import Knowledge, context_left
from tui.core.expect.past_answer import Conditions, conditions_of
from tui.core.expect.rate_watch import RateWatch
from tui.core.turn.stop_plan import ParagraphEnd, StopPlan
from tui.core.turn.turn import Turn
from tui.core.turn.turn_piece import TurnMark
from tui.core.turn.turn_stats import TurnStats

EVERY_NS = 500_000_000
"""Nanoseconds between two checks of the numbers; a planned stop is checked at every call."""
MAX_SAMPLES = 900
CONDITIONS = ("npu.freq", "ddr.freq", "cpu.big.freq", "soc.temp")
"""Board readings that can explain a rate."""
NEARLY_FULL_SHARE = 0.1
NEARLY_FULL_TOKENS = 256


class AnswerWatch:
    """Watches one turn. ``plan`` may be set from another thread at any time."""

    def __init__(self, turn: Turn, *, stops_loops: bool = False) -> None:
        self.turn = turn
        self.plan: StopPlan | None = None
        self.loop: str | None = None
        """A clause on the first repetition found."""
        self.warnings: tuple[str, ...] = ()
        self.notes: tuple[str, ...] = ()
        self.stop_reason: str | None = None
        """A clause why the answer has to stop now; None if it need not."""
        self._stops_loops = stops_loops
        self._rate = RateWatch()
        self._detector = LoopDetector()
        self._mark = TurnMark()
        self._pieces = 0
        self._tokens_at: list[tuple[int, int]] = [(0, 0)]
        """(pieces of text so far, tokens so far) at each check."""
        self._paragraph = ParagraphEnd()
        self._begun: StopPlan | None = None
        self._looked_ns = 0
        self._board: deque[tuple[int, dict[str, float | None]]] = deque(maxlen=MAX_SAMPLES)
        self._versions: dict[str, str | None] = {}
        self.others: str | None = None
        """Name of another program that took CPU time."""
        self.decay: str | None = None
        """A sentence if it was slower than usual; set after the end."""

    @property
    def remark(self) -> str | None:
        """Remark about the finished answer."""
        return "; ".join(filter(None, (self.stop_reason or self.loop, self.decay))) or None

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Takes a board sample. Called from another thread."""
        if self.turn.phase.is_over:
            return
        values = series_values(snapshot)
        kept = {name: value for name, value in values.items() if name.startswith(CONDITIONS)}
        self._board.append((snapshot.t_ns - self.turn.t0_ns, kept))
        self._versions = {
            "driver": snapshot.text("npu.driver"),
            "runtime": snapshot.text("npu.runtime"),
        }

    @property
    def conditions(self) -> Conditions:
        """Board readings from the first token on."""
        ttft_ms = self.turn.stats(self.turn.t0_ns).ttft_ms
        first_ns = round((ttft_ms or 0.0) * 1e6)
        return conditions_of(list(self._board), first_ns, **self._versions)

    def look(self, now_ns: int, known: Knowledge) -> None:
        """Updates warnings, notes and the stop reason."""
        plan = self.plan
        is_due = now_ns - self._looked_ns >= EVERY_NS
        if not is_due and plan is None:
            return
        stats = self.turn.stats(now_ns)
        self._read(stats.tokens)
        self._follow_plan(plan, stats.tokens)
        if not is_due:
            return
        self._looked_ns = now_ns
        rate = self._rate.look(now_ns, stats, known.decode)
        full, is_nearly_full = context_words(stats)
        warnings = [self.loop, full if is_nearly_full else None, rate.slow]
        notes = [rate.explained, None if is_nearly_full else full]
        self.warnings = tuple(words for words in warnings if words)
        self.notes = tuple(words for words in notes if words)
        if self.loop is not None and self._stops_loops:
            self.stop_reason = self.loop

    def _read(self, tokens: int) -> None:
        """Passes new text to the repetition detector and the paragraph detector."""
        piece = self.turn.piece_since(self._mark)
        self._mark = piece.mark
        if piece.is_whole:
            # The text was moved from answer to thinking: the same words were read before.
            return
        text = piece.thinking + piece.text
        if not text:
            return
        self._paragraph.feed(text)
        if self.loop is not None:
            return
        pieces = pieces_of(text)
        self._pieces += len(pieces)
        self._tokens_at.append((self._pieces, tokens))
        found = self._detector.feed(pieces)
        if found is not None:
            self.loop = self._loop_words(found)
            self._tokens_at = self._tokens_at[-1:]

    def _loop_words(self, found: Repetition) -> str:
        """Counted in tokens: what the detector counted are words and marks."""
        before = max(at for at in self._tokens_at if at[0] <= found.position)
        start = before[1]
        words = f"repeats itself since token ~{start}"
        if found.period is None:
            return words
        # From the latest pieces: the repeated text may have another number of tokens per piece.
        recent = [at for at in self._tokens_at[:-1] if self._pieces - at[0] >= found.period]
        pieces, count = recent[-1] if recent else (0, 0)
        each = (self._tokens_at[-1][1] - count) / max(self._pieces - pieces, 1)
        return f"{words}, every ~{max(round(found.period * each), 1)}"

    def _follow_plan(self, plan: StopPlan | None, tokens: int) -> None:
        if plan is not self._begun:
            self._begun = plan
            self._paragraph.begin()
        if plan is None:
            return
        if plan.at_tokens is None and self._paragraph.is_over:
            self.stop_reason = "stopped at the end of the paragraph"
        elif plan.at_tokens is not None and tokens >= plan.at_tokens:
            self.stop_reason = f"stopped at {tokens} tokens"


def context_words(stats: TurnStats) -> tuple[str | None, bool]:
    """(text, whether it is a warning): ``context full in ~120 tokens`` if the context ends before
    the answer's token limit, else None."""
    left = context_left(stats)
    if left is None or not stats.context_tokens:
        return None, False
    limit = None if stats.max_tokens is None else max(stats.max_tokens - stats.tokens, 0)
    if limit is not None and limit < left:
        return None, False
    near = min(NEARLY_FULL_TOKENS, NEARLY_FULL_SHARE * stats.context_tokens)
    return f"context full in ~{left} tokens", left <= near
