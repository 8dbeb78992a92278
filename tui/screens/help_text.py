"""The text of the help as rows: keys of every screen and the glossary, in one column or two."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from tui.core.screen.glossary import GLOSSARY
from tui.core.screen.key_names import shown_key
from tui.core.screen.keymap import Place, help_sections
from tui.widgets.kit.rows import Row, pad, spread

KEY_CELLS = 24
NARROW_KEY_CELLS = 18
"""The same in one of two columns."""
MIN_WORD_CELLS = 24
TWO_COLUMNS = 100
"""From this width on there are two columns."""
GAP_CELLS = 3
WORDS_TITLE = "words and figures"

Line = tuple[Row, int | None]
"""A row, and the number of the entry that it belongs to."""


@dataclass(frozen=True, slots=True)
class HelpEntry:
    """A key and what it does, or a word and what it means."""

    number: int
    name: str
    text: str

    def has(self, words: str) -> bool:
        """Whether the words stand in it one after the other; case does not matter."""
        return words.casefold() in f"{self.name} {self.text}".casefold()


@dataclass(frozen=True, slots=True)
class LaidOut:
    """The rows, and in which one each entry begins."""

    rows: list[Row]
    row_of: dict[int, int] = field(default_factory=dict)


class HelpText:
    """The keys of every screen, those of ``place`` first, then the glossary."""

    def __init__(self, keymap: Mapping[str, str], version: str, place: Place) -> None:
        self._version = version
        self._search_key = shown_key(keymap["help.search"].split(",")[0])
        self._sections: list[tuple[str, list[HelpEntry]]] = []
        number = 0
        for title, lines in (*help_sections(keymap, place), (WORDS_TITLE, GLOSSARY)):
            entries = [HelpEntry(number + at, *line) for at, line in enumerate(lines)]
            self._sections.append((title, entries))
            number += len(entries)

    def find(self, words: str) -> list[int]:
        """The entries that have these words, in the order in which they stand in one column."""
        wanted = " ".join(words.split())
        if not wanted:
            return []
        return [one.number for _, entries in self._sections for one in entries if one.has(wanted)]

    def lay_out(self, width: int, grounds: Mapping[int, str] | None = None) -> LaidOut:
        """The whole text. ``grounds`` names the ground of entries that are to be seen."""
        version: Row = (("npulse ", "live"), (self._version, "dim"))
        found = LaidOut([spread(version, ((f"{self._search_key} searches", "dim"),), width), ()])
        if width < TWO_COLUMNS:
            sections = [line for one in self._sections for line in _section(*one, width, KEY_CELLS)]
            _add(found, [sections[:-1]], width, grounds or {})
            return found
        cells = (width - GAP_CELLS) // 2
        columns: tuple[list[Line], list[Line]] = ([], [])
        for title, entries in self._sections[:-1]:
            min(columns, key=len).extend(_section(title, entries, cells, NARROW_KEY_CELLS))
        _add(found, columns, cells, grounds or {})
        title, entries = self._sections[-1]
        found.rows.append(((title, "strong"),))
        _add(found, _halves(entries, cells), cells, grounds or {})
        return found


def _section(title: str, entries: Sequence[HelpEntry], width: int, key_cells: int) -> list[Line]:
    return [(((title, "strong"),), None), *_entries(entries, width, key_cells), ((), None)]


def _entries(entries: Sequence[HelpEntry], width: int, key_cells: int) -> Iterator[Line]:
    """Keys at the left, words at the right; on a narrow screen the words stand below."""
    left = min(max(len(one.name) for one in entries) + 2, key_cells)
    if width - left < MIN_WORD_CELLS:
        for one in entries:
            for line in textwrap.wrap(one.name, width):
                yield ((line, "key"),), one.number
            for line in textwrap.wrap(one.text, max(width - 4, 8)):
                yield (("    ", "text"), (line, "text")), one.number
        return
    for one in entries:
        names, words = textwrap.wrap(one.name, left - 2), textwrap.wrap(one.text, width - left)
        for head, line in zip_longest(names, words, fillvalue=""):
            yield (*pad(((head, "key"),), left), (line, "text")), one.number


def _halves(entries: Sequence[HelpEntry], cells: int) -> tuple[list[Line], list[Line]]:
    """One section in two columns that are about as high; no entry is cut."""
    lines = list(_entries(entries, cells, NARROW_KEY_CELLS))
    cut = (len(lines) + 1) // 2
    while cut < len(lines) and lines[cut][1] == lines[cut - 1][1]:
        cut += 1
    return lines[:cut], lines[cut:]


def _add(
    found: LaidOut, columns: Sequence[Sequence[Line]], cells: int, grounds: Mapping[int, str]
) -> None:
    """The columns beside each other below what is there."""
    nothing: Line = ((), None)
    for lines in zip_longest(*columns, fillvalue=nothing):
        row: Row = ()
        for at, (part, number) in enumerate(lines):
            if number is not None:
                found.row_of.setdefault(number, len(found.rows))
            ground = grounds.get(number) if number is not None else None
            if at < len(lines) - 1 or ground:
                part = pad(part, cells)
            if ground:
                # The colour of keys is too near to the ground.
                part = tuple(
                    (text, f"{'strong' if role == 'key' else role}/{ground}") for text, role in part
                )
            row = (*row, *(((" " * GAP_CELLS, "text"),) if at else ()), *part)
        found.rows.append(row)
