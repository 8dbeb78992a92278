"""CPU affinity of npulse itself: the little cores, so that the big ones are free for the model.

The runtime pins its threads to the big cores, and cpu0 serves the NPU's interrupts. So npulse runs
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
"""A core is little if it has less than this share of the largest capacity. The favoured cores of a
PC differ from its others by a few per cent only, and must not count."""


class Moved(NamedTuple):
    """The CPUs that npulse was moved to; if none, the reason why its affinity is unchanged."""

    cpus: tuple[int, ...]
    reason: str | None


def little_cpus(files: Files) -> tuple[int, ...]:
    """The CPUs of the little clusters without cpu0; empty where all CPUs are alike, or where
    cpu0 is the only little one.

    By ``cpu_capacity`` in sysfs, else by the highest clock of each cpufreq policy.
    """
    strength = _capacities(files) or _clocks(files)
    if not strength:
        return ()
    limit = LITTLE_SHARE * max(strength.values())
    return tuple(sorted(cpu for cpu, value in strength.items() if value < limit and cpu != 0))


def move_to_little_cpus(files: Files) -> Moved:
    """Restrict all threads of this process to the little cores. Later threads inherit it.

    Changes nothing if there are none, if this process may not use them, or if the kernel refuses.
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
                # All or nothing: the CPU whose capacity is missing may be a big one.
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
