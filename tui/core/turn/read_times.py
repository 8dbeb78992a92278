"""Times of the last reads of a stream, for text that its decoder held back."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from tui.core.turn.turn import Turn
from tui.core.types import Delta, RefusalDelta, TextDelta, ThinkingDelta

MAX_READS_AGO = 64


class ReadTimes:
    """Hands deltas to a turn with the time at which each came. Called once for each read."""

    __slots__ = ("_times_ns",)

    def __init__(self) -> None:
        self._times_ns: deque[int] = deque(maxlen=MAX_READS_AGO + 1)

    def feed(self, turn: Turn, t_ns: int, deltas: Sequence[Delta]) -> None:
        """``t_ns`` is when the bytes arrived that completed these deltas."""
        self._times_ns.append(t_ns)
        if not any(_reads_ago(delta) for delta in deltas):
            turn.feed(t_ns, deltas)
            return
        for at_ns, delta in self.stamped(deltas):
            turn.feed(at_ns, (delta,))

    def stamped(self, deltas: Sequence[Delta]) -> list[tuple[int, Delta]]:
        """The deltas of the last read with the time at which each came. Once there was a read."""
        last = len(self._times_ns) - 1
        return [(self._times_ns[max(last - _reads_ago(delta), 0)], delta) for delta in deltas]


def _reads_ago(delta: Delta) -> int:
    return delta.reads_ago if isinstance(delta, TextDelta | ThinkingDelta | RefusalDelta) else 0
