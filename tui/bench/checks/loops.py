"""Detects repetition loops in an answer while it streams.

There are three signs. A loop needs two of them, as tables, indented code and lists of similar items
each show one:

- the answer ends with a period of at most 64 tokens, at least 4 times and over 48 tokens,
- fewer than 20 % of the triples in the last 256 tokens are distinct, or 10 % in the last 96,
- the last 2 KB of text compress to less than 12 %.

Periods of white space alone do not count. The check runs every 16 tokens, so its cost per token is
small and independent of the answer's length.
"""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

EVERY = 16
MAX_PERIOD = 64
MIN_REPEATS = 4
MIN_REPEATED = 48
WINDOW_TOKENS = 256
MIN_WINDOW_TOKENS = 64
DISTINCT_LIMIT = 0.20
SHORT_WINDOW_TOKENS = 96
SHORT_DISTINCT_LIMIT = 0.10
WINDOW_BYTES = 2048
MIN_WINDOW_BYTES = 1024
ZLIB_LIMIT = 0.12

MAX_CHARS = 200_000

_PIECES = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Repetition:
    """A loop. ``period`` is in tokens, None without an exact one at the end. ``sample`` is its
    text."""

    position: int
    """Token at which it begins, or the oldest that the detector still has."""
    period: int | None
    sample: str
    signs: tuple[str, ...]

    @property
    def sentence(self) -> str:
        period = "no exact period" if self.period is None else f"period {self.period}"
        return f"from about token {self.position}, {period}: {self.sample!r}"


class LoopDetector:
    """Detects the first loop in the tokens of one answer."""

    def __init__(self) -> None:
        self._tokens: deque[str] = deque(maxlen=max(WINDOW_TOKENS, MAX_PERIOD * MIN_REPEATS))
        self._tail = b""
        self._count = 0
        self.loop: Repetition | None = None

    def feed(self, pieces: Iterable[str]) -> Repetition | None:
        """Process more tokens. Returns the loop once, when it is detected."""
        for piece in pieces:
            self._tokens.append(piece)
            self._tail = (self._tail + piece.encode("utf-8", "replace"))[-WINDOW_BYTES:]
            self._count += 1
            if self._count % EVERY == 0 and self.loop is None:
                self.loop = self._look()
                if self.loop is not None:
                    return self.loop
        return None

    def _look(self) -> Repetition | None:
        tokens = list(self._tokens)
        if len(tokens) < MIN_REPEATED:
            return None
        period = closing_period(tokens)
        signs = []
        if period is not None:
            signs.append("period")
        is_monotonous = distinct_share(tokens[-WINDOW_TOKENS:]) < DISTINCT_LIMIT
        if is_monotonous or distinct_share(tokens[-SHORT_WINDOW_TOKENS:]) < SHORT_DISTINCT_LIMIT:
            signs.append("few distinct triples")
        if signs and self._compresses():  # alone it would not be enough
            signs.append("compresses")
        if len(signs) < 2:
            return None
        sample = "".join(tokens[-(period or 16) :])[:80]
        if not sample.strip():
            return None
        repeated = MIN_REPEATED if period is None else repeated_at_end(tokens, period)
        return Repetition(max(0, self._count - repeated), period, sample, tuple(signs))

    def _compresses(self) -> bool:
        if len(self._tail) < MIN_WINDOW_BYTES or not self._tail.strip():
            return False
        return len(zlib.compress(self._tail, 6)) / len(self._tail) < ZLIB_LIMIT


def closing_period(tokens: list[str]) -> int | None:
    """The shortest period at the end of the tokens; None without one, or if it is white space."""
    for period in range(1, MAX_PERIOD + 1):
        span = max(MIN_REPEATED, period * MIN_REPEATS)
        if span > len(tokens):
            return None
        # The last token alone rules out nearly every period.
        if tokens[-1] == tokens[-1 - period] and tokens[-span:-period] == tokens[period - span :]:
            return period if "".join(tokens[-period:]).strip() else None
    return None


def repeated_at_end(tokens: list[str], period: int) -> int:
    """The number of tokens at the end that repeat with that period."""
    first = len(tokens) - period
    while first > 0 and tokens[first - 1] == tokens[first - 1 + period]:
        first -= 1
    return len(tokens) - first


def distinct_share(tokens: list[str]) -> float:
    """Number of distinct triples divided by that of all triples; 1 with fewer than 64 tokens."""
    if len(tokens) < MIN_WINDOW_TOKENS:
        return 1.0
    triples = list(zip(tokens, tokens[1:], tokens[2:], strict=False))
    return len(set(triples)) / len(triples)


def pieces_of(text: str) -> list[str]:
    """Text split into words, signs and white space, for answers whose tokens are unknown."""
    return _PIECES.findall(text)


def find_loop(text: str) -> Repetition | None:
    """The first loop in a complete text (its last 200,000 characters), over words and signs."""
    detector = LoopDetector()
    detector.feed(pieces_of(text[-MAX_CHARS:]))
    return detector.loop
