"""Line numbers of the keys of a TOML file, including arrays of tables."""

from __future__ import annotations

import re
from collections.abc import Mapping

Place = tuple[str | int, ...]
"""Path of keys and indices from the top level: ``("prompt", 0, "check", 1, "kind")``."""

_HEADER = re.compile(r"\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}")
_KEY = re.compile(r"""\s*([A-Za-z0-9_-]+|"[^"]*"|'[^']*')\s*(?:\.[^=]*)?=""")
_QUOTES = ('"""', "'''")


def written_places(text: str) -> dict[Place, int]:
    """Line number (from 1) of each header and key. Inline tables and dotted keys are not
    resolved."""
    found: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    closing = ""
    for number, line in enumerate(text.splitlines(), 1):
        if closing:
            if closing in line:
                closing = ""
            continue
        if header := _HEADER.match(line):
            table = _table(header[2], is_array=header[1] == "[[", counts=counts)
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, key[1].strip("\"'")), number)
            closing = _opened(line)
    return found


def _opened(line: str) -> str:
    """The quotes of a multi-line string that begins but does not end in this line; else None."""
    for quotes in _QUOTES:
        if line.count(quotes) % 2:
            return quotes
    return ""


def _table(name: str, *, is_array: bool, counts: dict[Place, int]) -> Place:
    """The place of a header; each ``[[name]]`` gets the next index."""
    path: Place = ()
    parts = [part.strip().strip("\"'") for part in name.split(".")]
    for depth, part in enumerate(parts):
        path = (*path, part)
        is_last = depth == len(parts) - 1
        if is_last and is_array:
            counts[path] = counts.get(path, -1) + 1
            return (*path, counts[path])
        if path in counts:
            path = (*path, counts[path])
    return path


def line_of(places: Mapping[Place, int], place: Place) -> int | None:
    """The line of a place, or of the nearest enclosing one."""
    while place:
        if place in places:
            return places[place]
        place = place[:-1]
    return None
