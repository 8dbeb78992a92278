"""What the tap adds to each chunk: from its arrival, by the kernel, until it was handed on."""

from __future__ import annotations

from array import array

from tui.core.turn.stats import quantile_of_sorted
from tui.tap.copies import Copy

KEPT = 4096
"""The newest so many."""


class Delays:
    """Only chunks that the other side took at once: a slow reader is not the tap's doing."""

    def __init__(self) -> None:
        self.count = 0
        self._newest: array[int] = array("q")

    def add(self, copy: Copy) -> None:
        """One chunk that was handed on."""
        if not copy.is_kernel or not copy.passed_ns:
            return
        if len(self._newest) < KEPT:
            self._newest.append(copy.passed_ns - copy.t_ns)
        else:
            self._newest[self.count % KEPT] = copy.passed_ns - copy.t_ns
        self.count += 1

    def quantile_ms(self, share: float) -> float | None:
        """Of the newest chunks; None where there are none."""
        found_ns = quantile_of_sorted(sorted(self._newest), share)
        return None if found_ns is None else found_ns / 1e6
