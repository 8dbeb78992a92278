"""Numbers of an answer as the runtime's log reports them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui.core.text import format as fmt
from tui.core.turn.turn_stats import TurnStats

_NOT_SURE = ("estimated", "unknown")


@dataclass(frozen=True, slots=True)
class RuntimeNumbers:
    """librkllmrt's own numbers of one answer.

    ``prefill_tokens`` are those that were computed: fewer than the prompt has where a cache was
    reused. ``decode_tokens`` are decode steps; the first token comes from the prefill.
    ``peak_bytes`` is the most memory that the server's process ever had.
    """

    prefill_ms: float
    prefill_tokens: int
    prefill_tps: float | None
    decode_ms: float
    decode_tokens: int
    decode_tps: float | None
    peak_bytes: int | None = None
    source: str = "runtime-log"

    def to_json_dict(self) -> dict[str, object]:
        """Plain values: times with a microsecond, rates with four digits behind the point."""
        return {
            "prefill_ms": round(self.prefill_ms, 3),
            "prefill_tokens": self.prefill_tokens,
            "prefill_tps": None if self.prefill_tps is None else round(self.prefill_tps, 4),
            "decode_ms": round(self.decode_ms, 3),
            "decode_tokens": self.decode_tokens,
            "decode_tps": None if self.decode_tps is None else round(self.decode_tps, 4),
            "peak_bytes": self.peak_bytes,
            "source": self.source,
        }

    @property
    def line(self) -> str:
        """``runtime: prefill 19 tok in 0.40 s (47.2 tok/s), decode 5.31 tok/s``."""
        rate = "" if self.prefill_tps is None else f" ({fmt.rate(self.prefill_tps)} tok/s)"
        prefill = f"prefill {self.prefill_tokens} tok in {fmt.seconds(self.prefill_ms / 1e3)}{rate}"
        return f"runtime: {prefill}, decode {fmt.rate(self.decode_tps)} tok/s"


def with_runtime(
    stats: TurnStats, numbers: RuntimeNumbers | None, *, is_chunk_token: bool
) -> TurnStats:
    """The same stats, with the runtime's count and rates where ours are only estimated.

    What was measured stays. A chunk holds at least one token, and the first one is no decode step:
    the count is never below that of the chunks.
    """
    if numbers is None or numbers.decode_tps is None:
        return stats
    changed = replace(stats, runtime_decode_tps=numbers.decode_tps)
    if stats.tokens_source in _NOT_SURE:
        fewest = stats.chunks if is_chunk_token else 0
        changed = replace(
            changed, tokens=max(numbers.decode_tokens, fewest), tokens_source="runtime"
        )
    if stats.decode_source in _NOT_SURE:
        changed = replace(changed, decode_tps=numbers.decode_tps, decode_source="runtime")
    if stats.prefill_source in _NOT_SURE:
        changed = replace(
            changed,
            prefill_ms=numbers.prefill_ms,
            prefill_tps=numbers.prefill_tps,
            prefill_source="runtime",
        )
    return changed
