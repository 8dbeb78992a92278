"""What the terminal shows, cell by cell, so that only cells that look different are written.

Textual writes whole regions: a dialog that opens over a screen repaints all of it several times
over, and a dialog over an answer that streams does so with every token. Over SSH that is 100 kB a
second for a picture in which five cells change. Here each update is compared with what was written
before. Colours and attributes are set only where they differ from those of the cell before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat

from rich.cells import cell_len, get_character_cell_size
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Size
from textual.strip import Strip

from tui.widgets.kit.sgr import Sgr

MAX_GAP_CELLS = 4
"""So many equal cells between two that differ are written again: a move of the cursor is longer."""
_SEEN_ON_BLANKS = frozenset(("4", "7", "9", "21", "53"))
"""Underline, reverse, strike, double underline, overline (ECMA-48, SGR)."""


class TerminalCells:
    """The cells that were written so far. One for each terminal; ``forget`` when it was cleared."""

    def __init__(self) -> None:
        self._size = Size(0, 0)
        self._rows: list[_Row] = []
        self._is_adopted = False

    def adopt(self, rows: Sequence[Sequence[tuple[str, str]]], size: Size) -> None:
        """The terminal shows these rows already, drawn by somebody else: runs of text and its SGR
        parameters, one cell for each character. A row without runs is not known."""
        self._size, self._is_adopted = size, True
        self._rows = [_Row(size.width) for _ in range(size.height)]
        for row, runs in zip(self._rows, rows, strict=False):
            chars = [char for text, _ in runs for char in text]
            if len(chars) == size.width:
                row.chars[:] = chars
                row.codes[:] = [code for text, code in runs for _ in text]

    def shown(self) -> tuple[tuple[tuple[str, str], ...], ...]:
        """The rows as :meth:`adopt` takes them; those that are not known have no runs."""
        return tuple(row.runs() for row in self._rows)

    def resized(self, size: Size) -> None:
        """The terminal says that it has this size. Terminals differ in what they do with the rows:
        nothing is known of them, unless they were just adopted with this size."""
        if not (self._is_adopted and size == self._size):
            self.forget()

    def forget(self) -> None:
        """Nothing is known of what the terminal shows: the next update is written whole."""
        self._size = Size(0, 0)

    def changes(self, update: LayoutUpdate | ChopsUpdate, size: Size, sgr: Sgr) -> str:
        """What has to be written so that a terminal of ``size`` shows an update; may be empty.

        It counts as written from then on.
        """
        self._is_adopted = False
        if size != self._size:
            self._size = size
            self._rows = [_Row(size.width) for _ in range(size.height)]
        pen = _Pen()
        for y, x, strips in _pieces(update):
            if 0 <= y < size.height:
                self._rows[y].write(y, x, _cells(strips, sgr), pen)
        return pen.finished()


class _Pen:
    """The output of one update, with the place and the style in which the terminal stands."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._row = self._column = -1
        self._codes = ""

    def write(self, y: int, x: int, chars: Sequence[str], codes: Sequence[str]) -> None:
        if (y, x) != (self._row, self._column):
            self._out.append(f"\x1b[{y + 1};{x + 1}H")
        for char, code in zip(chars, codes, strict=True):
            # Between two words of one style nothing has to be changed.
            if code != self._codes and not (char == " " and _of_blanks(self._codes) == code):
                self._out.append(_transition(self._codes, code))
                self._codes = code
            self._out.append(char)
        self._row, self._column = y, x + len(chars)

    def finished(self) -> str:
        if self._codes:
            self._out.append("\x1b[0m")
        return "".join(self._out)


class _Row:
    """The cells of one row: their text ("" right of a wide one, None where it is not known)."""

    __slots__ = ("chars", "codes")

    def __init__(self, width: int) -> None:
        self.chars: list[str | None] = [None] * width
        self.codes: list[str] = [""] * width

    def runs(self) -> tuple[tuple[str, str], ...]:
        """Text and codes of each run of one style; nothing where a cell is not known or is not
        one character."""
        if any(char is None or len(char) != 1 for char in self.chars):
            return ()
        found: list[tuple[str, str]] = []
        for char, code in zip(self.chars, self.codes, strict=True):
            if found and found[-1][1] == code:
                found[-1] = (found[-1][0] + (char or ""), code)
            else:
                found.append((char or "", code))
        return tuple(found)

    def write(self, y: int, x: int, cells: tuple[list[str], list[str]], pen: _Pen) -> None:
        """Show cells from column ``x`` on: those that differ go through the pen."""
        chars, codes = cells
        end = min(len(self.chars), x + len(chars))
        before, codes_before = self.chars[x:end], self.codes[x:end]
        if before == chars and codes_before == codes:
            return
        for start, stop in _runs(before, codes_before, chars, codes):
            pen.write(y, x + start, chars[start:stop], codes[start:stop])
            if before[start] == "" and x + start > 0:
                self.chars[x + start - 1] = None  # half of a wide character was written over
            if x + stop < len(self.chars) and self.chars[x + stop] == "" and stop == len(before):
                self.chars[x + stop] = None
        self.chars[x:end] = chars[: end - x]
        self.codes[x:end] = codes[: end - x]


