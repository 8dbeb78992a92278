"""Matches a block of the runtime's log to an answer. In doubt, there is no match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.board.runtime_log.blocks import RuntimeBlock

TOKENS_APART = 2
"""Allowed difference of decode steps and chunks: the first token comes from prefill, and the end
token may or may not give a chunk."""
TIME_APART = 0.10
TTFT_SLACK_MS = 50.0
AFTER_S = 2.0
"""The table is written after the last event: the log is read for this long after it."""


@dataclass(frozen=True, slots=True)
class AnswerWindow:
    """A client's own measurements of an answer, for the match.

    ``sent_s`` and ``last_s`` are the wall times (UNIX, s) of the request and of the last event.
    ``chunks`` is the number of chunks with text; ``is_chunk_token``: each of them is one token.
    """

    sent_s: float
    last_s: float
    ttft_ms: float
    span_ms: float
    """From the first chunk with text to the last."""
    chunks: int
    is_chunk_token: bool
    response_id: str | None = None


def match(window: AnswerWindow, found: Sequence[RuntimeBlock]) -> RuntimeBlock | None:
    """The block of this answer; None without one, with several, or if its numbers disagree."""
    if window.response_id is not None:
        named = [block for block in found if block.response_id == window.response_id]
        if len(named) == 1:
            return named[0]
    inside = [block for block in found if _is_inside(window, block)]
    distinct = _without_doubles(inside)
    if len(distinct) != 1:
        return None
    return distinct[0] if _agrees(window, distinct[0]) else None


def _is_inside(window: AnswerWindow, block: RuntimeBlock) -> bool:
    if block.response_id is not None and window.response_id is not None:
        return False
    return block.time_s is None or window.sent_s <= block.time_s <= window.last_s + AFTER_S


def _without_doubles(found: Sequence[RuntimeBlock]) -> list[RuntimeBlock]:
    """Without duplicates: a server may log the numbers itself in addition to the runtime's
    table."""
    kept: list[RuntimeBlock] = []
    for block in found:
        twin = next((other for other in kept if _is_same_run(block, other)), None)
        if twin is None:
            kept.append(block)
    return kept


def _is_same_run(a: RuntimeBlock, b: RuntimeBlock) -> bool:
    return (
        a.source != b.source
        and (a.prefill_tokens, a.decode_tokens) == (b.prefill_tokens, b.decode_tokens)
        and abs(a.decode_ms - b.decode_ms) <= 1.0
        and abs(a.prefill_ms - b.prefill_ms) <= 1.0
    )


def _agrees(window: AnswerWindow, block: RuntimeBlock) -> bool:
    if block.decode_tps is None or block.prefill_ms > window.ttft_ms + TTFT_SLACK_MS:
        return False
    has_count = window.is_chunk_token and abs(block.decode_tokens - window.chunks) <= TOKENS_APART
    has_time = abs(block.decode_ms - window.span_ms) <= TIME_APART * max(block.decode_ms, 1.0)
    if window.is_chunk_token and not has_count:
        # A character made of several tokens is one chunk: fewer chunks than tokens, never more.
        return has_time and block.decode_tokens > window.chunks
    return has_count or has_time
