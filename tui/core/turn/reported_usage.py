"""Usage that a server reported for an answer, checked against our own clock.

Servers report words as tokens, milliseconds as nanoseconds, and the numbers of the previous answer.
A dialect fills in only fields whose unit it knows; here each is held against what was seen.
"""

from __future__ import annotations

import math

from tui.core.types import NumberSource, UsageDelta

MAX_PREFILL_TPS = 100_000.0
"""No board comes near: a higher rate is a wrong unit."""
_SLACK_MS = 50.0
_SLACK_SHARE = 1.1


def merged(old: UsageDelta, new: UsageDelta) -> UsageDelta:
    """Two reports of one answer: the later one replaces what it names and leaves the rest."""
    return UsageDelta(
        tokens_in=old.tokens_in if new.tokens_in is None else new.tokens_in,
        tokens_out=old.tokens_out if new.tokens_out is None else new.tokens_out,
        prefill_ms=old.prefill_ms if new.prefill_ms is None else new.prefill_ms,
        decode_ms=old.decode_ms if new.decode_ms is None else new.decode_ms,
        source=new.source if new.source == old.source else "estimated",
        tokens_cached=old.tokens_cached if new.tokens_cached is None else new.tokens_cached,
        tokens_hidden=old.tokens_hidden if new.tokens_hidden is None else new.tokens_hidden,
    )


class Reported:
    """The sum of all usage reports of one answer."""

    __slots__ = ("_usage",)

    def __init__(self) -> None:
        self._usage: UsageDelta | None = None

    def add(self, usage: UsageDelta) -> None:
        """One more report. It replaces what it names and leaves the rest."""
        self._usage = usage if self._usage is None else merged(self._usage, usage)

    @property
    def usage(self) -> UsageDelta | None:
        """All of it; None where there is none."""
        return self._usage

    def forget(self) -> None:
        """It is that of another answer."""
        self._usage = None

    @property
    def source(self) -> NumberSource:
        return "unknown" if self._usage is None else self._usage.source

    def tokens_out(self, fewest: int) -> int | None:
        """The count of tokens, None where there is none or it is below what was seen to arrive."""
        count = None if self._usage is None else self._usage.tokens_out
        return None if count is None or count < max(fewest, 1) else count

    def tokens_in(self, estimate: int | None) -> int | None:
        """Tokens of the prompt; None also where it is far below our estimate.

        Then a part of the prompt came from a cache and only the rest was counted.
        """
        count = None if self._usage is None else self._usage.tokens_in
        return None if not count or count < 0 or count * 2 < (estimate or 0) else count

    @property
    def tokens_hidden(self) -> int | None:
        return None if self._usage is None else self._usage.tokens_hidden

    @property
    def tokens_cached(self) -> int | None:
        """Tokens of the prompt that were not processed again."""
        return None if self._usage is None else self._usage.tokens_cached

    def decode_tps(self, fewest: int) -> float | None:
        """The server's rate, for comparison; ask :meth:`fits` before it is shown alone."""
        count = self.tokens_out(fewest)
        decode_ms = None if self._usage is None else self._usage.decode_ms
        if count is None or decode_ms is None or not 0 < decode_ms < math.inf:
            return None
        return count * 1e3 / decode_ms

    def fits(self, elapsed_ms: float) -> bool:
        """Whether the reported decode time can lie within what passed on our clock."""
        decode_ms = None if self._usage is None else self._usage.decode_ms
        return decode_ms is not None and 0.01 <= decode_ms <= _with_slack(elapsed_ms)

    def prefill(self, ttft_ms: float) -> tuple[float, float | None] | None:
        """Time and rate (None without a count) of the prefill; None where they cannot be true."""
        usage = self._usage
        if usage is None or usage.prefill_ms is None:
            return None
        if not 0 < usage.prefill_ms <= _with_slack(ttft_ms):
            return None
        if not usage.tokens_in or usage.tokens_in < 0:
            return usage.prefill_ms, None
        processed = max(usage.tokens_in - (usage.tokens_cached or 0), 0)
        rate_tps = processed * 1e3 / usage.prefill_ms
        return (usage.prefill_ms, rate_tps) if rate_tps <= MAX_PREFILL_TPS else None


def _with_slack(elapsed_ms: float) -> float:
    return elapsed_ms * _SLACK_SHARE + _SLACK_MS
