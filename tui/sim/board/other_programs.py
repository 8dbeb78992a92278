"""Other programs of the simulated board: one that keeps its big cores busy, and some that fill its
RAM, so that pages are swapped out."""

from __future__ import annotations

from collections.abc import Sequence

from tui.sim.board.state import BoardState

PID = 5187
BIG_CORES = range(4, 8)
BUSY_PCT = 92
"""Load that it puts on each of these cores if they are free."""
TICKS_PER_S = 100
SHORT_RAM_KB = 850_000
"""Available RAM after other programs have filled it."""
SWAPPED_KB = 2_460_000
PAGES_PER_S, PAGES_PER_S_IDLE = 900, 60
NO_PRESSURE = "avg10=0.00 avg60=0.00 avg300=0.00 total=0"


class OtherPrograms:
    """CPU ticks and swapped pages of the other programs since the start."""

    def __init__(self) -> None:
        self._ticks = 0.0
        self._pages = 0.0
        self._filled_kb: int | None = None

    def pass_time(
        self, state: BoardState, own_pct: Sequence[int], seconds: float
    ) -> tuple[int, ...]:
        """Advance the counters by ``seconds``. Returns the load in per cent that the other
        programs want of each CPU. ``own_pct`` is the load by the board's own work."""
        if "swap" in state.conditions:
            rate = PAGES_PER_S_IDLE if state.activity == "idle" else PAGES_PER_S
            self._pages += rate * seconds
        if "background-load" not in state.conditions:
            return (0,) * len(own_pct)
        taken_pct = sum(min(100 - own_pct[core], BUSY_PCT) for core in BIG_CORES)
        self._ticks += taken_pct / 100 * seconds * TICKS_PER_S
        return tuple(BUSY_PCT if core in BIG_CORES else 0 for core in range(len(own_pct)))

    def filled_kb(self, state: BoardState, left_kb: int) -> int:
        """RAM of the other programs in kB: what the first model left, without ``SHORT_RAM_KB``."""
        if "swap" not in state.conditions:
            return 0
        if self._filled_kb is None:
            self._filled_kb = max(left_kb - SHORT_RAM_KB, 0)
        return self._filled_kb

    def pressure(self, state: BoardState) -> tuple[str, str]:
        """The lines ``some`` and ``full`` of /proc/pressure/memory, without their first word."""
        if "swap" not in state.conditions or state.model is None:
            return NO_PRESSURE, NO_PRESSURE
        waited_us = round(self._pages * 400)
        return (
            f"avg10=23.40 avg60=21.87 avg300=15.02 total={waited_us}",
            f"avg10=11.20 avg60=10.03 avg300=7.41 total={waited_us // 2}",
        )

    def files(self, state: BoardState) -> dict[str, str]:
        """/proc/vmstat, and the files of the process that keeps the cores busy."""
        pages = round(self._pages)
        counts = f"pgmajfault {812 + pages // 3}\npswpin {pages}\npswpout {pages // 2}\n"
        vmstat = {"proc/vmstat": f"nr_free_pages {2_000_000}\n{counts}"}
        if "background-load" not in state.conditions:
            return vmstat
        stat = (
            f"{PID} (ffmpeg) R 1 {PID} {PID} 0 -1 4194304 31234 0 3 0 "
            f"{round(self._ticks * 0.95)} {round(self._ticks * 0.05)} 0 0 20 0 9 0 2210 812646400 "
            "61234 18446744073709551615 1 1 0 0 0 0 0 16781312 16386 0 0 0 17 5 0 0 0 0 0 0 0 0 "
            "0 0 0 0 0\n"
        )
        return {**vmstat, f"proc/{PID}/stat": stat, f"proc/{PID}/comm": "ffmpeg\n"}
