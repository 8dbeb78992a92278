"""The line of numbers below a finished answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui.core.text import format as fmt
from tui.core.text.model_name import spoken_name

if TYPE_CHECKING:
    from tui.core.turn.result import TurnResult
    from tui.core.turn.turn_stats import TurnStats
    from tui.core.types import TtftPart, TurnStatus

STATUS_WORDS: dict[TurnStatus, str] = {
    "stopped": "stopped",
    "interrupted": "interrupted",
    "empty": "empty answer",
    "refused": "refused",
    "error": "failed",
}
PART_WORDS: dict[TtftPart, str] = {"load": "loading", "queue": "queue"}


def footer_line(stats: TurnStats, status: TurnStatus | None, model: str | None = None) -> str:
    """``41 s  128 tokens  3.14 tok/s  TTFT 1.25 s``; estimates carry ``~``. ``model`` is the one
    that answered, sanitised, where it is known; it is named as in the top line."""
    parts = [] if status in (None, "complete") else [STATUS_WORDS[status]]
    parts += _figures(stats, stats.elapsed_s, stats.tokens, stats.itl_p99_ms)
    parts += _remarks(stats)
    return "  ".join([*parts, spoken_name(model)] if model else parts)


def result_line(result: TurnResult) -> str:
    """The same of an answer that is kept: ``41 s  128 tokens  3.14 tok/s  TTFT 1.25 s``."""
    parts = [] if result.status == "complete" else [STATUS_WORDS[result.status]]
    elapsed_s = None if result.latency_ms is None else result.latency_ms / 1000
    parts += _figures(result, elapsed_s, result.tokens_out, result.itl_ms.p99)
    return "  ".join([*parts, spoken_name(result.model)] if result.model else parts)


def _figures(
    numbers: TurnStats | TurnResult,
    elapsed_s: float | None,
    tokens: int | None,
    itl_p99_ms: float | None,
) -> list[str]:
    """The numbers that both records have; the other three they have under other names."""
    parts = [] if elapsed_s is None else [fmt.seconds(elapsed_s)]
    if tokens:
        parts.append(f"{fmt.marked(str(tokens), numbers.tokens_source)} tokens")
    if numbers.decode_tps is not None:
        rate = fmt.marked(fmt.rate(numbers.decode_tps), numbers.decode_source)
        parts.append(f"{rate} tok/s")
    if numbers.ttft_ms is not None:
        ttft = fmt.marked(fmt.seconds(numbers.ttft_ms / 1000), numbers.ttft_source)
        parts.append(f"TTFT {ttft}{included_note(numbers.ttft_includes)}")
    if numbers.queue_ms is not None:
        parts.append(queue_note(numbers.queue_ms))
    if itl_p99_ms is not None:
        parts.append(f"p99 {fmt.milliseconds(itl_p99_ms)}")
    return parts


def queue_note(queue_ms: float) -> str:
    """``queue 12 s``: how long a prompt waited for a busy server before it was sent."""
    return f"{PART_WORDS['queue']} {fmt.seconds(queue_ms / 1000)}"


def _remarks(stats: TurnStats) -> list[str]:
    """What a reader of the numbers should know."""
    parts = []
    if stats.is_buffered:
        parts.append("came all at once")
    elif stats.ttft_source == "estimated":
        parts.append("came in bursts")
    if stats.tokens_hidden:
        parts.append(f"+{stats.tokens_hidden} reasoning tokens not sent")
    if stats.tokens_source == "tokenizer":
        parts.append("counted with the model's tokenizer")
    if stats.is_at_limit:
        parts.append("stopped at the token limit")
    if stats.unread_events:
        parts.append(f"{stats.unread_events} events not read")
    if stats.is_marked:
        parts.append("clock delayed")
    return parts


def included_note(parts: Iterable[TtftPart]) -> str:
    """`` (loading included)`` behind a TTFT that is not that of a prefill alone, else nothing."""
    words = " and ".join(PART_WORDS[part] for part in parts)
    return f" ({words} included)" if words else ""


def thinking_note(stats: TurnStats) -> str:
    """``thought for 12.3 s, 38 tokens``; empty where there was no thinking."""
    if not stats.thinking_tokens:
        return ""
    count = fmt.marked(str(stats.thinking_tokens), stats.tokens_source)
    return f"thought for {fmt.seconds(stats.thinking_s)}, {count} tokens"
