"""Encodes board samples as differences from the previous sample, and decodes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from tui.core.board.reading import Reading, Snapshot
from tui.recording.lines import Board, FullReading, Program, Value

FULL_EVERY = 60
"""Every so many lines, one has all readings, which limits the effect of a damaged line."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A snapshot, and other programs that used CPU time then."""

    snapshot: Snapshot
    programs: tuple[Program, ...] = ()


class SampleLines:
    """Encodes samples; keeps the last ``n_held`` until :meth:`take`."""

    def __init__(self, n_held: int) -> None:
        self._held: deque[Sample] = deque(maxlen=n_held)
        self._known: dict[str, FullReading] = {}
        self._n_since_full = 0

    def add(self, sample: Sample) -> None:
        self._held.append(sample)

    @property
    def first_ns(self) -> int | None:
        """Time of the first held sample."""
        return self._held[0].snapshot.t_ns if self._held else None

    def take(self, *, is_full: bool = False) -> list[tuple[int, Board]]:
        """Returns the held samples as lines; ``is_full``: the first has all readings."""
        made: list[tuple[int, Board]] = []
        while self._held:
            made.append(self._line(self._held.popleft(), is_full=is_full and not made))
        return made

    def _line(self, sample: Sample, *, is_full: bool) -> tuple[int, Board]:
        snapshot = sample.snapshot
        is_full = is_full or not self._known or self._n_since_full >= FULL_EVERY
        known: dict[str, FullReading] = {} if is_full else self._known
        changed: dict[str, FullReading | Value] = {}
        for name, reading in snapshot.readings.items():
            now, before = _full(reading), known.get(name)
            if now == before:
                continue
            is_value = before is not None and (
                (now.unit, now.source, now.reason, now.flags)
                == (before.unit, before.source, before.reason, before.flags)
            )
            changed[name] = now.value if is_value else now
        gone = [name for name in known if name not in snapshot.readings]
        changed |= {name: FullReading(reason="not sampled") for name in gone}
        self._known = {name: _full(reading) for name, reading in snapshot.readings.items()}
        self._n_since_full = 1 if is_full else self._n_since_full + 1
        line = Board(
            time=round(snapshot.time, 3),
            is_full=is_full,
            readings=changed,
            programs=sample.programs,
        )
        return snapshot.t_ns, line


@dataclass(slots=True)
class SampleReader:
    """Decodes consecutive lines to complete samples."""

    known: dict[str, Reading] = field(default_factory=dict)

    def read(self, line: Board, t_ns: int) -> Sample:
        """The sample of the next line; ``t_ns`` is its time on the answer's clock."""
        found = {} if line.is_full else dict(self.known)
        for name, told in line.readings.items():
            if isinstance(told, FullReading):
                found[name] = Reading(told.value, told.unit, told.source, told.reason, told.flags)
                continue
            before = found.get(name, Reading(None))
            found[name] = Reading(told, before.unit, before.source, None, before.flags)
        self.known = found
        return Sample(Snapshot(t_ns, line.time, found), line.programs)


def programs_of(neighbours: Sequence[tuple[int, str, float, int | None]]) -> tuple[Program, ...]:
    """Programs found by :class:`tui.board.readers.neighbours.Neighbours`, as recorded values."""
    return tuple(Program(*found) for found in neighbours)


def _full(reading: Reading) -> FullReading:
    return FullReading(
        reading.value, reading.unit, reading.source, reading.reason, tuple(reading.flags)
    )
