"""A history of fixed length: the last values of a reading, with gaps where it was absent."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator


class Ring:
    """The last ``capacity`` values, oldest first; None stands for an absent value."""

    __slots__ = ("_values",)

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError("a ring holds at least one value")
        self._values: deque[float | None] = deque(maxlen=capacity)

    def push(self, value: float | None) -> None:
        """Appends a value; the oldest one goes where the ring is full."""
        self._values.append(value)

    def last(self, count: int) -> list[float | None]:
        """The newest ``count`` values (fewer where there are fewer), oldest first."""
        skip = max(len(self._values) - max(count, 0), 0)
        return [value for at, value in enumerate(self._values) if at >= skip]

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[float | None]:
        return iter(tuple(self._values))
