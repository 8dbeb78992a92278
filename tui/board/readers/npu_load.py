"""Load per NPU core, from the first readable file of several; which it is depends on the system.

1. ``/proc/rknpu/load``: readable by every user, if the kernel was built with it.
2. ``/run/npu*/load``: a bind mount of the driver's debugfs folder, or a file that a sampler run as
    root writes once a second.
3. ``/sys/kernel/debug/rknpu/load``: root only, as others may not enter debugfs.

Without any of them there is no load in per cent, only the job rate of
:mod:`tui.board.readers.npu_activity`. The ``load`` of the NPU's devfreq node is a constant and is
never used.
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
"""A file written by a sampler that is older counts as stale."""
HOLD_NS = 3 * NS
"""How long a core that is missing from a truncated read keeps its last load, flagged stale."""


class Rung(NamedTuple):
    """One file of the chain, and its loads or the reason why it has none."""

    path: str
    loads: parse.CoreLoads | None
    reason: str | None


def run_paths(files: Files) -> list[str]:
    """The files below /run that may hold the load (the second source)."""
    names = files.names(RUN_DIR)
    return [f"{RUN_DIR}/{name}/load" for name in names if name.startswith("npu")]


def read_rung(files: Files, path: str, wall_s: float) -> Rung:
    """Read one file. ``wall_s`` is the wall time (UNIX, s), compared with that of a sampler's
    file."""
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
    """Whether a sampler's file is older than 3 s, or newer than the clock by that.

    Debugfs files, also bind-mounted ones, have size 0 and a meaningless time. Only a file with a
    size was written by a sampler. A time in the future appears after the clock was set back.
    """
    status = files.stat(path)
    return status.st_size > 0 and abs(wall_s - status.st_mtime) > MAX_AGE_S


def chain_paths(files: Files) -> list[str]:
    """Every file that may hold the load, in the order of the chain."""
    return [PROC_LOAD, *run_paths(files), DEBUGFS_LOAD]


def busiest_core_pct(files: Files, wall_s: float) -> float | None:
    """The highest load of a core in per cent, read once; None where no file can be read."""
    for path in chain_paths(files):
        rung = read_rung(files, path, wall_s)
        if rung.loads is not None:
            return float(max(rung.loads.by_core.values()))
    return None


def missing_reason(files: Files, rungs: list[Rung], devices: Devices) -> str:
    """Why none of these files gave a load: of their reasons, the one that helps most."""
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
    """Reads ``npu.load``: per cent of the last second in which a job was in progress, per core.

    The driver updates it once a second; reading it more often repeats values. It is time occupied
    by jobs, not utilisation of the arithmetic units.
    """

    def __init__(self, files: Files, devices: Devices) -> None:
        self._files = files
        self._devices = devices
        self._last: tuple[float | int | None, ...] = ()
        self._last_t_ns = 0

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """The load from the first file that has one; the file's path is the source."""
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
