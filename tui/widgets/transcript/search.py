"""Search: positions of a pattern in the texts of all turns; no turn is laid out for it."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from tui.widgets.transcript.parts import Part
from tui.widgets.transcript.turn_view import TurnView

MAX_PATTERN_CHARS = 256
"""A longer pattern is cut: what a search costs grows with the pattern times the text."""
_SOURCES = ("prompt", "thinking", "answer")


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """A match in the text of a turn. ``source`` counts prompt, thinking, answer."""

    turn: int
    source: int
    start: int

    @property
    def kind(self) -> str:
        return _SOURCES[self.source]


class Search:
    """All matches of one pattern. Without capitals in the pattern, case does not count."""

    def __init__(self, pattern: str) -> None:
        pattern = pattern[:MAX_PATTERN_CHARS]
        flags = 0 if any(char.isupper() for char in pattern) else re.IGNORECASE
        self.pattern = pattern
        self.expression = re.compile(re.escape(pattern), flags)
        self.matches: list[Match] = []
        self.current: Match | None = None
        self._turns = 0

    def update(self, turns: list[TurnView]) -> None:
        """Search what has been added; the last turn may have grown."""
        first = max(0, min(self._turns, len(turns)) - 1)
        del self.matches[bisect_left(self.matches, Match(first, 0, 0)) :]
        for index in range(first, len(turns)):
            turn = turns[index]
            for source, text in enumerate((turn.prompt.text, turn.thinking.text, turn.answer.text)):
                self.matches += [
                    Match(index, source, match.start()) for match in self.expression.finditer(text)
                ]
        self._turns = len(turns)
        if self.current is not None and self.current not in self.matches:
            self.current = None

    @property
    def position(self) -> int:
        """Which match is the current one, from 1; 0 for none."""
        return 0 if self.current is None else bisect_left(self.matches, self.current) + 1

    def step(self, count: int, start: Match) -> Match | None:
        """The next match (or the one before), around the end; from ``start`` if none is current."""
        if not self.matches:
            return None
        if self.current is not None:
            at = bisect_left(self.matches, self.current) + count
        else:
            at = bisect_left(self.matches, start) - (count < 0)
        self.current = self.matches[at % len(self.matches)]
        return self.current


def part_of_match(turn: TurnView, match: Match) -> int | None:
    """The part that shows a match: the one whose lines hold it."""
    streamed = (turn.prompt, turn.thinking, turn.answer)[match.source]
    line = streamed.text.count("\n", 0, match.start)
    found = None
    for index, part in enumerate(turn.parts):
        if part.kind == match.kind and part.block is not None:
            if part.block.start > line:
                break
            found = index
    return found


def offset_of_match(search: Search, turn: TurnView, part: Part, match: Match) -> int:
    """The offset of a match in the text that a laid out part shows; 0 where marks hide it."""
    if part.layout is None or part.block is None:
        return 0
    streamed = (turn.prompt, turn.thinking, turn.answer)[match.source]
    begin = line_start(streamed.text, part.block.start)
    before = sum(1 for _ in search.expression.finditer(streamed.text, begin, match.start))
    starts = [found.start() for found in search.expression.finditer(part.layout.text)]
    return starts[min(before, len(starts) - 1)] if starts else 0


def line_start(text: str, line: int) -> int:
    """Where a line of a text begins."""
    position = 0
    for _ in range(line):
        position = text.find("\n", position) + 1
    return position


def matches_in(search: Search, text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Ranges of matches that reach into a row of a part's text."""
    reach = len(search.pattern)
    begin = max(0, start - reach)
    return [
        match.span()
        for match in search.expression.finditer(text, begin, min(len(text), end + reach))
        if match.end() > start and match.start() < end
    ]
