"""CPU load per core, and clock, limit and governor per cluster."""

from __future__ import annotations

import re

from tui.board.readers import parse
from tui.board.readers.attribute import Attribute, absent_all
from tui.board.readers.files import Files
from tui.board.readers.reasons import (
    CLOCK_JUMP,
    FIRST_SAMPLE,
    NOT_ON_THIS_KERNEL,
    reason_of,
    unreadable,
)
from tui.board.readers.sample_context import SampleContext, Window
from tui.core.board.reading import Reading

STAT = "/proc/stat"
CPUFREQ_DIR = "/sys/devices/system/cpu/cpufreq"
MAX_CPUS = 1024
_STAT_BYTES = 1 << 16
_CPU_ROW = re.compile(rb"^cpu([0-9]{1,4}) ([0-9 ]+)$", re.MULTILINE)


def parse_stat(raw: bytes) -> dict[int, tuple[int, int]]:
    """Busy and total clock ticks per online CPU, from /proc/stat (proc_stat(5)).

    Busy is the total without idle and iowait. Guest time is part of user time and not added again.
    An offline CPU has no row.
    """
    end = raw.find(b"\nintr")
    rows: dict[int, tuple[int, int]] = {}
    for match in _CPU_ROW.finditer(raw[: end if end > 0 else len(raw)]):
        ticks = [int(token) for token in match[2].split()[:8] if len(token) < 19]
        cpu = int(match[1])
        if len(ticks) >= 4 and cpu < MAX_CPUS:
            total = sum(ticks)
            rows[cpu] = (total - ticks[3] - (ticks[4] if len(ticks) > 4 else 0), total)
    return rows


class CpuLoad:
    """Reads ``cpu.load``: busy time since the last sample in per cent, per CPU."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._window = Window()
        self._rows: dict[int, tuple[int, int]] = {}
        self._reading = Reading.absent(FIRST_SAMPLE, "%", STAT)

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """None in place of a CPU that is offline, or came online since the last sample."""
        if not self._window.is_short(context):
            self._reading = self._since_last(context)
        return {"cpu.load": self._reading}

    def _since_last(self, context: SampleContext) -> Reading:
        try:
            rows = parse_stat(self._files.read(STAT, _STAT_BYTES))
        except OSError as error:
            self._window.reset()
            return Reading.absent(reason_of(error), "%", STAT)
        if not rows:
            self._window.reset()
            return Reading.absent(unreadable("malformed"), "%", STAT)
        before, self._rows = self._rows, rows
        if self._window.close(context) is None:
            return Reading.absent(CLOCK_JUMP if before else FIRST_SAMPLE, "%", STAT)
        loads = tuple(_share(before.get(cpu), rows.get(cpu)) for cpu in range(max(rows) + 1))
        if all(load is None for load in loads):
            return Reading.absent(CLOCK_JUMP, "%", STAT)
        return Reading(loads, "%", STAT)


def _share(before: tuple[int, int] | None, now: tuple[int, int] | None) -> float | None:
    if before is None or now is None:
        return None
    busy, total = now[0] - before[0], now[1] - before[1]
    if total == 0 and busy == 0:
        # A tickless idle CPU may show no tick at all since the last sample.
        return 0.0
    return round(100 * busy / total, 1) if 0 <= busy <= total else None


class _Policy:
    """One cluster: the CPUs that share a clock."""

    def __init__(self, files: Files, name: str) -> None:
        def attribute(file: str) -> Attribute:
            return Attribute(files, f"{CPUFREQ_DIR}/{name}/{file}", parse.kilohertz, "Hz")

        folder = f"{CPUFREQ_DIR}/{name}"
        self.name = name
        self.now = attribute("scaling_cur_freq")
        self.cap = attribute("scaling_max_freq")
        self.top = attribute("cpuinfo_max_freq")
        self.governor = Attribute(files, f"{folder}/scaling_governor", parse.governor)
        self.cores = Attribute(files, f"{folder}/related_cpus", _cpus)


class CpuClocks:
    """Reads ``cpu.freq``, ``cpu.max_freq`` (of the hardware), ``cpu.cap_freq`` (the limit now) and
    ``cpu.governor``: a value per cluster, in the order of their first CPU.

    Also ``cpu.policyN.governor`` and ``cpu.policyN.cores`` per cluster. cpufreq gives kHz where
    devfreq gives Hz; all readings are in Hz. Some system images have no cpufreq.
    """

    _IDS = {"cpu.freq": "Hz", "cpu.max_freq": "Hz", "cpu.cap_freq": "Hz", "cpu.governor": ""}

    def __init__(self, files: Files) -> None:
        self._files = files
        self._policies: list[_Policy] = []
        self._names: list[str] = []

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """The readings of all clusters."""
        names = [name for name in self._files.names(CPUFREQ_DIR) if _number(name) is not None]
        names.sort(key=lambda name: _number(name) or 0)
        if names != self._names:
            self._files.forget_below(CPUFREQ_DIR)
            self._names = names
            self._policies = [_Policy(self._files, name) for name in names]
        if not self._policies:
            return absent_all(self._IDS, NOT_ON_THIS_KERNEL, CPUFREQ_DIR)
        found = {
            "cpu.freq": _listed([policy.now.read() for policy in self._policies], "Hz"),
            "cpu.max_freq": _listed([policy.top.read() for policy in self._policies], "Hz"),
            "cpu.cap_freq": _listed([policy.cap.read() for policy in self._policies], "Hz"),
        }
        governors = []
        for policy in self._policies:
            governor = policy.governor.read()
            found[f"cpu.{policy.name}.governor"] = governor
            found[f"cpu.{policy.name}.cores"] = policy.cores.read()
            governors.append(governor)
        found["cpu.governor"] = _joined(governors)
        return found


def _cpus(raw: bytes) -> tuple[int, ...]:
    return parse.cpu_list(parse.word(raw))


def _number(name: str) -> int | None:
    digits = name[len("policy") :]
    is_policy = name.startswith("policy") and digits.isascii() and digits.isdigit()
    return int(digits) if is_policy and len(digits) <= 4 else None


def _listed(readings: list[Reading], unit: str) -> Reading:
    """One reading with a value per cluster; absent only if all are."""
    values = tuple(
        reading.value if isinstance(reading.value, int | float) else None for reading in readings
    )
    if all(value is None for value in values):
        return readings[0]
    return Reading(values, unit, f"{CPUFREQ_DIR}/policy*/{readings[0].source.rpartition('/')[2]}")


def _joined(readings: list[Reading]) -> Reading:
    """The governor if all clusters share it, else all in order, with ``?`` for an unknown one."""
    words = ["?" if reading.value is None else str(reading.value) for reading in readings]
    if set(words) == {"?"}:
        return readings[0]
    text = words[0] if len(set(words)) == 1 else " ".join(words)
    return Reading(text, "", f"{CPUFREQ_DIR}/policy*/scaling_governor")