def _runs(
    before: Sequence[str | None],
    codes_before: Sequence[str],
    chars: Sequence[str],
    codes: Sequence[str],
) -> Iterable[tuple[int, int]]:
    """The ranges of cells that have to be written, in order, whole characters each."""
    count = len(before)
    at = 0
    while at < count:
        if chars[at] == before[at] and codes[at] == codes_before[at]:
            at += 1
            continue
        start, stop = at, at + 1
        while start > 0 and chars[start] == "":
            start -= 1
        at = stop
        while at < count and at - stop <= MAX_GAP_CELLS:
            if chars[at] != before[at] or codes[at] != codes_before[at] or chars[at] == "":
                stop = at + 1
            at += 1
        at = stop
        yield start, stop


def _pieces(update: LayoutUpdate | ChopsUpdate) -> Iterable[tuple[int, int, Iterable[Strip]]]:
    """The row, the first column and the strips of everything that an update draws."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            yield y, update.region.x, strips
        return
    for y, x1, x2 in update.spans:
        # Where a chop ends the next begins; those that were not drawn are None.
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x >= x2 or end <= x1:
                continue
            left, right = max(x, x1), min(end, x2)
            if left != x or right != end:
                cropped = strip.crop(left - x, right - x)
                strip._crop_cache.clear()  # what changed once does not change alike again
                strip = cropped
            yield y, left, (strip,)


def _cells(strips: Iterable[Strip], sgr: Sgr) -> tuple[list[str], list[str]]:
    """The text and the SGR codes of each cell."""
    chars: list[str] = []
    codes: list[str] = []
    for strip in strips:
        for text, style, control in strip:
            if control or not text:
                continue
            code = "" if style is None else sgr.codes(style)
            cells = text if text.isascii() else _wide_cells(text)
            chars.extend(cells)
            blank = _of_blanks(code)
            if blank == code or " " not in text:
                codes.extend(repeat(code, len(cells)))
            else:
                codes.extend(blank if cell == " " else code for cell in cells)
    return chars, codes


def _wide_cells(text: str) -> list[str]:
    """One item for each cell: a character with what combines with it, "" right of a wide one."""
    cells: list[str] = []
    for char in text:
        width = get_character_cell_size(char)
        if width == 0 and cells:
            at = len(cells) - 1
            while at > 0 and cells[at] == "":
                at -= 1
            cells[at] += char
        else:
            cells.append(char)
            cells.extend(repeat("", width - 1))
    total = cell_len(text)
    if len(cells) != total:
        # Characters that form one image: as wide as they are together, and never written in part.
        return [text, *repeat("", total - 1)] if total else []
    return cells


@lru_cache(maxsize=1024)
def _of_blanks(code: str) -> str:
    """What of a style is seen on a blank: the background, unless something is drawn over it."""
    attributes, _, background = _parts(code)
    return code if _SEEN_ON_BLANKS.intersection(attributes) else background


@lru_cache(maxsize=1024)
def _parts(code: str) -> tuple[tuple[str, ...], str, str]:
    """Attributes, foreground and background of SGR codes ("1;38;2;1;2;3;40")."""
    attributes: list[str] = []
    foreground = background = ""
    numbers = code.split(";") if code else []
    while numbers:
        number = numbers.pop(0)
        if number in ("38", "48"):
            count = 4 if numbers[:1] == ["2"] else 2
            number = ";".join([number, *numbers[:count]])
            del numbers[:count]
        if number.startswith("38;") or (len(number) == 2 and number[0] in "39"):
            foreground = number
        elif (
            number.startswith("48;") or (number[:1] == "4" and len(number) == 2) or len(number) == 3
        ):
            background = number
        else:
            attributes.append(number)
    return tuple(attributes), foreground, background


@lru_cache(maxsize=4096)
def _transition(before: str, after: str) -> str:
    """What changes the style of a terminal from one to another."""
    if not after:
        return "\x1b[0m"
    attributes_before, foreground_before, background_before = _parts(before)
    attributes, foreground, background = _parts(after)
    if not set(attributes_before) <= set(attributes):
        return f"\x1b[0;{after}m"
    codes = [one for one in attributes if one not in attributes_before]
    if foreground != foreground_before:
        codes.append(foreground or "39")
    if background != background_before:
        codes.append(background or "49")
    return f"\x1b[{';'.join(codes)}m"
