"""Code fences in an answer, found line by line in linear time.

CommonMark 0.31, section 4.5: a fence closes at a line of the same character, at least as long.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_LINE = re.compile(r"[ \t]*(`{3,}|~{3,})([^\n`]*)")
MAX_RUN = 64
"""Fences with more characters count as having this many."""


@dataclass(frozen=True, slots=True)
class Fence:
    """One closed fence, as offsets in the text: ``start`` of its opening line, ``end`` after its
    closing line, ``inner`` to ``inner_end`` for its content."""

    language: str
    start: int
    inner: int
    inner_end: int
    end: int


@dataclass(frozen=True, slots=True)
class _FenceLine:
    at: int
    end: int
    mark: str
    run: int
    language: str
    is_closing: bool


def closed_fences(text: str) -> list[Fence]:
    """All closed fences in order, without fences inside others."""
    lines = fence_lines(text)
    partners = _partners(lines)
    found: list[Fence] = []
    at = 0
    while at < len(lines):
        partner = partners[at]
        if partner is None:
            at += 1
            continue
        opening, closing = lines[at], lines[partner]
        found.append(Fence(opening.language, opening.at, opening.end, closing.at, closing.end))
        at = partner + 1
    return found


def open_fence(text: str) -> tuple[str, str] | None:
    """(language, content) of the first fence that is not closed, as in a cut answer; None without
    one."""
    closed = closed_fences(text)
    spans = iter(closed)
    span = next(spans, None)
    for line in fence_lines(text):
        while span is not None and span.end <= line.at:
            span = next(spans, None)
        if span is None or line.at < span.start:
            return line.language, _without(text, line.end, [f for f in closed if f.start > line.at])
    return None


def _without(text: str, begin: int, fences: Sequence[Fence]) -> str:
    """The text from ``begin`` on, with these fences replaced by their line breaks."""
    parts = []
    for fence in fences:
        parts += [text[begin : fence.start], "\n" * text.count("\n", fence.start, fence.end)]
        begin = fence.end
    return "".join([*parts, text[begin:]])


def fence_lines(text: str) -> list[_FenceLine]:
    """The lines that may open or close a fence."""
    found: list[_FenceLine] = []
    at = 0
    while at < len(text):
        line_end = text.find("\n", at)
        end = len(text) if line_end < 0 else line_end + 1
        match = _LINE.match(text, at)
        if match is not None and match.end() == (end if line_end < 0 else line_end):
            rest = match[2].strip(" \t")
            is_closing = not rest.strip("~")
            run = min(len(match[1]), MAX_RUN)
            found.append(
                _FenceLine(at, end, match[1][0], run, match[2].strip().lower(), is_closing)
            )
        at = end
    return found


def _partners(lines: Sequence[_FenceLine]) -> list[int | None]:
    """For each line, the index of the line that would close a fence opened by it."""
    nearest: dict[tuple[str, int], int] = {}
    partners: list[int | None] = [None] * len(lines)
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        partners[at] = nearest.get((line.mark, line.run))
        if line.is_closing:
            nearest.update({(line.mark, run): at for run in range(3, line.run + 1)})
    return partners
