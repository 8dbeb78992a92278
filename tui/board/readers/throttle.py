"""Throttling: whether clocks are limited, by heat or by a user.

Heat limits clocks in two ways: the kernel's thermal governor raises the state of cooling devices,
and Rockchip's system monitor lowers the limits of clocks (from 85 °C until below 80 °C). A user may
lower the same limits. So a low limit counts as thermal only while a cooling device is active, or
while the SoC is or has just been hot.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tui.board.readers import parse
from tui.board.readers.attribute import Attribute
from tui.board.readers.files import Files
from tui.board.readers.reasons import NOT_ON_THIS_KERNEL, UnreadableError, is_transient
from tui.board.readers.sample_context import SampleContext
from tui.board.readers.thermal import ZONE_DIR
from tui.core.board.reading import Reading

HOT_C = 85.0
COOL_C = 80.0

DEFAULT_HYSTERESIS_C = 2.0
"""Hysteresis of a trip where ``trip_point_N_hyst`` cannot be read: the value in Rockchip's device
trees."""
LIMITED_FLAG = "limited"
"""Flag of a limit that a user has set. On the CPU's limit, the policies' names follow it."""

COOL_SAMPLES = 5
"""Cool samples in a row after which a limit counts as the user's: a single one may be wrong."""

NONE = "none"
CAPPED = "capped"
LIMITED = "limited by user"
THROTTLING = "throttling"

_COOLING = re.compile(r"(?:thermal-)?(?:cpufreq|devfreq|cpuidle|idle)\b.*")
"""Cooling devices that lower a clock. Fans do not, and some devices of a PC are always active."""


_CPU_DEVICE = re.compile(r"cpufreq-cpu([0-9]{1,4})\b")
"""The cooling device of one cluster, named after its first CPU."""


class _Cooling(NamedTuple):
    kind: str
    state: Attribute
    top: int


class Throttle:
    """Reads ``throttle``: ``none``, ``capped`` (by the system monitor), ``limited by user`` or
    ``throttling`` (by the kernel's thermal governor). The flags name the limits and devices.

    Uses the clocks and limits that the sample has already. It also adds a flag to each limit that
    is below the device's highest clock (``npu.max_freq`` and so on).
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._cooling: dict[str, _Cooling | None] = {}
        self._is_hot = False
        self._is_past_trip = False
        self._cool_samples = 0
        self._set_by_user: set[str] = set()

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """``throttle``, and the readings of the low limits again, with a flag."""
        self._look()
        caps = _caps(context)
        active, failed = self._active()
        is_hot = self._follow(context, is_capped=bool(caps))
        texts = {cap.text for cap in caps}
        thermal = texts - self._of_the_user(texts, is_hot)
        state = THROTTLING if active else NONE
        if caps:
            # While a limit's own cooling device is active, the kernel sets that limit, and
            # writing another value would have no effect.
            by_monitor = self._is_hot
            held = {cap.text for cap in caps if any(_holds(kind, cap) for kind in active)}
            if thermal:
                state = CAPPED if by_monitor else THROTTLING
            elif texts - held and not (active and self._is_past_trip):
                state = LIMITED
            thermal = thermal | held
        if state == NONE and not self._cooling and not _has_limits(context):
            return {"throttle": Reading.absent(NOT_ON_THIS_KERNEL, "", ZONE_DIR)}
        failed = failed or _unknown_limit(context)
        if state == NONE and failed is not None:
            return {"throttle": Reading.absent(str(failed.reason), "", failed.source)}
        flags = (*(cap.text for cap in caps), *active)
        source = ", ".join(cap.reading_id for cap in caps) or f"{ZONE_DIR}/cooling_device*"
        found = {"throttle": Reading(state, "", source, flags=flags)}
        for reading_id in dict.fromkeys(cap.reading_id for cap in caps):
            limit = context.readings[reading_id]
            of_user = [c for c in caps if c.reading_id == reading_id and c.text not in thermal]
            flags = (
                (LIMITED_FLAG, *(c.policy for c in of_user if c.policy)) if of_user else (CAPPED,)
            )
            found[reading_id] = Reading(
                limit.value, limit.unit, limit.source, flags=(*limit.flags, *flags)
            )
        return found

    def _follow(self, context: SampleContext, *, is_capped: bool) -> bool:
        """Whether the SoC is hot, with hysteresis: from 85 °C until below 80 °C.

        While a limit is low, from 80 °C. Also from the lowest passive trip until below its
        hysteresis: there the kernel's thermal governor limits clocks, even if its cooling devices
        cannot be read.
        """
        temperature_c = context.number("soc.temp")
        trip_c = context.number("thermal.trip_passive")
        hysteresis_c = context.number("thermal.trip_hysteresis")
        if hysteresis_c is None:
            hysteresis_c = DEFAULT_HYSTERESIS_C
        if temperature_c is not None:
            threshold_c = COOL_C if self._is_hot or is_capped else HOT_C
            self._is_hot = temperature_c >= threshold_c
            margin_c = hysteresis_c if self._is_past_trip else 0.0
            self._is_past_trip = trip_c is not None and temperature_c >= trip_c - margin_c
        return self._is_hot or self._is_past_trip

    def _of_the_user(self, limits: set[str], is_hot: bool) -> set[str]:
        """The limits that a user has set: all while the SoC is cool. Limits that were there for 5
        cool samples stay the user's when the SoC becomes hot later."""
        if is_hot:
            self._cool_samples = 0
            self._set_by_user &= limits
            return self._set_by_user
        self._cool_samples += 1
        if self._cool_samples >= COOL_SAMPLES:
            self._set_by_user = set(limits)
        return limits

    def _look(self) -> None:
        """List the cooling devices again; one that could not be read is tried at the next
        sample."""
        folders = [name for name in self._files.names(ZONE_DIR) if name.startswith("cooling_")]
        if self._cooling.keys() == set(folders):
            return
        for folder in self._cooling.keys() - set(folders):
            self._files.forget_below(f"{ZONE_DIR}/{folder}/")
            del self._cooling[folder]
        for folder in folders:
            if folder not in self._cooling:
                try:
                    self._cooling[folder] = self._device(f"{ZONE_DIR}/{folder}")
                except (OSError, UnreadableError):
                    continue

    def _device(self, path: str) -> _Cooling | None:
        kind = parse.word(self._files.read_once(f"{path}/type"))
        if not _COOLING.fullmatch(kind):
            return None
        top = parse.bounded(1, 10_000, self._files.read_once(f"{path}/max_state"))
        return _Cooling(kind, Attribute(self._files, f"{path}/cur_state", _state), top)

    def _active(self) -> tuple[list[str], Reading | None]:
        """The active cooling devices with their states, and one whose state could not be read."""
        active: list[str] = []
        failed: Reading | None = None
        for device in self._cooling.values():
            if device is None:
                continue
            state = device.state.read()
            if not isinstance(state.value, int):
                failed = Reading.absent(str(state.reason), "", state.source)
            elif 0 < state.value <= device.top:
                active.append(f"{device.kind} {state.value}/{device.top}")
        return active, failed


