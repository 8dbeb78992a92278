"""A text in pieces, as property tests draw them."""

from __future__ import annotations

from itertools import pairwise


def split(text: str, cuts: list[int]) -> list[str]:
    """The pieces of ``text`` between these points, which count around its end."""
    points = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in pairwise(points)]
