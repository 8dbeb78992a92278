"""CPU affinity of npulse itself: the little cores, so that the big ones are free for the model.

The model's threads own the big cores, and interrupts of the NPU are served on cpu0; so npulse runs
on the little cores except cpu0.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tui.board.readers import parse
from tui.board.readers.cpu import CPUFREQ_DIR
from tui.board.readers.files import Files
from tui.board.readers.reasons import UnreadableError

CPU_DIR = "/sys/devices/system/cpu"
LITTLE_SHARE = 0.85
"""A cluster is little if it has less than this share of the biggest one's capacity. Favoured
cores of a PC differ by a few per cent; those are not clusters."""


class Moved(NamedTuple):
    """Where npulse runs now: the CPUs, or the reason why it stayed where it was."""

    cpus: tuple[int, ...]
    reason: str | None


def little_cpus(files: Files) -> tuple[int, ...]:
    """The CPUs of the smaller clusters without cpu0; empty where all CPUs are alike, or where
    cpu0 is the only small one.

    By the kernel's own ``cpu_capacity``, else by the highest clock of each cpufreq policy.
    """
    strength = _capacities(files) or _clocks(files)
    if not strength:
        return ()
    limit = LITTLE_SHARE * max(strength.values())
    return tuple(sorted(cpu for cpu, value in strength.items() if value < limit and cpu != 0))


def move_to_little_cpus(files: Files) -> Moved:
    """Restrict all threads of this process to the little cores. Threads started later inherit it.

    Leaves everything as it is where there are none, where this process may not use them, or where
    the system refuses.
    """
    little = little_cpus(files)
    if not little:
        return Moved((), "all CPU cores are alike")
    try:
        allowed = os.sched_getaffinity(0)
        cpus = sorted(allowed & set(little))
        if not cpus:
            return Moved((), "the little cores are not allowed for this process")
        for entry in os.listdir("/proc/self/task"):  # noqa: PTH208 - a few names
            os.sched_setaffinity(int(entry), cpus)
    except OSError as error:
        return Moved((), f"the system refused: {error.strerror}")
    return Moved(tuple(cpus), None)


def _capacities(files: Files) -> dict[int, float]:
    found: dict[int, float] = {}
    for name in files.names(CPU_DIR):
        digits = name[3:]
        if name.startswith("cpu") and digits.isascii() and digits.isdigit() and len(digits) < 5:
            try:
                raw = files.read_once(f"{CPU_DIR}/{name}/cpu_capacity")
                found[int(digits)] = parse.bounded(1, 1 << 20, raw)
            except (OSError, UnreadableError):
                # Half a picture is none: the CPU that is missing may be a big one.
                return {}
    return found


def _clocks(files: Files) -> dict[int, float]:
    found: dict[int, float] = {}
    for name in files.names(CPUFREQ_DIR):
        if not name.startswith("policy"):
            continue
        folder = f"{CPUFREQ_DIR}/{name}"
        try:
            top_hz = parse.kilohertz(files.read_once(f"{folder}/cpuinfo_max_freq"))
            cpus = parse.cpu_list(parse.word(files.read_once(f"{folder}/related_cpus")))
        except (OSError, UnreadableError):
            return {}
        found.update(dict.fromkeys(cpus, float(top_hz)))
    return found
