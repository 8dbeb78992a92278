"""Debounce: raise after N samples present, clear after M samples absent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Debouncer(Generic[Item]):
    """Debounces items by key over successive samples.

    An item is raised after ``raise_after`` successive samples with it, and cleared after
    ``clear_after`` successive samples without it. While raised, its newest value is returned.
    """

    def __init__(self, raise_after: int = 3, clear_after: int = 5) -> None:
        self._raise_after = raise_after
        self._clear_after = clear_after
        self._seen: dict[str, int] = {}
        self._missed: dict[str, int] = {}
        self._shown: dict[str, Item] = {}

    def feed(self, items: Iterable[tuple[str, Item]]) -> list[Item]:
        """Process one sample of (key, item); returns the raised items in the order of raising."""
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
