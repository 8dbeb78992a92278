"""Parsers for the contents of the board's files: pure functions over bytes.

Each raises :class:`~tui.board.readers.reasons.UnreadableError` for an invalid content: none
guesses, and none turns an empty file into 0. The bounds are wide and reject only what no board can
have.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tui.board.readers.reasons import UnreadableError
from tui.core.text.sanitize import clean

_INTEGER = re.compile(rb"[+-]?[0-9]{1,18}")
_CORE = re.compile(rb"(?:Core|NPU)[ \t]*([0-9]{1,4}):[ \t]*([0-9]*)[ \t]*%")
_SINGLE = re.compile(rb"NPU load:[ \t]*([0-9]*)[ \t]*%")
_DEVFREQ_LOAD = re.compile(rb"([0-9]{1,9})@([0-9]{1,12})Hz")
_GOVERNOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,39}")
_VERSION = re.compile(rb"([0-9]{1,4}\.[0-9]{1,4}(?:\.[0-9]{1,6})?(?:[-+.][A-Za-z0-9.]{1,16})?)")

MAX_CORES = 16
"""More NPU cores than any Rockchip SoC has; a larger index is ignored."""
MIN_HZ, MAX_HZ = 1_000_000, 100_000_000_000
MIN_TEMP_C, MAX_TEMP_C = 0.0, 150.0
BLANKS = b" \t\r\n\x00"


class CoreLoads(NamedTuple):
    """Load in per cent by index of the NPU core; ``is_clamped``: the driver gave more than 100
    %."""

    by_core: dict[int, int]
    is_clamped: bool


class ClockLoad(NamedTuple):
    """A devfreq load: busy share of the window in per cent, and the clock in that window."""

    load_pct: int
    freq_hz: int
    is_clamped: bool


def integer(raw: bytes) -> int:
    """A decimal integer, with nothing around it but blanks."""
    text = raw.strip(BLANKS)
    if not text:
        raise UnreadableError("empty")
    if not _INTEGER.fullmatch(text):
        raise UnreadableError("malformed")
    return int(text)


def bounded(low: int, high: int, raw: bytes) -> int:
    """A decimal integer from ``low`` to ``high``, both included."""
    value = integer(raw)
    if not low <= value <= high:
        raise UnreadableError("implausible")
    return value


def hertz(raw: bytes) -> int:
    """A clock in Hz, as devfreq gives it. 0 is invalid."""
    return bounded(MIN_HZ, MAX_HZ, raw)


def kilohertz(raw: bytes) -> int:
    """A clock in Hz, from kHz as cpufreq gives it."""
    return bounded(MIN_HZ // 1000, MAX_HZ // 1000, raw) * 1000


def hertz_table(raw: bytes) -> tuple[int, ...]:
    """The clocks in Hz that a device supports, ascending, from a blank-separated list."""
    values = [hertz(token) for token in raw.split()]
    if not values:
        raise UnreadableError("empty")
    return tuple(sorted(set(values)))


def celsius(raw: bytes) -> float:
    """A temperature in °C, from m°C. Exactly 0 is invalid: an unpowered sensor gives it."""
    value = integer(raw) / 1000
    if not MIN_TEMP_C < value <= MAX_TEMP_C:
        raise UnreadableError("implausible")
    return value


def volts(raw: bytes) -> float:
    """A regulator's voltage in V, from µV."""
    return bounded(100_000, 20_000_000, raw) / 1e6


def pwm_percent(raw: bytes) -> float:
    """A fan's duty cycle in per cent, from 0..255."""
    return round(bounded(0, 255, raw) * 100 / 255, 1)


def governor(raw: bytes) -> str:
    """The name of a governor."""
    text = word(raw)
    if not _GOVERNOR.fullmatch(text):
        raise UnreadableError("malformed")
    return text


