"""CPU time and memory of the npulse process itself, independent of the sampler's root."""

from __future__ import annotations

import os
import time

from tui.board.readers.reasons import CLOCK_JUMP, FIRST_SAMPLE, reason_of
from tui.board.readers.sample_context import SampleContext, Window
from tui.core.board.reading import Reading

STATM = "/proc/self/statm"


class SelfUsage:
    """Reads ``npulse.cpu`` (per cent of one core, all threads) and ``npulse.rss`` in bytes."""

    def __init__(self) -> None:
        self._window = Window()
        self._cpu_ns = 0
        self._cpu = Reading.absent(FIRST_SAMPLE, "%")
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """Both readings."""
        return {"npulse.cpu": self._processor(context), "npulse.rss": self._resident()}

    def _processor(self, context: SampleContext) -> Reading:
        if self._window.is_short(context):
            return self._cpu
        cpu_ns = time.process_time_ns()
        used_ns, self._cpu_ns = cpu_ns - self._cpu_ns, cpu_ns
        is_first = self._cpu.reason == FIRST_SAMPLE
        seconds = self._window.close(context)
        if seconds is None:
            self._cpu = Reading.absent(FIRST_SAMPLE if is_first else CLOCK_JUMP, "%")
        else:
            self._cpu = Reading(round(used_ns / seconds / 1e7, 2), "%", "process time")
        return self._cpu

    def _resident(self) -> Reading:
        try:
            with open(STATM, "rb", buffering=0) as file:  # noqa: PTH123 - cheaper than a Path
                pages = int(file.read(200).split()[1])
        except OSError as error:
            return Reading.absent(reason_of(error), "B", STATM)
        return Reading(pages * self._page_bytes, "B", STATM)
