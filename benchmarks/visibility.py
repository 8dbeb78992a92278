"""Finds when each token of an answer appeared on the screen, by replaying the pty's output.

The screen is drawn again after the run, frame by frame, and compared with the text that the
simulator logged. Both are folded to their letters and digits, so that Markdown marks, wrapping,
indentation, bullets and borders make no difference; what a renderer hides for good (the language of
a fence, the target of a link) is skipped. A token counts as shown with the last byte of the first
frame that has its last letter.
"""

from __future__ import annotations

import bisect
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.truth import TrueAnswer
from tests.terminal.pty_terminal import Chunk
from tests.terminal.screen import TerminalScreen

_FRAME_GAP_NS = 2_000_000
"""Reads with less than this time between them belong to one frame."""
_ANCHORS = (160, 24)
"""Numbers of letters before the new text by which it is found: first many, then fewer."""
_FIRST = 8
_PROBE = 12
_SCREENFUL = 6000
_NOT_A_LETTER = re.compile(r"[\W_]+")
_VERTICALS = frozenset("│┃║|▏▎▕▌▐")


def fold(text: str) -> str:
    """The letters and digits of a text, without accents."""
    return _NOT_A_LETTER.sub("", unicodedata.normalize("NFD", text))


def frames(chunks: Iterable[Chunk]) -> Iterator[tuple[int, bytes]]:
    """Groups reads to frames, each with the time of its last read."""
    t_ns, parts = 0, list[bytes]()
    for chunk in chunks:
        if parts and chunk.t_ns - t_ns > _FRAME_GAP_NS:
            yield t_ns, b"".join(parts)
            parts = []
        parts.append(chunk.data)
        t_ns = chunk.t_ns
    if parts:
        yield t_ns, b"".join(parts)


def _same_start(a: str, a_from: int, b: str, b_from: int, b_to: int) -> int:
    """The number of equal characters from these positions on."""
    length = min(len(a) - a_from, b_to - b_from)
    if a[a_from : a_from + length] == b[b_from : b_from + length]:
        return length
    low, high = 0, length  # equal up to low, not equal up to high
    while high - low > 1:
        middle = (low + high) // 2
        if a[a_from : a_from + middle] == b[b_from : b_from + middle]:
            low = middle
        else:
            high = middle
    return low


