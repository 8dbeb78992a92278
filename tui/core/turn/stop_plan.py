"""A planned stop of an answer: after N more tokens, or at the end of the paragraph."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FENCE = re.compile(r" {0,3}(```|~~~)")


@dataclass(frozen=True, slots=True)
class StopPlan:
    """``at_tokens`` counts from the answer's first token; None stops at the paragraph's end."""

    at_tokens: int | None = None

    def words(self, tokens: int) -> str:
        """``stops in 43 tokens``."""
        if self.at_tokens is None:
            return "stops after this paragraph"
        return f"stops in {max(self.at_tokens - tokens, 0)} tokens"


class ParagraphEnd:
    """Takes an answer's text piece by piece and says when a paragraph is over.

    A blank line ends one, but not inside a fence of code: a block of code counts as one paragraph.
    """

    __slots__ = ("_has_words", "_is_fenced", "_line", "is_over")

    def __init__(self) -> None:
        self._line = ""
        self._is_fenced = False
        self._has_words = False
        self.is_over = False
        """A paragraph that has words since :meth:`begin` is over."""

    def begin(self) -> None:
        """The paragraph that is being written is the one; between two it is the next."""
        self._has_words = bool(self._line.strip()) or self._is_fenced
        self.is_over = False

    def feed(self, text: str) -> None:
        """More of the answer."""
        *whole, rest = (self._line + text).split("\n")
        for line in whole:
            self._take(line)
        self._line = rest
        if rest.strip():
            self._has_words = True

    def _take(self, line: str) -> None:
        if _FENCE.match(line):
            self._is_fenced = not self._is_fenced
        if line.strip():
            self._has_words = True
        elif not self._is_fenced and self._has_words:
            self.is_over = True
            self._has_words = False
