"""Cell-exact wrapping of text that is still growing.

A row is a range of the text. Rows break at white space, around wide characters (Chinese has no
spaces), and inside a word only where it is longer than a row; never inside a grapheme. White space
at a break hangs: it belongs to no row.

Where a row ends depends on the text up to the first grapheme that does not fit, and on what is
still joined to that grapheme later (a combining mark, a variation selector). So new text can change
the last two rows of the last line, and no other: those are wrapped again and everything before
them is final, however long the text is.

The width function is the renderer's own, passed in, so that both always agree.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from tui.core.text.display import VS16, ZWJ, CellLen, DisplayText, is_pictograph

_NOT_FIRST = frozenset(
    "、。，．！？：；）」』】〉》〕｝］’”…·ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ％"
)
"""Wide marks that do not begin a row, as Chinese and Japanese typesetting has it."""
_NOT_LAST = frozenset("（「『【〈《〔｛［‘“")

_UNSETTLED_ROWS = 2

MAX_GRAPHEME_CHARS = 64
"""A longer grapheme is cut: 16 marks on a base, or seven joined emoji, have less."""
MAX_CONJUNCT_LETTERS = 6
"""Letters that viramas join to one grapheme; each takes a cell, and words have four at most."""
MAX_CHARS_PER_CELL = 8
"""A row has at most this many characters for each of its cells, however many take none."""
_SPACES = re.compile(" *")

MAX_LEADING = 4
"""Prepended marks and leading consonants that stay with a base; words have two of them at most."""
_PREPENDED = re.compile(
    "[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\U000110bd\U000110cd\U000111c2\U000111c3"
    "\U0001193f\U00011941\U00011a3a\U00011a84-\U00011a89\U00011d46\U00011f02]"
)
"""Grapheme_Cluster_Break=Prepend of Unicode 15.0, which Python's unicodedata does not have."""


class Wrapper:
    """The rows of a growing text at one width.

    ``is_verbatim`` is for code: rows break exactly at the width and all white space stays.
    """

    __slots__ = (
        "_cell_len",
        "_display",
        "_ends",
        "_line_row",
        "_starts",
        "_text",
        "is_verbatim",
        "width",
    )

    def __init__(self, width: int, cell_len: CellLen, *, is_verbatim: bool = False) -> None:
        self.width = max(1, width)
        self.is_verbatim = is_verbatim
        self._cell_len = cell_len
        self._display = DisplayText(cell_len)
        self._text = ""
        self._starts = [0]
        self._ends = [0]
        self._line_row = 0

    @property
    def text(self) -> str:
        """The text in its display form; rows are ranges of it."""
        return self._text

    def __len__(self) -> int:
        """Number of rows; an empty text has one."""
        return len(self._starts)

    def row(self, index: int) -> str:
        """The text of one row."""
        return self._text[self._starts[index] : self._ends[index]]

    def span(self, index: int) -> tuple[int, int]:
        """Where one row starts and ends in :attr:`text`."""
        return self._starts[index], self._ends[index]

    def rows(self) -> list[str]:
        """All rows."""
        return [self._text[a:b] for a, b in zip(self._starts, self._ends, strict=True)]

    def row_at(self, offset: int) -> int:
        """The row that holds this offset of :attr:`text`, or the row before white space there."""
        low, high = 0, len(self._starts)
        while high - low > 1:
            middle = (low + high) // 2
            if self._starts[middle] <= offset:
                low = middle
            else:
                high = middle
        return low

    def feed(self, text: str) -> int:
        """Append clean text. Returns the first row that may have changed."""
        return self.extend(self._display.feed(text))

    def extend(self, text: str) -> int:
        """Append text that is in its display form already. Returns the first row that changed."""
        if not text:
            return len(self._starts)
        self._text += text
        return self._wrap_from(max(self._line_row, len(self._starts) - _UNSETTLED_ROWS))

    def replace(self, offset: int, text: str) -> int:
        """Let ``text`` (in its display form) take the place of everything from ``offset`` on.

        Returns the first row that may have changed.
        """
        if offset >= len(self._text):
            return self.extend(text)
        at = self.row_at(offset)
        line_row = min(self._line_row, at)
        while (
            at < self._line_row and line_row > 0 and self._text[self._starts[line_row] - 1] != "\n"
        ):
            line_row -= 1
        self._text = self._text[:offset] + text
        self._line_row = line_row
        return self._wrap_from(max(line_row, at - _UNSETTLED_ROWS + 1))

    def _wrap_from(self, row: int) -> int:
        """Wrap again from the start of ``row``, which lies in the last line before new text."""
        starts, ends, text = self._starts, self._ends, self._text
        position = starts[row]
        del starts[row:], ends[row:]
        while True:
            line_end = text.find("\n", position)
            is_last = line_end < 0
            if is_last:
                line_end = len(text)
            self._wrap_line(position, line_end)
            if is_last:
                break
            position = line_end + 1
            self._line_row = len(starts)
        return row

    def _wrap_line(self, position: int, line_end: int) -> None:
        starts, ends = self._starts, self._ends
        next_row = next_verbatim_row if self.is_verbatim else next_row_of
        while True:
            end, following = next_row(self._text, position, line_end, self.width, self._cell_len)
            starts.append(position)
            ends.append(end)
            if following >= line_end:
                return
            position = following


