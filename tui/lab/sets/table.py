"""Reads the keys of one table of a prompt set, and reports mistakes."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping

from tui.lab.sets.lines import Place
from tui.lab.sets.problems import Problems, meant, quoted

ID_CHARS = 80
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class TableReader:
    """Typed values of one table. A value of a wrong type is reported and treated as absent."""

    def __init__(self, problems: Problems, place: Place, table: Mapping[str, object]) -> None:
        self._problems = problems
        self._place = place
        self.table = table

    def wrong(self, key: str, sentence: str) -> None:
        """Report a mistake in a key; the empty key is the whole table."""
        self._problems.add((*self._place, key) if key else self._place, sentence)

    def only(self, known: Collection[str], what: str) -> None:
        """Report all other keys as mistakes."""
        for key in self.table:
            if key not in known:
                self.wrong(key, f"{what} has no key {quoted(key)}; {meant(key, known)}")

    def text(self, key: str, default: str = "", *, is_needed: bool = False) -> str:
        value = self.table.get(key)
        if value is None:
            if is_needed:
                self.wrong("", f'{key} is missing; write {key} = "..."')
            return default
        if not isinstance(value, str):
            self.wrong(key, f'{key} is {quoted(value)}; it takes a text, so write {key} = "..."')
            return default
        if is_needed and not value.strip():
            self.wrong(key, f"{key} is empty; it takes a text")
        return value

    def name(self, key: str, default: str) -> str:
        """An id, used as the name of a column, a row and a file."""
        value = self.text(key, default)
        if len(value) > ID_CHARS or not _ID.fullmatch(value):
            sentence = f"{key} is {quoted(value)}; it takes up to {ID_CHARS} letters, digits, . _ -"
            self.wrong(key, sentence)
            return default
        return value

    def choice(self, key: str, words: Collection[str], default: str) -> str:
        value = self.text(key, default)
        if value in words:
            return value
        self.wrong(key, f"{key} is {quoted(value)}; {meant(value, words)}")
        return default

    def flag(self, key: str) -> bool | None:
        value = self.table.get(key)
        if value is None or isinstance(value, bool):
            return value
        self.wrong(key, f"{key} is {quoted(value)}; it takes true or false")
        return None

    def whole(self, key: str, low: int, high: int) -> int | None:
        value = self.table.get(key)
        if value is None:
            return None
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if is_whole and low <= value <= high:  # type: ignore[operator]
            return value  # type: ignore[return-value]
        self.wrong(key, f"{key} is {quoted(value)}; it takes a whole number from {low} to {high}")
        return None

    def number(self, key: str, low: float, high: float) -> float | None:
        value = self.table.get(key)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            number = float(value) if abs(value) < 1e300 else math.inf
            if low <= number <= high:
                return number
        self.wrong(key, f"{key} is {quoted(value)}; it takes a number from {low:g} to {high:g}")
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.table.get(key)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.wrong(key, f'{key} is {quoted(value)}; it takes a list of texts, so write ["..."]')
        return ()

    def values(self, key: str) -> dict[str, str]:
        """A table of texts; numbers are converted to texts."""
        value = self.table.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.wrong(key, f'{key} is {quoted(value)}; it takes a table: {{ name = "value" }}')
            return {}
        found: dict[str, str] = {}
        for name, one in value.items():
            if isinstance(one, str):
                found[name] = one
            elif isinstance(one, int | float) and not isinstance(one, bool):
                found[name] = quoted(one)
            else:
                sentence = f"{key}.{name} is {quoted(one)}; it takes a text or a number"
                self.wrong(key, sentence)
        return found

    def tables(self, key: str) -> list[tuple[Place, Mapping[str, object]]]:
        """The tables of an array, each with its place."""
        value = self.table.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            self.wrong(key, f"{key} is {quoted(value)}; write each one below a line [[{key}]]")
            return []
        return [((*self._place, key, at), one) for at, one in enumerate(value)]