def _state(raw: bytes) -> int:
    return parse.bounded(0, 10_000, raw)


def _has_limits(context: SampleContext) -> bool:
    return any(
        context.value(f"{name}.max_freq") is not None for name in ("npu", "gpu", "ddr", "cpu")
    )


class _Cap(NamedTuple):
    reading_id: str
    text: str
    policy: str | None = None
    """The CPU cluster's cpufreq policy, and its CPUs."""
    cpus: tuple[int, ...] = ()


def _holds(active: str, cap: _Cap) -> bool:
    """Whether this active cooling device, such as ``cpufreq-cpu4 3/10``, lowers this limit."""
    device = cap.reading_id.partition(".")[0]
    if device == "cpu":
        number = _CPU_DEVICE.match(active)
        # thermal-cpufreq-0 has a running number and names no CPU; then any cluster may be meant.
        return "cpufreq" in active and (
            number is None or not cap.cpus or int(number[1]) in cap.cpus
        )
    names = {"ddr": ("dmc", "ddr"), "npu": ("npu",), "gpu": ("gpu", "mali")}
    return any(name in active for name in names[device])


def _caps(context: SampleContext) -> list[_Cap]:
    """The limits that are below the device's highest clock."""
    caps: list[_Cap] = []
    for name in ("npu", "gpu", "ddr"):
        limit, table = context.number(f"{name}.max_freq"), context.value(f"{name}.table")
        top = table[-1] if isinstance(table, tuple) and table else None
        if limit is not None and top is not None and limit < top:
            caps.append(_Cap(f"{name}.max_freq", _words(name, limit, top)))
    limits, tops = context.value("cpu.cap_freq"), context.value("cpu.max_freq")
    if isinstance(limits, tuple) and isinstance(tops, tuple):
        policies = _policies(context)
        for number, (limit, top) in enumerate(zip(limits, tops, strict=False)):
            if limit is not None and top is not None and limit < top:
                words = _words(f"cpu cluster {number}", limit, top)
                policy = policies[number] if number < len(policies) else (None, ())
                caps.append(_Cap("cpu.cap_freq", words, *policy))
    return caps


def _policies(context: SampleContext) -> list[tuple[str | None, tuple[int, ...]]]:
    """The cpufreq policies and their CPUs, in the order of the clocks."""
    found: list[tuple[str | None, tuple[int, ...]]] = []
    for name, reading in context.readings.items():
        if name.startswith("cpu.policy") and name.endswith(".cores"):
            cpus = reading.value if isinstance(reading.value, tuple) else ()
            found.append((name.split(".")[1], tuple(int(cpu) for cpu in cpus if cpu is not None)))
    return found


def _unknown_limit(context: SampleContext) -> Reading | None:
    """A limit, or the highest clock of its device, that cannot be read at present."""
    pairs = [(f"{name}.max_freq", f"{name}.table") for name in ("npu", "gpu", "ddr")]
    for pair in (*pairs, ("cpu.cap_freq", "cpu.max_freq")):
        for name in pair:
            reading = context.readings.get(name)
            if reading is not None and is_transient(reading.reason):
                return reading
    return None


def _words(name: str, limit_hz: float, top_hz: float) -> str:
    return f"{name} {limit_hz / 1e6:.0f} of {top_hz / 1e6:.0f} MHz"
