"""Decode rate over the whole length of an answer, in a bounded number of bins."""

from __future__ import annotations

FIRST_BIN_NS = 250_000_000
MAX_BINS = 120


class Pace:
    """Chunks per second over time, as a row of bins that always covers the whole answer.

    A gap counts as one chunk spread evenly over its time, so a steady stream is flat at any speed
    and a stall is a dip as long as it lasted. When the row is full, neighbours are merged and the
    bins become twice as wide: memory and the cost of one chunk are bounded.
    """

    __slots__ = ("_amounts", "_start_ns", "_t_ns", "bin_ns")

    def __init__(self, start_ns: int) -> None:
        self.bin_ns = FIRST_BIN_NS
        self._start_ns = start_ns
        self._t_ns = start_ns
        self._amounts = [0.0]

    def add(self, t_ns: int) -> None:
        """One more chunk, at ``t_ns``, not before the last one."""
        while (t_ns - self._start_ns) // self.bin_ns >= MAX_BINS:
            self._widen()
        begin = self._t_ns - self._start_ns
        end = t_ns - self._start_ns
        at, last = begin // self.bin_ns, end // self.bin_ns
        while len(self._amounts) <= last:
            self._amounts.append(0.0)
        if begin == end:
            self._amounts[at] += 1.0
        for index in range(at, last + 1 if begin < end else at):
            left = max(begin, index * self.bin_ns)
            right = min(end, (index + 1) * self.bin_ns)
            self._amounts[index] += (right - left) / (end - begin)
        self._t_ns = t_ns

    def rates(self) -> tuple[float, ...]:
        """Chunks per second of each bin. A last bin that has hardly begun is left out."""
        covered_ns = (self._t_ns - self._start_ns) - (len(self._amounts) - 1) * self.bin_ns
        bin_s = self.bin_ns / 1e9
        rates = [amount / bin_s for amount in self._amounts[:-1]]
        if covered_ns * 4 >= self.bin_ns:
            rates.append(self._amounts[-1] * 1e9 / covered_ns)
        return tuple(rates)

    def _widen(self) -> None:
        if len(self._amounts) % 2:
            self._amounts.append(0.0)
        pairs = zip(self._amounts[::2], self._amounts[1::2], strict=True)
        self._amounts = [first + second for first, second in pairs]
        self.bin_ns *= 2