def power_state(raw: bytes) -> str:
    """The runtime power management state of a device (kernel documentation, sysfs power)."""
    text = word(raw)
    if text not in ("active", "suspended", "suspending", "resuming", "error", "unsupported"):
        raise UnreadableError("malformed")
    return text


def word(raw: bytes) -> str:
    """One line of UTF-8 text, at most 120 characters, without control characters."""
    text = clean(raw.strip(BLANKS).decode("utf-8", "replace"), newlines=False).strip()
    if not text or not text.strip("�"):
        raise UnreadableError("malformed" if text else "empty")
    return text[:120]


def strings(raw: bytes) -> list[str]:
    """The strings of a NUL-separated list, as in the device tree and /proc/PID/cmdline, without
    control characters and without empty ones."""
    parts = (clean(part.decode("utf-8", "replace"), newlines=False) for part in raw.split(b"\0"))
    return [part for part in parts if part]


def version(raw: bytes) -> str:
    """A version number: ``0.9.8`` out of ``0.9.8`` or ``RKNPU driver: v0.9.8``."""
    if not raw.strip(BLANKS):
        raise UnreadableError("empty")
    match = _VERSION.search(raw)
    if match is None:
        raise UnreadableError("malformed")
    return match[1].decode("ascii")


def npu_load(raw: bytes) -> CoreLoads:
    """The load file of the rknpu driver, in all its forms.

    ``NPU load:  Core0: 86%, Core1: 84%, Core2: 61%,`` with several cores, ``NPU load:  0%`` with
    one; old forks write ``NPU0: 100%, NPU1: 98%``. A missing number means 0. Drivers before 0.9.8
    do not clamp: with a hung job they have printed 20000 %.
    """
    cores = [(int(core), share) for core, share in _CORE.findall(raw)]
    if not cores and (single := _SINGLE.search(raw)):
        cores = [(0, single[1])]
    by_core: dict[int, int] = {}
    is_clamped = False
    for core, share in cores:
        if core >= MAX_CORES:
            continue
        load_pct = int(share[:9] or 0)
        is_clamped |= load_pct > 100
        by_core[core] = min(100, load_pct)
    if not by_core:
        raise UnreadableError("malformed" if raw.strip(BLANKS) else "empty")
    return CoreLoads(by_core, is_clamped)


def devfreq_load(raw: bytes) -> ClockLoad:
    """``62@2112000000Hz`` of a devfreq node. Do not use the NPU's: its load is a constant."""
    text = raw.strip(BLANKS)
    if not text:
        raise UnreadableError("empty")
    match = _DEVFREQ_LOAD.fullmatch(text)
    if match is None:
        raise UnreadableError("malformed")
    load_pct, freq_hz = int(match[1]), int(match[2])
    if not MIN_HZ <= freq_hz <= MAX_HZ:
        raise UnreadableError("implausible")
    return ClockLoad(min(100, load_pct), freq_hz, load_pct > 100)


def cpu_list(text: str) -> tuple[int, ...]:
    """CPU numbers from ``0-3,6`` or ``0 1 2 3``, ascending."""
    cpus: set[int] = set()
    for token in text.replace(",", " ").split():
        match = re.fullmatch(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", token)
        if match is None:
            raise UnreadableError("malformed")
        first = int(match[1])
        cpus.update(range(first, int(match[2] or first) + 1))
    if not cpus:
        raise UnreadableError("empty")
    return tuple(sorted(cpus))


def kilobyte_fields(raw: bytes) -> dict[str, int]:
    """Lines ``Name:   123 kB`` as bytes and ``Name: 7`` as they are; other lines are skipped."""
    fields: dict[str, int] = {}
    for line in raw.splitlines():
        name, _, rest = line.partition(b":")
        tokens = rest.split()
        if tokens and len(tokens[0]) <= 15 and tokens[0].isdigit():
            scale = 1024 if len(tokens) > 1 and tokens[1] == b"kB" else 1
            fields[name.decode("ascii", "replace")] = int(tokens[0]) * scale
    return fields
