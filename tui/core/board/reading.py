"""A reading: a value of the board with its unit and source, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ReadingValue = float | int | str | tuple[float | int | None, ...] | None
"""A number, a word, or one number per core where there are several (None where one is absent)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value. Exactly one of ``value`` and ``reason`` is None."""

    value: ReadingValue
    unit: str = ""
    source: str = ""
    """The file, or the rung of a chain of files, that the value came from."""
    reason: str | None = None
    """Why there is no value: ``no permission``, ``no driver``, ``stale``, ..."""
    flags: tuple[str, ...] = ()
    """What is remarkable about it: ``clamped``, ``capped``, ``simulated``, ..."""

    @staticmethod
    def absent(reason: str, unit: str = "", source: str = "") -> Reading:
        return Reading(None, unit, source, reason)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every reading of one sample.

    ``t_ns`` is ``perf_counter_ns`` at the start of the sample, ``time`` seconds of wall time, for
    labels only.
    """

    t_ns: int
    time: float
    readings: Mapping[str, Reading] = field(default_factory=dict)

    def get(self, reading_id: str) -> Reading:
        """The reading of that dotted id; one with a reason where it was not sampled at all."""
        return self.readings.get(reading_id) or Reading.absent("not sampled")

    def number(self, reading_id: str) -> float | None:
        """The value where it is one number, else None."""
        value = self.get(reading_id).value
        return float(value) if isinstance(value, int | float) else None

    def numbers(self, reading_id: str) -> tuple[float | None, ...]:
        """The values where there are several (a single number counts as one), else ()."""
        value = self.get(reading_id).value
        if isinstance(value, tuple):
            return tuple(None if v is None else float(v) for v in value)
        return (float(value),) if isinstance(value, int | float) else ()

    def text(self, reading_id: str) -> str | None:
        """The value where it is a word, else None."""
        value = self.get(reading_id).value
        return value if isinstance(value, str) else None
