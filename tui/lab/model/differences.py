"""Finds the words in which two answers differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

_WORD = re.compile(r"\w+|[^\w\s]+")
MAX_WORDS = 4000
"""Longer texts are compared by lines, as the time grows with the square of the length."""

Span = tuple[int, int]
"""(start, end) in a text, in characters."""


def words_of(text: str) -> list[tuple[str, Span]]:
    """The words and punctuation marks of a text, with their spans."""
    return [(match[0], match.span()) for match in _WORD.finditer(text)]


def _lines_of(text: str) -> list[tuple[str, Span]]:
    out, start = [], 0
    for line in text.splitlines(keepends=True):
        out.append((line.strip(), (start, start + len(line.rstrip("\n")))))
        start += len(line)
    return out


def differing(first: str, other: str) -> tuple[list[Span], list[Span]]:
    """Spans of each text that differ from the other, adjacent ones joined."""
    a, b = words_of(first), words_of(other)
    if len(a) > MAX_WORDS or len(b) > MAX_WORDS:
        a, b = _lines_of(first), _lines_of(other)
    matcher = SequenceMatcher(None, [x for x, _ in a], [x for x, _ in b], autojunk=False)
    left: list[Span] = []
    right: list[Span] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            if i1 < i2:
                left.append((a[i1][1][0], a[i2 - 1][1][1]))
            if j1 < j2:
                right.append((b[j1][1][0], b[j2 - 1][1][1]))
    return left, right


def differing_all(texts: Sequence[str]) -> list[list[Span]]:
    """The differing spans of each text against the first one; of the first against the second."""
    if len(texts) < 2:
        return [[] for _ in texts]
    pairs = [differing(texts[0], other) for other in texts[1:]]
    return [pairs[0][0], *(pair[1] for pair in pairs)]


def same_words(first: str, other: str) -> tuple[int, int]:
    """(words and marks that are equal from the start, words and marks of the longer text)."""
    a = [word for word, _ in words_of(first)]
    b = [word for word, _ in words_of(other)]
    same = 0
    for mine, theirs in zip(a, b, strict=False):
        if mine != theirs:
            break
        same += 1
    return same, max(len(a), len(b))
