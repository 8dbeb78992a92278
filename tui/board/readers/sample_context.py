"""Context of one sample: its time, its readings, and rates against the sample before."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.core.board.reading import Reading, ReadingValue

NS = 1_000_000_000

MIN_WINDOW_NS = NS // 4
"""A rate over less than this says more about the clock than about the board."""


@dataclass(slots=True)
class SampleContext:
    """When a sample is taken, and what it has read so far.

    ``t_ns`` is CLOCK_MONOTONIC; ``wall_s`` is compared with file times and used in labels only.
    ``max_gap_ns`` is the longest window over which a difference still means anything.
    """

    t_ns: int
    wall_s: float
    max_gap_ns: int = 10 * NS
    readings: dict[str, Reading] = field(default_factory=dict)

    def value(self, reading_id: str) -> ReadingValue:
        """What this sample has read under that id so far, or None."""
        reading = self.readings.get(reading_id)
        return None if reading is None else reading.value

    def number(self, reading_id: str) -> float | None:
        """That value where it is one number."""
        value = self.value(reading_id)
        return float(value) if isinstance(value, int | float) else None


class Window:
    """Decides between which two samples a difference is taken.

    A window shorter than a quarter of a second is left open: the earlier result stands. One that
    is longer than the largest gap, or does not advance, is dropped.
    """

    __slots__ = ("_start_ns",)

    def __init__(self) -> None:
        self._start_ns: int | None = None

    def is_short(self, context: SampleContext) -> bool:
        """Whether the window is open and too young to be closed now."""
        return self._start_ns is not None and 0 <= context.t_ns - self._start_ns < MIN_WINDOW_NS

    def close(self, context: SampleContext) -> float | None:
        """The seconds since the last close, or None where there is no valid window."""
        start_ns, self._start_ns = self._start_ns, context.t_ns
        if start_ns is None:
            return None
        passed_ns = context.t_ns - start_ns
        return passed_ns / NS if 0 < passed_ns <= context.max_gap_ns else None

    def reset(self) -> None:
        """Forget the earlier sample: the counters behind it are gone."""
        self._start_ns = None
