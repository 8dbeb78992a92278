"""Writes cells to a terminal in few bytes: the shortest move of the cursor, the shortest change of
its style.

Where a character may be wider in one terminal than in another (East Asian ambiguous ones, as lines
of a box), the column is not known after it, and the next move names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby, pairwise

_SEEN_ON_BLANKS = frozenset(("4", "7", "9", "21", "53"))
"""Underline, reverse, strike, double underline, overline (ECMA-48, SGR)."""
_ENDED_BY = {
    "1": "22", "2": "22", "3": "23", "4": "24", "21": "24", "5": "25", "6": "25", "7": "27",
    "8": "28", "9": "29", "53": "55",
}  # fmt: skip
"""Attribute -> what ends it (ECMA-48, SGR)."""

SORTED_RUNS = 8
"""So many changed places are enough to look whether another order of them is shorter."""
LONG_COLOUR = 8
"""Characters of a background that is worth the moves: "48;5;17" is not much more than one."""


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring cells of a row of ``width`` cells, from column ``x`` on: the text of each ("" is
    the right half of a wide character) and its SGR parameters."""

    y: int
    x: int
    chars: Sequence[str]
    codes: Sequence[str]
    width: int


class Pen:
    """The style in which a terminal stands, and within an update the place.

    Between two updates the style stays: whoever leaves the terminal resets it. The place is named
    anew, since somebody else (``wall``) may have written.
    """

    def __init__(self) -> None:
        self._out: list[str] = []
        self._codes: str | None = None
        self._row = self._column = -1
        self._is_column_sure = False

    def forget(self) -> None:
        """Nothing is known of the terminal."""
        self._codes = None

    def written(self, runs: Sequence[Run]) -> str:
        """What writes all of these in one update; no two have a cell in common."""
        before = self._codes
        text = self._in_order(runs)
        if _is_worth_sorting(runs):
            after = self._codes, self._row, self._column, self._is_column_sure
            self._codes = before
            sorted_text = self._in_order(_by_background(runs, before or ""))
            if len(sorted_text) < len(text):
                return sorted_text
            self._codes, self._row, self._column, self._is_column_sure = after
        return text

    def _in_order(self, runs: Iterable[Run]) -> str:
        self._out, self._row = [], -1
        for run in runs:
            self._write(run)
        return "".join(self._out)

    def _write(self, run: Run) -> None:
        self._out.append(self.move(run.y, run.x))
        for char, code in zip(run.chars, run.codes, strict=True):
            if code != self._codes:
                self._set_style(_of_blank(self._codes, code) if char == " " else code)
            self._out.append(char)
        self._column = run.x + len(run.chars)
        # In the last column terminals differ in where the cursor stands after it.
        self._is_column_sure = (
            self._is_column_sure and self._column < run.width and all(map(_is_narrow, run.chars))
        )

    def move(self, y: int, x: int) -> str:
        """What moves the cursor there."""
        if (y, x) == (self._row, self._column):
            return ""
        ways = [f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H"]
        if self._row >= 0:
            if y == self._row:
                ways.append(f"\x1b[{x + 1}G" if x else "\r")
            if self._is_column_sure:
                ways.append(_down(y - self._row) + _across(x - self._column))
        self._row, self._column, self._is_column_sure = y, x, True
        return min(ways, key=len)

    def _set_style(self, code: str) -> None:
        if code != self._codes:
            self._out.append(_transition(self._codes, code))
            self._codes = code


def _is_worth_sorting(runs: Sequence[Run]) -> bool:
    """Whether the background changes to and fro: over rows of which each has a lit part."""
    if len(runs) < SORTED_RUNS:
        return False
    seen = [_parts(code)[2] for run in runs for code in dict.fromkeys(run.codes)]
    changes = sum(one != two for one, two in pairwise(seen))
    return changes > 2 * len(set(seen)) and max(map(len, seen)) >= LONG_COLOUR


def _by_background(runs: Iterable[Run], codes: str) -> Iterator[Run]:
    """The runs in parts of one background, all of each together; the present one comes first."""
    found: dict[str, list[Run]] = {_parts(codes)[2]: []}
    for run in runs:
        at = 0
        for background, cells in groupby(run.codes, lambda code: _parts(code)[2]):
            end = at + sum(1 for _ in cells)
            part = Run(run.y, run.x + at, run.chars[at:end], run.codes[at:end], run.width)
            found.setdefault(background, []).append(part)
            at = end
    return chain.from_iterable(found.values())


@lru_cache(maxsize=4096)
def of_blanks(code: str) -> str:
    """What of a style is seen on a blank: the background, unless something is drawn over it."""
    attributes, _, background = _parts(code)
    return code if _SEEN_ON_BLANKS.intersection(attributes) else background


def _is_narrow(char: str) -> bool:
    """Whether every terminal gives it one cell: ASCII and braille."""
    return len(char) == 1 and (char < "\x7f" or "\u2800" <= char <= "\u28ff")


def _down(rows: int) -> str:
    if rows == 0:
        return ""
    count = "" if abs(rows) == 1 else abs(rows)
    return f"\x1b[{count}{'B' if rows > 0 else 'A'}"


def _across(columns: int) -> str:
    if columns == 0:
        return ""
    if -4 < columns < 0:
        return "\b" * -columns
    count = "" if abs(columns) == 1 else abs(columns)
    return f"\x1b[{count}{'C' if columns > 0 else 'D'}"


@lru_cache(maxsize=4096)
def _of_blank(before: str | None, code: str) -> str:
    """The style in which a blank looks as in ``code``, as near as can be to the one before: what
    has no effect on it stays for the word after it."""
    attributes, _, background = _parts(code)
    if before is None or _SEEN_ON_BLANKS.intersection(attributes):
        return code
    kept, foreground, _ = _parts(before)
    if _SEEN_ON_BLANKS.intersection(kept):
        return code
    return ";".join(filter(None, (*kept, foreground, background)))


@lru_cache(maxsize=4096)
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
def _transition(before: str | None, after: str) -> str:
    """What changes the style of a terminal from one to another."""
    whole = f"\x1b[0;{after}m" if after else "\x1b[m"
    if before is None:
        return whole
    attributes_before, foreground_before, background_before = _parts(before)
    attributes, foreground, background = _parts(after)
    gone = [one for one in attributes_before if one not in attributes]
    if not _ENDED_BY.keys() >= set(gone):
        return whole
    codes = list(dict.fromkeys(_ENDED_BY[one] for one in gone))
    # What ends bold ends dim as well.
    is_set = set(attributes_before) - {one for one in attributes if _ENDED_BY.get(one) in codes}
    codes += [one for one in attributes if one not in is_set]
    if foreground != foreground_before:
        codes.append(foreground or "39")
    if background != background_before:
        codes.append(background or "49")
    step = f"\x1b[{';'.join(codes)}m" if codes else ""
    return min(step, whole, key=len)
