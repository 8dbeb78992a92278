"""Text as it can stand in cells: tabs expanded, joiners only where a terminal joins.

A row must take exactly the cells that the renderer believes it takes, else the terminal breaks the
line itself and the screen is torn. Two things in clean text stand in the way. A tab has the width
that the column gives it. A zero-width joiner is believed to swallow whatever follows it, but a
terminal joins only emoji, so between anything else it goes.
"""

from __future__ import annotations

import re
from collections.abc import Callable

CellLen = Callable[[str], int]
"""The renderer's own measure of a text in terminal cells."""

TAB_CELLS = 4
MAX_JOINERS = 6
"""Joiners kept in one emoji; the longest in use have four."""
ZWJ = "\u200d"
VS16 = "\ufe0f"

_SPECIAL = re.compile("[\t\n\xad\u200d\u3164\uffa0\ufeff]")
_EMOJI_EXTENDERS = VS16 + "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_DROPPED = "\xad\u3164\uffa0\ufeff"


class DisplayText:
    """Turns clean text that arrives in pieces into text that can be measured and cut into rows.

    The pieces of output joined are the same for any split of the input. A joiner waits for the
    character after it; one at the very end is never given out.
    """

    __slots__ = ("_cell_len", "_has_joiner", "_joined", "_last", "_since_stop")

    def __init__(self, cell_len: CellLen) -> None:
        self._cell_len = cell_len
        self._since_stop: list[str] = []
        self._last = ""
        self._has_joiner = False
        self._joined = 0

    def feed(self, text: str) -> str:
        """The display form of the next piece."""
        if not text:
            return ""
        if not self._has_joiner and _SPECIAL.search(text) is None:
            self._pass(text)
            return text
        out: list[str] = []
        start = 0
        for match in _SPECIAL.finditer(text):
            self._take(text[start : match.start()], out)
            start = match.end()
            char = match.group()
            if char == ZWJ:
                self._has_joiner = True
            elif char not in _DROPPED:
                self._has_joiner = False
                self._take_space(char, out)
        self._take(text[start:], out)
        return "".join(out)

    def _take(self, text: str, out: list[str]) -> None:
        if not text:
            return
        if self._has_joiner:
            self._has_joiner = False
            is_joined = is_emoji_end(self._last) and is_pictograph(text[0])
            if is_joined and self._joined < MAX_JOINERS:
                self._joined += 1
                out.append(ZWJ + text[0])
                self._since_stop.append(ZWJ + text[0])
                self._last = text[0]
                text = text[1:]
                if not text:
                    return
        out.append(text)
        self._pass(text)

    def _pass(self, text: str) -> None:
        """Take note of text that goes out as it is."""
        self._since_stop.append(text)
        self._last = text[-1]
        if self._joined and text.strip(_EMOJI_EXTENDERS):
            self._joined = 0

    def _take_space(self, char: str, out: list[str]) -> None:
        if char == "\t":
            column = self._cell_len("".join(self._since_stop))
            char = " " * (TAB_CELLS - column % TAB_CELLS)
        self._since_stop.clear()
        self._last = ""
        out.append(char)


def display_text(text: str, cell_len: CellLen) -> str:
    """The display form of a whole text."""
    return DisplayText(cell_len).feed(text)


def is_pictograph(char: str) -> bool:
    """Whether a joiner before this character makes an emoji with what precedes it.

    Regional indicators are none: two of them are a flag, and a joiner does not join flags.
    """
    if "\U0001f1e6" <= char <= "\U0001f1ff":
        return False
    return "\U0001f000" <= char < "\U00020000" or "\u2190" <= char <= "\u2bff"


def is_emoji_end(char: str) -> bool:
    """Whether an emoji can go on with a joiner after this character."""
    return bool(char) and (char == VS16 or is_pictograph(char))