def next_row_of(
    text: str, start: int, line_end: int, width: int, cell_len: CellLen
) -> tuple[int, int]:
    """The end of the row that begins at ``start``, and where the next one begins.

    The line ends at ``line_end``; the row is its last one where the second number is that.
    """
    window = text[start : start + width + 2]
    if not window.isascii():
        return _next_row_by_grapheme(text, start, line_end, width, cell_len)
    if line_end - start <= width:
        return line_end, line_end
    overflow = start + width
    if text[overflow] == " ":
        return _without_spaces(text, start, overflow), _after_spaces(text, overflow, line_end)
    space = text.rfind(" ", start, overflow)
    if space >= 0:
        end = _without_spaces(text, start, space)
        if end > start:
            return end, space + 1
    return overflow, overflow


def _next_row_by_grapheme(
    text: str, start: int, line_end: int, width: int, cell_len: CellLen
) -> tuple[int, int]:
    position, cells = start, 0
    last = start + max(MAX_GRAPHEME_CHARS, width * MAX_CHARS_PER_CELL)
    break_end = following = -1
    before = ""
    was_wide = False
    while position < line_end:
        char = text[position]
        after = _after_spaces(text, position, line_end) if char == " " else position
        if after > position:
            if cells + after - position > width:
                return _hanging(text, start, position, after, line_end, width - cells)
            cells += after - position
            if position > start:
                break_end, following = position, after
            position, before, was_wide = after, char, False
            continue
        end = grapheme_end(text, position, line_end)
        grapheme = text[position:end]
        grapheme_cells = cell_len(grapheme)
        is_wide = grapheme_cells > 1
        may_break = (is_wide or was_wide) and before not in ("", " ")
        if may_break and char not in _NOT_FIRST and before not in _NOT_LAST:
            break_end = following = position
        if cells + grapheme_cells > width or end > last:
            if break_end > start:
                return break_end, following
            return (position, position) if position > start else (end, end)
        cells += grapheme_cells
        position, before, was_wide = end, grapheme[0], is_wide
    return line_end, line_end


def _hanging(
    text: str, start: int, position: int, after: int, line_end: int, room: int
) -> tuple[int, int]:
    """White space that reaches over the end of the row hangs there."""
    if after >= line_end:
        return position + room, line_end
    return _without_spaces(text, start, position), after


