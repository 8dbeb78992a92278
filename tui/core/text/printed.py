"""What commands print: colours on a terminal alone, tables in columns that fit its width.

Nothing is told by colour alone, and nothing is cut where the output is no terminal.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate

GAP = "  "
ELLIPSIS = "…"
MIN_FOLD_CELLS = 24
MIN_CUT_CELLS = 8
"""A column is not cut to less."""
MIN_KEPT_CELLS = 24
"""Other columns are left out before one is cut to less."""
SGR = {"strong": "1", "key": "1", "dim": "2", "live": "36", "ok": "32", "warn": "33", "bad": "1;31"}
"""Role of a text -> SGR parameters (ECMA-48, 8.3.117): the terminal's own colours."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What is printed on. ``width`` in cells, None where nothing has to be cut."""

    width: int | None = None
    has_colours: bool = False

    def styled(self, text: str, role: str) -> str:
        """The text in the style of a role: one of :data:`SGR`, or none."""
        code = SGR.get(role)
        return f"\x1b[{code}m{text}\x1b[0m" if self.has_colours and code and text else text


PLAIN = Paper()

Cell = str | tuple[str, str]
"""A text, or a text and its role."""


def cells_of(text: str) -> int:
    """Cells that a terminal takes for a text of one line: wide characters take two, those that are
    set over the one before them none (Unicode, UAX 11)."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of_char, text))


def _cells_of_char(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def cut(text: str, cells: int) -> str:
    """The text in at most so many cells; where something is left out, a sign says so."""
    if cells_of(text) <= cells:
        return text
    ends = accumulate(map(_cells_of_char, text))
    kept = sum(1 for end in ends if end <= cells - 1)
    return f"{text[:kept]}{ELLIPSIS}" if cells > 0 else ""


def folded(text: str, paper: Paper, indent: str = "") -> str:
    """The text in as many lines as the paper needs, those after the first one indented by
    ``indent``; the first one begins where that indent ends. No word is cut."""
    if paper.width is None or cells_of(text) + len(indent) <= paper.width:
        return text
    lines = textwrap.wrap(
        text,
        max(paper.width - len(indent), MIN_FOLD_CELLS),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"\n{indent}".join(lines)


def table(
    rows: Sequence[Sequence[Cell]],
    paper: Paper = PLAIN,
    *,
    right: Collection[int] = (),
    cuts: int | None = None,
    drops: Sequence[int] = (),
    indent: str = "",
) -> list[str]:
    """The rows with their cells below each other, two blanks between.

    ``right`` are columns whose texts stand at the right edge. ``cuts`` is the column that gives way
    where the paper is too narrow; without it lines may be longer than the paper. ``drops`` are left
    out there, the first ones first, until all fits or that column keeps enough of its text. A
    column with no text is left out.
    """
    count = max(map(len, rows), default=0)
    filled = [
        [_cell(row[at]) if at < len(row) else ("", "") for at in range(count)] for row in rows
    ]
    widths = [max(cells_of(row[at][0]) for row in filled) for at in range(count)]
    if paper.width is not None:
        room = paper.width - len(indent)
        for at in drops:
            given = 0 if cuts is None else max(widths[cuts] - MIN_KEPT_CELLS, 0)
            if _over(widths, room) <= given:
                break
            widths[at] = 0
        over = _over(widths, room)
        if cuts is not None and over > 0:
            widths[cuts] = min(widths[cuts], max(widths[cuts] - over, MIN_CUT_CELLS))
    return [_line(row, widths, paper, right, indent) for row in filled]


def _over(widths: Sequence[int], room: int) -> int:
    """Cells that columns of these widths take beyond the room."""
    return sum(widths) + len(GAP) * (sum(width > 0 for width in widths) - 1) - room


def _cell(cell: Cell) -> tuple[str, str]:
    return (cell, "") if isinstance(cell, str) else cell


def _line(
    row: Sequence[tuple[str, str]],
    widths: Sequence[int],
    paper: Paper,
    right: Collection[int],
    indent: str,
) -> str:
    line, blanks = indent, 0
    for at, ((text, role), width) in enumerate(zip(row, widths, strict=True)):
        if not width:
            continue
        shown = cut(text, width)
        missing = width - cells_of(shown)
        if not shown:
            blanks += width
        else:
            before = missing if at in right else 0
            # Not written before something follows: no line ends with blanks.
            line += " " * (blanks + before) + paper.styled(shown, role)
            blanks = missing - before
        blanks += len(GAP)
    return line
