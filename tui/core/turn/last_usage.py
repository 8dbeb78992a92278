"""The last usage report of a server, to recognise a stale one that is sent again."""

from __future__ import annotations

from tui.core.types import UsageDelta

FAR_SHARE, FAR_CHUNKS = 0.25, 8
NEAR_SHARE = 0.10


class LastUsage:
    """Of one server in one session; handed to each turn."""

    __slots__ = ("_chunks", "_usage")

    def __init__(self) -> None:
        self._usage: UsageDelta | None = None
        self._chunks = 0

    def is_stale(self, usage: UsageDelta, chunks: int, max_tokens: int | None) -> bool:
        """Whether this is the usage of the answer before: equal to it in everything, while the
        stream was of another length.

        Counts alone are also equal where two answers end at their limit, or where the count fits
        the stream.
        """
        if usage.tokens_out is None or usage != self._usage:
            return False
        apart = abs(chunks - self._chunks)
        if apart < FAR_CHUNKS or apart <= FAR_SHARE * max(chunks, self._chunks):
            return False
        if usage.prefill_ms is not None or usage.decode_ms is not None:
            return True
        is_at_limit = max_tokens is not None and usage.tokens_out >= max_tokens
        return not is_at_limit and abs(usage.tokens_out - chunks) > NEAR_SHARE * chunks

    def accept(self, usage: UsageDelta, chunks: int) -> None:
        """This one belongs to the answer of that many chunks."""
        self._usage, self._chunks = usage, chunks
