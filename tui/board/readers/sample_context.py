"""Context of one sample: its time, its readings, and rates against the sample before."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.core.board.reading import Reading, ReadingValue

NS = 1_000_000_000

MIN_WINDOW_NS = NS // 4
"""The shortest window of a rate; over less, the resolution of the counters dominates."""


@dataclass(slots=True)
class SampleContext:
    """The time of a sample, and the readings that it has so far.

    ``t_ns`` is CLOCK_MONOTONIC. ``wall_s`` (UNIX) is only compared with file times and shown.
    ``max_gap_ns`` is the longest valid window of a rate.
    """

    t_ns: int
    wall_s: float
    max_gap_ns: int = 10 * NS
    readings: dict[str, Reading] = field(default_factory=dict)

    def value(self, reading_id: str) -> ReadingValue:
        """The value of a reading of this sample; None if it is absent or not read yet."""
        reading = self.readings.get(reading_id)
        return None if reading is None else reading.value

    def number(self, reading_id: str) -> float | None:
        """The value if it is a single number, else None."""
        value = self.value(reading_id)
        return float(value) if isinstance(value, int | float) else None


class Window:
    """The time between two samples over which a rate is computed.

    A window of less than 0.25 s stays open, and the earlier rate stays valid. A window longer than
    ``max_gap_ns``, or one in which the clock does not advance, gives no rate.
    """

    __slots__ = ("_start_ns",)

    def __init__(self) -> None:
        self._start_ns: int | None = None

    def is_short(self, context: SampleContext) -> bool:
        """Whether the open window is still shorter than 0.25 s."""
        return self._start_ns is not None and 0 <= context.t_ns - self._start_ns < MIN_WINDOW_NS

    def close(self, context: SampleContext) -> float | None:
        """End the window and begin the next. Returns its length in s, or None if it is invalid."""
        start_ns, self._start_ns = self._start_ns, context.t_ns
        if start_ns is None:
            return None
        passed_ns = context.t_ns - start_ns
        return passed_ns / NS if 0 < passed_ns <= context.max_gap_ns else None

    def reset(self) -> None:
        """Discard the window, as the counters at its start are no longer valid."""
        self._start_ns = None