class AnswerView:
    """Tracks how much of an answer is on the screen."""

    def __init__(self, answer: TrueAnswer, right: int | None = None) -> None:
        """Columns from ``right`` on belong to other widgets."""
        self._answer = answer
        self._right = right
        self._ends: list[int] = []
        parts: list[str] = []
        length = 0
        for text in answer.texts:
            parts.append(fold(text))
            length += len(parts[-1])
            self._ends.append(length)
        self._text = "".join(parts)
        self._rows: list[str] = []
        self._shown = 0
        self.seen_ns: list[int | None] = [None] * len(answer.texts)
        """When each token appeared; None if not shown yet, never shown, or without letters."""
        self._next = 0
        """The first token that is not found yet."""

    @property
    def unseen(self) -> range:
        """Tokens that were not on the screen at the end."""
        return range(self._next, len(self._ends))

    def _fold_rows(self, screen: TerminalScreen) -> None:
        dirty = screen.take_dirty()
        if len(self._rows) != screen.rows:
            self._rows = [""] * screen.rows
            dirty = set(range(screen.rows))
        for row in dirty:
            self._rows[row] = fold("".join(screen.cells(row)[: self._right]))

    def look(self, t_ns: int, screen: TerminalScreen) -> None:
        """Records the tokens that are on the screen since ``t_ns``."""
        self._fold_rows(screen)
        emitted = bisect.bisect_right(self._answer.token_ns, t_ns)
        limit = self._ends[emitted - 1] if emitted else 0
        if self._shown >= limit or limit < min(_FIRST, len(self._text)):
            return
        view = "".join(self._rows)
        place = self._place(view, limit)
        hidden_from = self._shown
        while place is not None:
            at, self._shown = place
            length = _same_start(view, at, self._text, self._shown, limit)
            # Text between the shown part and the start of the match is hidden.
            self._settle(hidden_from, self._shown, None)
            self._settle(self._shown, self._shown + length, t_ns)
            hidden_from = self._shown = self._shown + length
            place = self._after_hidden(view, at + length, limit)

    def _place(self, view: str, limit: int) -> tuple[int, int] | None:
        """(position in the view, position in the text) at which new text begins."""
        for length in _ANCHORS:
            anchor = self._text[max(0, self._shown - length) : self._shown]
            at = view.rfind(anchor) if len(anchor) >= _FIRST else -1
            if at >= 0 and length == _ANCHORS[0]:
                # In a repetitive text, the last place can be the wrong one.
                end = at + len(anchor)
                is_end = not _same_start(view, end, self._text, self._shown, limit)
                at = view.find(anchor) if is_end else at
            if at >= 0:
                return at + len(anchor), self._shown
        if self._shown == 0 and (at := view.find(self._text[:_FIRST])) >= 0:
            return at, 0
        # Scrolled by more than a view: the rows themselves are the anchors, the newest first.
        for row in self._rows:
            if len(row) >= _PROBE and (at := self._text.find(row, self._shown, limit)) >= 0:
                return view.rfind(row), at
        return None

    def _after_hidden(self, view: str, at: int, limit: int) -> tuple[int, int] | None:
        """The position after text that is shown in another form than it was sent."""
        end = min(limit, self._shown + _SCREENFUL)
        for start in range(at, min(len(view) - _PROBE, at + 4 * _PROBE)):
            found = self._text.find(view[start : start + _PROBE], self._shown, end)
            if found >= 0:
                return start, found
        return None

    def _settle(self, start: int, end: int, t_ns: int | None) -> None:
        """Marks tokens whose last letter is in this part of the text as shown or hidden."""
        while self._next < len(self._ends) and self._ends[self._next] <= end:
            own_end = self._ends[self._next]
            has_letters = own_end > (self._ends[self._next - 1] if self._next else 0)
            if has_letters and own_end > max(start, _FIRST):
                self.seen_ns[self._next] = t_ns
            self._next += 1


def left_of_panels(screen: TerminalScreen) -> int:
    """The column of the line between the answer and the panels to its right, or the width.

    To be called before an answer is on the screen, as tables have such lines too.
    """
    counts = [0] * screen.cols
    for row in range(screen.rows):
        for column, cell in enumerate(screen.cells(row)):
            if cell in _VERTICALS:
                counts[column] += 1
    columns = range(screen.cols // 3, screen.cols - 2)
    return next((c for c in columns if counts[c] >= screen.rows * 0.4), screen.cols)


@dataclass(frozen=True, slots=True)
class Lags:
    """Milliseconds from sending a token in the simulator to its appearance on the screen."""

    lags_ms: tuple[float, ...]
    unseen: int
    """Tokens that never appeared on the screen; they count with the time until the end."""


def replay(
    screen: TerminalScreen,
    chunks: Iterable[Chunk],
    answer: TrueAnswer,
    right: int | None = None,
) -> Lags:
    """Draws ``chunks`` on ``screen`` and finds every token of the answer, left of ``right``."""
    view = AnswerView(answer, right)
    end_ns = 0
    for t_ns, data in frames(chunks):
        screen.feed(data)
        end_ns = t_ns
        if t_ns >= answer.requested_ns:
            view.look(t_ns, screen)
    seen = [
        (seen_ns - sent_ns) / 1e6
        for seen_ns, sent_ns in zip(view.seen_ns, answer.token_ns, strict=True)
        if seen_ns is not None
    ]
    never = [max(0, end_ns - answer.token_ns[n]) / 1e6 for n in view.unseen]
    return Lags(tuple(seen + never), len(never))
