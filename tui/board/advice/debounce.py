"""Debounce: raise after N samples present, clear after M samples absent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Debouncer(Generic[Item]):
    """Follows items by key over samples.

    An item shows after ``raise_after`` samples in a row and goes after ``clear_after`` without it;
    while it shows, its newest words are given.
    """

    def __init__(self, raise_after: int = 3, clear_after: int = 5) -> None:
        self._raise_after = raise_after
        self._clear_after = clear_after
        self._seen: dict[str, int] = {}
        self._missed: dict[str, int] = {}
        self._shown: dict[str, Item] = {}

    def feed(self, items: Iterable[tuple[str, Item]]) -> list[Item]:
        """One sample; returns what shows now, in the order in which it appeared."""
        now = dict(items)
        for key, item in now.items():
            self._seen[key] = self._seen.get(key, 0) + 1
            self._missed.pop(key, None)
            if key in self._shown or self._seen[key] >= self._raise_after:
                self._shown[key] = item
        for key in [key for key in self._seen if key not in now]:
            del self._seen[key]
        for key in [key for key in self._shown if key not in now]:
            self._missed[key] = self._missed.get(key, 0) + 1
            if self._missed[key] >= self._clear_after:
                del self._shown[key], self._missed[key]
        return list(self._shown.values())
