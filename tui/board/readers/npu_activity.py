"""Finished jobs per second of each NPU core, from /proc/interrupts, which every user may read.

One interrupt is one finished job. Jobs of prefill and of decode differ in length, so the rate shows
whether the NPU works but not for which share of the time: it is never converted to per cent.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tui.board.readers.files import Files
from tui.board.readers.reasons import CLOCK_JUMP, FIRST_SAMPLE, NO_DRIVER, reason_of
from tui.board.readers.sample_context import SampleContext, Window
from tui.core.board.reading import Reading

PATH = "/proc/interrupts"
UNIT = "jobs/s"
_ROW = re.compile(rb"[ \t]*([0-9]{1,9}):(.*?([0-9a-f]{1,16})\.npu(?![a-z0-9]).*)")
_HARDWARE_NUMBER = re.compile(rb"GIC\S*\s+([0-9]{1,6})\b")


class JobCounter(NamedTuple):
    """Finished jobs of one core since boot. ``key`` identifies the core, ``order`` sorts cores."""

    order: tuple[int, int]
    key: bytes
    jobs: int


def parse_interrupts(raw: bytes) -> list[JobCounter]:
    """The rows of NPU cores, core 0 first.

    Cores are ordered by the hardware interrupt number (142, 143, 144 on RK3588), else by the
    device's address. A row has one count per CPU that was online when it was printed. The NPU may
    share the interrupt with its IOMMU.
    """
    counters: list[JobCounter] = []
    for line in raw.splitlines():
        if b".npu" not in line or not (match := _ROW.match(line)):
            continue
        jobs = 0
        for token in match[2].split():
            if not token.isdigit() or len(token) > 19:
                break
            jobs += int(token)
        number = _HARDWARE_NUMBER.search(match[2])
        address = int(match[3], 16)
        order = (int(number[1]), address) if number else (address, int(match[1]))
        counters.append(JobCounter(order, match[1] + b" " + match[3], jobs))
    return sorted(counters)


class NpuActivity:
    """Reads ``npu.activity``: finished jobs a second, per core."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._window = Window()
        self._counts: dict[bytes, int] = {}
        self._reading = Reading.absent(FIRST_SAMPLE, UNIT, PATH)

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """The rate since the last sample; None for a core whose counter decreased."""
        if self._window.is_short(context):
            return {"npu.activity": self._reading}
        try:
            counters = parse_interrupts(self._files.read_all(PATH))
        except OSError as error:
            self._window.reset()
            return self._absent(reason_of(error))
        if not counters:
            self._window.reset()
            return self._absent(NO_DRIVER)
        before, self._counts = self._counts, {entry.key: entry.jobs for entry in counters}
        seconds = self._window.close(context)
        if seconds is None:
            return self._absent(CLOCK_JUMP if before else FIRST_SAMPLE)
        rates = tuple(_rate(before.get(entry.key), entry.jobs, seconds) for entry in counters)
        if all(rate is None for rate in rates):
            return self._absent(CLOCK_JUMP)
        self._reading = Reading(rates, UNIT, PATH, flags=("estimated",))
        return {"npu.activity": self._reading}

    def _absent(self, reason: str) -> dict[str, Reading]:
        self._reading = Reading.absent(reason, UNIT, PATH)
        return {"npu.activity": self._reading}


def _rate(before: int | None, now: int, seconds: float) -> float | None:
    if before is None or now < before:
        return None
    return round((now - before) / seconds, 1)
