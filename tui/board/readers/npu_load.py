"""Load per NPU core, over a chain of files: who may read which depends on kernel, root and setup.

1. ``/proc/rknpu/load``: for everyone, where the kernel was built with it.
2. ``/run/npu*/load``: a bind mount of the driver's debugfs folder, or a file that a root sampler
   writes once a second.
3. ``/sys/kernel/debug/rknpu/load``: root only, as debugfs is closed to others.
4. Nothing: no load in per cent then, only the activity of :mod:`tui.board.readers.npu_activity`.

The ``load`` of the NPU's devfreq node is a constant and never used.
"""

from __future__ import annotations

from typing import NamedTuple

from tui.board.readers import parse
from tui.board.readers.devfreq import Devices
from tui.board.readers.files import Files
from tui.board.readers.reasons import (
    DEBUGFS_NOT_MOUNTED,
    NO_DRIVER,
    NO_PERMISSION,
    NOT_ON_THIS_KERNEL,
    STALE,
    UnreadableError,
    reason_of,
    unreadable,
)
from tui.board.readers.sample_context import NS, SampleContext
from tui.core.board.reading import Reading

PROC_LOAD = "/proc/rknpu/load"
RUN_DIR = "/run"
DEBUGFS_DIR = "/sys/kernel/debug"
DEBUGFS_LOAD = f"{DEBUGFS_DIR}/rknpu/load"

MAX_AGE_S = 3.0
"""A sampler's file that is older is not a reading of now."""
HOLD_NS = 3 * NS
"""How long a core that a cut read left out keeps its last load, flagged stale."""


class Rung(NamedTuple):
    """One file of the chain: what it gave, or why it gave nothing."""

    path: str
    loads: parse.CoreLoads | None
    reason: str | None


def run_paths(files: Files) -> list[str]:
    """The candidates of the second rung."""
    names = files.names(RUN_DIR)
    return [f"{RUN_DIR}/{name}/load" for name in names if name.startswith("npu")]


def read_rung(files: Files, path: str, wall_s: float) -> Rung:
    """Read one file of the chain."""
    try:
        raw = files.read(path)
        if path.startswith("/run/") and _is_too_old(files, path, wall_s):
            return Rung(path, None, STALE)
        return Rung(path, parse.npu_load(raw), None)
    except OSError as error:
        return Rung(path, None, reason_of(error))
    except UnreadableError as error:
        return Rung(path, None, unreadable(str(error)))


def _is_too_old(files: Files, path: str, wall_s: float) -> bool:
    """Whether a sampler stopped writing. Debugfs files, also bind-mounted, have no length and a
    time that means nothing: only a file with a length was written by somebody. The age may also
    be negative after the clock was set back; either way its time is not known."""
    status = files.stat(path)
    return status.st_size > 0 and abs(wall_s - status.st_mtime) > MAX_AGE_S


def chain_paths(files: Files) -> list[str]:
    """Every file that may hold the load, in the order of the chain."""
    return [PROC_LOAD, *run_paths(files), DEBUGFS_LOAD]


def busiest_core_pct(files: Files, wall_s: float) -> float | None:
    """The load of the core with the most of it, read once; None where no file can be read."""
    for path in chain_paths(files):
        rung = read_rung(files, path, wall_s)
        if rung.loads is not None:
            return float(max(rung.loads.by_core.values()))
    return None


def missing_reason(files: Files, rungs: list[Rung], devices: Devices) -> str:
    """Why none of these rungs gave a load, in the one word that helps most."""
    if not devices.has_rknpu:
        return NO_DRIVER
    reasons = [rung.reason for rung in rungs if rung.reason != NOT_ON_THIS_KERNEL]
    for reason in reasons:
        if reason not in (STALE, NO_PERMISSION):
            return str(reason)
    if reasons:
        return STALE if STALE in reasons else NO_PERMISSION
    return NOT_ON_THIS_KERNEL if files.names(DEBUGFS_DIR) else DEBUGFS_NOT_MOUNTED


class NpuLoad:
    """Reads ``npu.load``: per cent of the last second in which a job was in flight, per core.

    The driver latches it once a second, so faster reading gives duplicates. It is occupied time,
    not use of the multipliers.
    """

    def __init__(self, files: Files, devices: Devices) -> None:
        self._files = files
        self._devices = devices
        self._last: tuple[float | int | None, ...] = ()
        self._last_t_ns = 0

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """The first rung that gives a load; its path is the source."""
        failed: list[Rung] = []
        for path in chain_paths(self._files):
            rung = read_rung(self._files, path, context.wall_s)
            if rung.loads is not None:
                return {"npu.load": self._reading(rung.loads, path, context.t_ns)}
            failed.append(rung)
        reason = missing_reason(self._files, failed, self._devices)
        source = next(
            (rung.path for rung in reversed(failed) if rung.reason == reason), DEBUGFS_LOAD
        )
        return {"npu.load": Reading.absent(reason, "%", source)}

    def _reading(self, loads: parse.CoreLoads, path: str, t_ns: int) -> Reading:
        flags = ("clamped",) if loads.is_clamped else ()
        count = max(loads.by_core) + 1
        cores: list[float | int | None] = [loads.by_core.get(core) for core in range(count)]
        if len(loads.by_core) < len(self._last) and 0 <= t_ns - self._last_t_ns <= HOLD_NS:
            cores += [None] * (len(self._last) - count)
            cores = [
                old if new is None else new for new, old in zip(cores, self._last, strict=False)
            ]
            return Reading(tuple(cores), "%", path, flags=(*flags, STALE))
        self._last, self._last_t_ns = tuple(cores), t_ns
        return Reading(self._last, "%", path, flags=flags)
