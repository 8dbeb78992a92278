"""One snapshot with rates, for commands that read the board once."""

from __future__ import annotations

from collections.abc import Callable

from tui.board.sampler import Sampler
from tui.core.board.reading import Snapshot

WINDOW_S = 0.8
"""Time over which a single snapshot measures rates."""
SETTLE_S = 0.05
"""Pause before the third read: the kernel reports the load of memory and GPU one read late."""


def one_shot(sampler: Sampler, sleep: Callable[[float], object]) -> Snapshot:
    """A snapshot with rates, within about a second."""
    sampler.sample()
    sleep(WINDOW_S)
    sampler.sample()
    sampler.wait_for_background(SETTLE_S)
    sleep(SETTLE_S)
    return sampler.sample()
