"""The delay that the tap adds to each chunk: from the kernel's arrival time to forwarding."""

from __future__ import annotations

from array import array

from tui.core.turn.order_statistics import quantile_of_sorted
from tui.tap.copy_messages import CopyMessage

KEPT = 4096
"""Number of newest delays that are kept."""


class Delays:
    """Only chunks that the receiver took at once count: a slow receiver is not a delay of the
    tap."""

    def __init__(self) -> None:
        self.count = 0
        self._newest: array[int] = array("q")

    def add(self, copy: CopyMessage) -> None:
        """Adds the delay of one forwarded chunk."""
        if not copy.is_kernel or not copy.passed_ns:
            return
        if len(self._newest) < KEPT:
            self._newest.append(copy.passed_ns - copy.t_ns)
        else:
            self._newest[self.count % KEPT] = copy.passed_ns - copy.t_ns
        self.count += 1

    def quantile_ms(self, share: float) -> float | None:
        """Quantile (``share`` 0 to 1) over the newest chunks, in ms; None without any."""
        found_ns = quantile_of_sorted(sorted(self._newest), share)
        return None if found_ns is None else found_ns / 1e6
