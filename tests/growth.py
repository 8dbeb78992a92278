"""How the work of a reader of text grows with the text: with its length, or with the square of it.

Work is the thread's own processor time. A busy machine slows single runs down, and never the same
ones, so the quickest of some runs counts: only what takes too long in every round is in the reader.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import thread_time_ns

ROUNDS = 6


def grows_with_the_square(read: Callable[[str], object], text: str, floor_ns: int) -> bool:
    """Whether half of a text never takes more than a third of its time.

    Below ``floor_ns`` a measurement says nothing about growth; a quadratic reader of such a text
    is far above it.
    """
    whole_ns = half_ns = 1 << 62
    for _ in range(ROUNDS):
        whole_ns = min(whole_ns, _spent_ns(read, text))
        if whole_ns < floor_ns:
            return False
        half_ns = min(half_ns, _spent_ns(read, text[: len(text) // 2]))
        if whole_ns < 3 * half_ns:
            return False
    return True


def _spent_ns(read: Callable[[str], object], text: str) -> int:
    # What the collector takes depends on all that the process holds, and not on this text.
    gc.disable()
    try:
        begin_ns = thread_time_ns()
        read(text)
        return thread_time_ns() - begin_ns
    finally:
        gc.enable()
