"""Chunks grouped by the moment at which they arrived, however a proxy has cut or joined them.

Tokens of the first arrival were made before it: they do not belong to the time after it. With n1
of N tokens in the first arrival at t1, and the last arrival at tN, the rate is
``(N - n1) / (tN - t1)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ARRIVAL_NS = 3_000_000
"""What comes within this time came together."""
BURST_CHUNKS = 4
"""So many chunks that came together were held back by something."""


SINGLE_SHARE = 0.8
"""The least share of chunks that came by themselves, for gaps between them to mean something."""


def arrive_in_bursts(stamps_ns: Sequence[int]) -> bool:
    """Whether gaps between these chunks say nothing about gaps between tokens."""
    arrivals = Arrivals()
    for t_ns in stamps_ns:
        arrivals.add(t_ns, 1.0)
    return len(stamps_ns) > BURST_CHUNKS and arrivals.count < SINGLE_SHARE * len(stamps_ns)


@dataclass(slots=True)
class Arrivals:
    """Running counts of one answer; O(1) for a chunk."""

    count: int = 0
    first_chunks: int = 0
    first_weight: float = 0.0
    """Estimated tokens of the first arrival."""
    first_ns: int = 0
    second_ns: int | None = None
    last_ns: int = 0
    """When the last arrival began."""
    most_weight: float = 0.0
    """Estimated tokens of the largest chunk."""

    def add(self, t_ns: int, weight: float) -> None:
        """One chunk at ``t_ns``, not before the one before it."""
        if weight > self.most_weight:
            self.most_weight = weight
        if not self.count or t_ns - self.last_ns >= ARRIVAL_NS:
            self.count += 1
            self.last_ns = t_ns
            if self.count == 1:
                self.first_ns = t_ns
            elif self.count == 2:
                self.second_ns = t_ns
        if self.count == 1:
            self.first_chunks += 1
            self.first_weight += weight

    @property
    def span_ns(self) -> int:
        """From the first arrival to the last."""
        return self.last_ns - self.first_ns

    @property
    def is_first_burst(self) -> bool:
        """Whether the first tokens came together, so that the first one is older than they are."""
        return self.first_chunks >= BURST_CHUNKS