def next_verbatim_row(
    text: str, start: int, line_end: int, width: int, cell_len: CellLen
) -> tuple[int, int]:
    """As :func:`next_row_of`, for code: nothing hangs and no word is kept together."""
    if text[start : start + width].isascii():
        end = min(start + width, line_end)
        if end == line_end or text[end].isascii():
            return end, end
        if grapheme_end(text, end - 1, line_end) == end:
            return end, end
    position, cells = start, 0
    last = start + max(MAX_GRAPHEME_CHARS, width * MAX_CHARS_PER_CELL)
    while position < line_end:
        end = grapheme_end(text, position, line_end)
        cells += cell_len(text[position:end])
        if (cells > width or end > last) and position > start:
            return position, position
        position = end
    return line_end, line_end


def _without_spaces(text: str, start: int, end: int) -> int:
    """The end without the white space before it; ``start`` where there is nothing else."""
    while end > start and text[end - 1] == " ":
        end -= 1
    return end


def _after_spaces(text: str, position: int, line_end: int) -> int:
    """The position after the spaces here; a space that carries a combining mark is none of them."""
    spaces = _SPACES.match(text, position, line_end)
    after = spaces.end() if spaces else position
    if position < after < line_end and text[after] >= "\u0300" and is_extending(text[after]):
        return after - 1
    return after


def grapheme_end(text: str, start: int, limit: int) -> int:
    """Where the grapheme that begins at ``start`` ends, at most ``limit``.

    Combining marks, variation selectors, skin tones and what a joiner joins belong to the base
    before them, and so do vowels and finals of Hangul jamo; two regional indicators are one flag; a
    letter after a virama stays with it; leading consonants of Hangul and marks that are written
    before their base (Prepend) stay with what follows, as does a line feed with its carriage return
    (Unicode UAX 29, rules GB3 to GB13).
    """
    end = start + 1
    limit = min(limit, start + MAX_GRAPHEME_CHARS)
    if end >= limit:
        return end
    if text[start] < "\u0300":
        if text[start] == "\r" and text[end] == "\n":
            return end + 1
        if text[end] < "\u0300" or text[start] == "\n":
            return end
    else:
        end = _base_end(text, start, limit)
    if _is_regional(text[start]) and end < limit and _is_regional(text[end]):
        end += 1
    letters = 1
    while end < limit:
        char = text[end]
        if char < "\u0300":
            break
        if char == ZWJ:
            end += 1
            if end < limit and is_pictograph(text[end]):
                end += 1
        elif is_extending(char):
            end += 1
        elif letters < MAX_CONJUNCT_LETTERS and _is_conjunct(text[end - 1], char):
            letters += 1
            end += 1
        else:
            break
    return end


def _base_end(text: str, start: int, limit: int) -> int:
    """Where the base ends of a grapheme: the marks before it, its leading consonants, itself.

    At most :data:`MAX_LEADING` stand before one base, so that a grapheme always fits a row.
    """
    end = start
    last = min(limit - 1, start + MAX_LEADING)
    while end < last and _is_prepended(text[end]) and text[end + 1] >= " ":
        end += 1
    while end < last and _is_leading(text[end]) and _is_hangul_base(text[end + 1]):
        end += 1
    return end + 1


@lru_cache(maxsize=4096)
def is_extending(char: str) -> bool:
    """Whether this character belongs to the grapheme before it."""
    return not _is_prepended(char) and (
        char == VS16
        or unicodedata.category(char) in ("Mn", "Mc", "Me", "Cf")
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\u1160" <= char <= "\u11ff"
        or "\ud7b0" <= char <= "\ud7ff"
    )


def _is_conjunct(before: str, char: str) -> bool:
    """Whether a letter stays with the virama before it (canonical combining class 9)."""
    return unicodedata.combining(before) == 9 and unicodedata.category(char) == "Lo"


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _is_prepended(char: str) -> bool:
    return _PREPENDED.match(char) is not None


def _is_leading(char: str) -> bool:
    """Whether this is a leading consonant of Hangul (Grapheme_Cluster_Break=L)."""
    return "\u1100" <= char <= "\u115f" or "\ua960" <= char <= "\ua97c"


def _is_hangul_base(char: str) -> bool:
    """Whether a leading consonant stays with this character: another one, or a syllable."""
    return _is_leading(char) or "\uac00" <= char <= "\ud7a3"
