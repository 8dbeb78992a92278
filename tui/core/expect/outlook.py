"""Outlook of a running answer: present phase, time left, and warnings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tui.core.types import Phase

if TYPE_CHECKING:
    from tui.core.expect.decode import DecodeFit, UsualLengths
    from tui.core.expect.prefill import PrefillFit
    from tui.core.expect.spread import Spread
    from tui.core.turn.turn_stats import TurnStats

WaitFor = Literal["server", "loading", "queue", "prefill", "tokens"]
"""Phases: the server accepts the prompt, loads the model, finishes another answer, reads the
prompt, writes the answer.
"""

BUSY_PCT = 5.0
"""An NPU below this load does not work on a prompt."""
IDLE_SAMPLES = 3
"""Number of consecutive idle samples after which a prefill counts as not begun."""
MAX_SHARE = 0.99
"""Largest progress of a prefill before the first token."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Models from earlier answers; None where there are too few."""

    prefill: PrefillFit | None = None
    decode: DecodeFit | None = None
    lengths: UsualLengths | None = None


@dataclass(frozen=True, slots=True)
class NpuSeen:
    """What the NPU did since the prompt was sent, where its load can be read."""

    busy_ns: int | None = None
    """When it was first seen at work."""
    idle_samples: int = 0
    """Samples without load since then, one after the other, up to the last one."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """One moment of an answer that is on its way."""

    awaited: WaitFor
    elapsed_s: float
    """Since that began."""
    prefill: Spread | None = None
    """Seconds that the prefill takes in all; None where nothing is known."""
    left: Spread | None = None
    """Seconds until the answer ends."""
    left_most_s: float | None = None
    """Seconds until it ends in any case: at its limit or with the context full."""
    context_left: int | None = None
    """Tokens until the context is full."""
    share: float | None = None
    """How far the prefill is, or the answer; 0 to 1, below 1."""
    warnings: tuple[str, ...] = ()
    """What is wrong, in short clauses, the gravest first."""
    notes: tuple[str, ...] = ()
    """What explains something, or was planned."""

    @property
    def is_overdue(self) -> bool:
        """The prefill takes longer than eight of ten did."""
        high = None if self.prefill is None else self.prefill.high or 2 * self.prefill.likely
        return self.awaited == "prefill" and high is not None and self.elapsed_s > high


def awaited_now(stats: TurnStats, npu: NpuSeen, t0_ns: int, now_ns: int) -> tuple[WaitFor, float]:
    """The present phase and its duration, by the server or the NPU's load."""
    if stats.phase is Phase.WAITING and "load" not in stats.ttft_includes:
        return "server", stats.elapsed_s
    if stats.tokens or stats.phase.is_over:
        return "tokens", max(stats.elapsed_s - (stats.ttft_ms or 0.0) / 1000, 0.0)
    if npu.busy_ns is not None and "queue" not in stats.ttft_includes:
        since_ns = npu.busy_ns if stats.ttft_includes else t0_ns
        return "prefill", max((now_ns - since_ns) / 1e9, 0.0)
    if "load" in stats.ttft_includes:
        return "loading", stats.elapsed_s
    if "queue" in stats.ttft_includes or npu.idle_samples >= IDLE_SAMPLES:
        return "queue", stats.elapsed_s
    return "prefill", stats.elapsed_s


def outlook(
    stats: TurnStats, known: Knowledge, npu: NpuSeen, *, t0_ns: int, now_ns: int, is_first: bool
) -> Outlook:
    """The moment of an answer that runs. ``is_first`` is false for a follow-up."""
    awaited, elapsed_s = awaited_now(stats, npu, t0_ns, now_ns)
    if awaited != "tokens":
        prefill = expected_prefill(stats, known.prefill, is_first=is_first)
        share = None
        if awaited == "prefill" and prefill is not None:
            share = min(elapsed_s / prefill.likely, MAX_SHARE)
        return Outlook(awaited, elapsed_s, prefill=prefill, share=share)
    room = _room(stats)
    left, most_s = _left(stats, known, room)
    return Outlook(
        awaited,
        elapsed_s,
        left=left,
        left_most_s=most_s,
        context_left=context_left(stats),
        share=_share(left, elapsed_s),
    )


def expected_prefill(stats: TurnStats, fit: PrefillFit | None, *, is_first: bool) -> Spread | None:
    """Seconds from the prompt to the first token."""
    if fit is None or not stats.prompt_estimate:
        return None
    return fit.expected(stats.prompt_estimate, None if is_first else stats.new_prompt_estimate)


def context_left(stats: TurnStats) -> int | None:
    """Tokens until the context is full; None where either is not known."""
    if stats.context_tokens is None or stats.context_used is None:
        return None
    return max(stats.context_tokens - stats.context_used, 0)


def _room(stats: TurnStats) -> int | None:
    """Most tokens that can still come."""
    limits = [] if stats.max_tokens is None else [max(stats.max_tokens - stats.tokens, 0)]
    left = context_left(stats)
    return min([*limits, *([] if left is None else [left])], default=None)


def _left(
    stats: TurnStats, known: Knowledge, room: int | None
) -> tuple[Spread | None, float | None]:
    rate_tps = stats.rate_now_tps or stats.decode_tps
    if not rate_tps:
        return None, None
    from tui.core.expect.decode import decode_s
    from tui.core.expect.spread import Spread

    slope_ms = (known.decode.slope_ms if known.decode is not None else None) or 0.0

    def seconds(tokens: float) -> float:
        most = tokens if room is None else min(tokens, room)
        return decode_s(most, 1000 / rate_tps, slope_ms)

    usual = None if known.lengths is None else known.lengths.left_after(stats.tokens)
    most_s = None if room is None else seconds(room)
    if usual is None:
        return None, most_s
    low = None if usual.low is None else seconds(usual.low)
    high = None if usual.high is None else seconds(usual.high)
    return Spread(seconds(usual.likely), low, high, usual.n), most_s


def _share(left: Spread | None, elapsed_s: float) -> float | None:
    """By time; None where no end is expected: a limit is no plan."""
    if left is None:
        return None
    return min(elapsed_s / max(elapsed_s + left.likely, 1e-9), MAX_SHARE)
