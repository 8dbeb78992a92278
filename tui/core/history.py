"""The last minutes of the board: one ring per reading, all on one time axis."""

from __future__ import annotations

from collections.abc import Sequence

from tui.core.reading import Snapshot
from tui.core.ring import Ring

NUMBERS = ("ddr.load", "ddr.freq", "soc.temp", "npu.temp", "npu.freq", "ram.available")
"""Readings kept as one series each."""


class BoardHistory:
    """What the last snapshots said. A missing value is None, so a gap stays a gap."""

    def __init__(self, length: int = 600) -> None:
        self._length = length
        self._rings: dict[str, Ring] = {}
        self._count = 0
        self.latest: Snapshot | None = None

    def add(self, snapshot: Snapshot) -> None:
        """Take one snapshot; one value is added to every series."""
        values = {name: snapshot.number(name) for name in NUMBERS}
        for core, load in enumerate(snapshot.numbers("npu.load")):
            values[f"npu.load.{core}"] = load
        for name in values.keys() | self._rings.keys():
            self._ring(name).push(values.get(name))
        self._count += 1
        self.latest = snapshot

    def _ring(self, name: str) -> Ring:
        """The ring of that reading; one that appears later begins with a gap."""
        ring = self._rings.get(name)
        if ring is None:
            ring = self._rings[name] = Ring(self._length)
            for _ in range(min(self._count, self._length)):
                ring.push(None)
        return ring

    def series(self, name: str, count: int) -> Sequence[float | None]:
        """The last ``count`` values of that reading, oldest first; empty where it never was
        sampled.

        ``npu.load.0``, ``npu.load.1``, ... are the cores of ``npu.load``.
        """
        ring = self._rings.get(name)
        return [] if ring is None else ring.last(count)
