"""Detects wall clock steps and system sleep during a run.

All durations are from the monotonic clock. This only detects whether wall times are reliable, and
whether the machine was suspended during an answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

STEP_S = 0.5


def boot_ns() -> int:
    """Monotonic time in ns that includes suspend (CLOCK_BOOTTIME)."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


@dataclass(slots=True)
class ClockWatch:
    """Compares wall, boot and monotonic clock between calls of :meth:`step`."""

    wall_ns: Callable[[], int] = time.time_ns
    monotonic_ns: Callable[[], int] = time.monotonic_ns
    boot_ns: Callable[[], int] = boot_ns
    _wall_offset: int | None = None
    _boot_offset: int | None = None

    def step(self) -> str | None:
        """A step or sleep of more than 0.5 s since the last call, as text; None without one."""
        now = self.monotonic_ns()
        wall, boot = self.wall_ns() - now, self.boot_ns() - now
        said = None
        if self._boot_offset is not None and self._wall_offset is not None:
            asleep = (boot - self._boot_offset) / 1e9
            stepped = (wall - self._wall_offset) / 1e9
            if asleep > STEP_S:
                said = f"the machine slept for {asleep:.1f} s"
            elif abs(stepped) > STEP_S:
                said = f"the wall clock stepped by {stepped:+.1f} s"
        self._wall_offset, self._boot_offset = wall, boot
        return said
