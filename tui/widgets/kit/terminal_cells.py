"""The terminal's content cell by cell, so that only changed cells are written.

Textual writes whole regions: a dialog that opens over a screen repaints all of it several times
over, and a dialog over an answer that streams does so with every token. Over SSH that is 100 kB a
second for a picture in which five cells change. Here each update is compared with what was written
before. Colours and attributes are set only where they differ from those of the cell before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

from rich.cells import cell_len, get_character_cell_size
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Size
from textual.strip import Strip

from tui.widgets.kit.pen import Pen, Run, of_blanks
from tui.widgets.kit.sgr import Sgr

MAX_GAP_BYTES = 5
"""Equal cells between two that differ are written again where that is no longer than a move of the
cursor to the right."""
STYLE_BYTES = 20
"""What a change of the style takes, about."""


class TerminalCells:
    """The cells that were written so far. One for each terminal; ``forget`` when it was cleared."""

    def __init__(self) -> None:
        self._size = Size(0, 0)
        self._rows: list[_Row] = []
        self._pen = Pen()
        self._is_adopted = False

    def adopt(self, rows: Sequence[Sequence[tuple[str, str]]], size: Size) -> None:
        """The terminal shows these rows already, drawn by somebody else: runs of text and its SGR
        parameters, one cell for each character. A row without runs is not known."""
        self._size, self._is_adopted = size, True
        self._pen.forget()
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
        self._pen.forget()

    def changes(self, update: LayoutUpdate | ChopsUpdate, size: Size, sgr: Sgr) -> str:
        """What has to be written so that a terminal of ``size`` shows an update; may be empty.

        It counts as written from then on, and the terminal is left in the style of its end.
        """
        self._is_adopted = False
        if size != self._size:
            self._size = size
            self._rows = [_Row(size.width) for _ in range(size.height)]
            self._pen.forget()
        runs: list[Run] = []
        for y, x, strips in _pieces(update):
            if 0 <= y < size.height:
                runs.extend(self._rows[y].show(y, x, _cells(strips, sgr)))
        return self._pen.written(runs)

    def cursor_to(self, y: int, x: int) -> str:
        """What moves the cursor to that place after the last :meth:`changes`."""
        return self._pen.move(y, x)


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

    def show(self, y: int, x: int, cells: tuple[list[str], list[str]]) -> Iterator[Run]:
        """Show cells from column ``x`` on: gives those that have to be written."""
        chars, codes = cells
        end = min(len(self.chars), x + len(chars))
        before, codes_before = self.chars[x:end], self.codes[x:end]
        if before == chars and codes_before == codes:
            return
        for start, stop in _runs(before, codes_before, chars, codes):
            yield Run(y, x + start, chars[start:stop], codes[start:stop], len(self.chars))
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
        at, gap_bytes = stop, 0
        while at < count and gap_bytes <= MAX_GAP_BYTES:
            if chars[at] != before[at] or codes[at] != codes_before[at] or chars[at] == "":
                stop, gap_bytes = at + 1, 0
            else:
                gap_bytes += 1 if chars[at].isascii() else 3
                gap_bytes += STYLE_BYTES if codes[at] != codes[at - 1] else 0
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
            blank = of_blanks(code)
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
