"""Cutting a text into pieces in every way, for tests of what must not depend on the cuts."""

from __future__ import annotations

from hypothesis import strategies as st


@st.composite
def cut(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> tuple[str, list[str]]:
    """A text and the same text in pieces, some of them empty."""
    text = draw(texts)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    ends = [*cuts, len(text)]
    starts = [0, *cuts]
    return text, [text[start:end] for start, end in zip(starts, ends, strict=True)]
