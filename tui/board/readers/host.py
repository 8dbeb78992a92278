"""Readings from psutil on a machine without /proc, such as a laptop."""

from __future__ import annotations

from pathlib import Path

from tui.board.readers.files import Files
from tui.board.readers.sample_context import SampleContext
from tui.core.board.reading import Reading

SOURCE = "psutil"


def has_proc(files: Files) -> bool:
    """Whether there is a /proc to read; a root other than ``/`` is taken to be a board."""
    return not files.is_this_machine or Path("/proc/meminfo").exists()


class Host:
    """Reads RAM and swap in bytes, CPU load in per cent per core, and npulse's own memory."""

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """All readings. Imports psutil at the first call, as a board never needs it."""
        import psutil

        ram, swap = psutil.virtual_memory(), psutil.swap_memory()
        load = tuple(float(value) for value in psutil.cpu_percent(percpu=True))
        return {
            "ram.total": Reading(ram.total, "B", SOURCE),
            "ram.available": Reading(ram.available, "B", SOURCE),
            "ram.used": Reading(ram.total - ram.available, "B", SOURCE),
            "swap.total": Reading(swap.total, "B", SOURCE),
            "swap.used": Reading(swap.used, "B", SOURCE),
            "cpu.load": Reading(load, "%", SOURCE),
            "npulse.rss": Reading(psutil.Process().memory_info().rss, "B", SOURCE),
        }
