"""The line of numbers below a finished answer."""

from __future__ import annotations

from collections.abc import Iterable

from tui.core.text import format as fmt
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
    that answered, sanitised, where it is known; of a path only the file's name is shown."""
    parts = [] if status in (None, "complete") else [STATUS_WORDS[status]]
    parts.append(fmt.seconds(stats.elapsed_s))
    if stats.tokens:
        parts.append(f"{fmt.marked(str(stats.tokens), stats.tokens_source)} tokens")
    if stats.decode_tps is not None:
        parts.append(f"{fmt.marked(fmt.rate(stats.decode_tps), stats.decode_source)} tok/s")
    if stats.ttft_ms is not None:
        ttft = fmt.marked(fmt.seconds(stats.ttft_ms / 1000), stats.ttft_source)
        parts.append(f"TTFT {ttft}{included_note(stats.ttft_includes)}")
    if stats.queue_ms is not None:
        parts.append(queue_note(stats.queue_ms))
    if stats.itl_p99_ms is not None:
        parts.append(f"p99 {fmt.milliseconds(stats.itl_p99_ms)}")
    parts += _remarks(stats)
    if model:
        parts.append(model.rpartition("/")[2] if model.startswith("/") else model)
    return "  ".join(parts)


def result_line(result: TurnResult) -> str:
    """The same of an answer that is kept: ``41 s  128 tokens  3.14 tok/s  TTFT 1.25 s``."""
    parts = [] if result.status == "complete" else [STATUS_WORDS[result.status]]
    if result.latency_ms is not None:
        parts.append(fmt.seconds(result.latency_ms / 1000))
    if result.tokens_out:
        parts.append(f"{fmt.marked(str(result.tokens_out), result.tokens_source)} tokens")
    if result.decode_tps is not None:
        parts.append(f"{fmt.marked(fmt.rate(result.decode_tps), result.decode_source)} tok/s")
    if result.ttft_ms is not None:
        ttft = fmt.marked(fmt.seconds(result.ttft_ms / 1000), result.ttft_source)
        parts.append(f"TTFT {ttft}{included_note(result.ttft_includes)}")
    if result.queue_ms is not None:
        parts.append(queue_note(result.queue_ms))
    if result.itl_ms.p99 is not None:
        parts.append(f"p99 {fmt.milliseconds(result.itl_ms.p99)}")
    if result.model:
        parts.append(result.model)
    return "  ".join(parts)


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
