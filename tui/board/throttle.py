"""Whether the board holds itself back, and why.

Two mechanisms: the kernel's thermal governor raises the state of cooling devices; Rockchip's
system monitor lowers the highest allowed clocks (above 85 °C, lifted below 80 °C). A user may lower
the same limits, so a low limit is called thermal only while the SoC is, or was just, hot.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tui.board import parse
from tui.board.attribute import Attribute
from tui.board.files import Files
from tui.board.reasons import NOT_ON_THIS_KERNEL, UnreadableError
from tui.board.thermal import ZONE_DIR
from tui.board.tick import Tick
from tui.core.reading import Reading

HOT_C = 85.0
COOL_C = 80.0

NONE = "none"
CAPPED = "capped"
LIMITED = "limited by user"
THROTTLING = "throttling"

_COOLING = re.compile(r"(?:thermal-)?(?:cpufreq|devfreq|cpuidle|idle)\b.*")
"""Cooling devices that slow something down. Fans do not, and a PC has others that always count."""


class Throttle:
    """Reads ``throttle``: none, capped, limited by user, or throttling; the flags name what.

    Reads nothing of the clocks itself but takes them from the sample, and flags the limit that is
    low (``npu.max_freq`` and so on).
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._folders: list[str] = []
        self._cooling: list[tuple[str, Attribute, int | None]] = []
        self._is_hot = False
        self._set_by_user: set[str] = set()

    def find(self, tick: Tick) -> dict[str, Reading]:
        """Look which cooling devices there are. Adds no reading."""
        folders = [name for name in self._files.names(ZONE_DIR) if name.startswith("cooling_")]
        if folders != self._folders:
            self._folders = folders
            self._files.forget_below(f"{ZONE_DIR}/cooling_")
            self._cooling = [entry for entry in map(self._device, folders) if entry is not None]
        return {}

    def read(self, tick: Tick) -> dict[str, Reading]:
        """The state now, and the limits that are low, flagged."""
        caps = _caps(tick)
        active = self._active()
        temperature_c = tick.number("soc.temp")
        is_hot = self._follow(temperature_c, bool(caps))
        texts = {cap.text for cap in caps}
        # A limit that stood while the SoC was cool is the user's, also when it gets warm later.
        self._set_by_user = self._set_by_user & texts if is_hot else texts
        thermal = texts - self._set_by_user
        state = THROTTLING if active else NONE
        if caps:
            state = CAPPED if thermal else LIMITED
        if state == NONE and not self._cooling and not _has_limits(tick):
            return {"throttle": Reading.absent(NOT_ON_THIS_KERNEL, "", ZONE_DIR)}
        flags = (*(cap.text for cap in caps), *active)
        source = ", ".join(cap.reading_id for cap in caps) or f"{ZONE_DIR}/cooling_device*"
        found = {"throttle": Reading(state, "", source, flags=flags)}
        for cap in caps:
            limit = tick.readings[cap.reading_id]
            flag = CAPPED if cap.text in thermal else "limited"
            found[cap.reading_id] = Reading(
                limit.value, limit.unit, limit.source, flags=(*limit.flags, flag)
            )
        return found

    def _follow(self, temperature_c: float | None, is_capped: bool) -> bool:
        """Hot from 85 °C until below 80 °C; one that is capped when first seen, from 80 °C."""
        if temperature_c is not None:
            threshold_c = COOL_C if self._is_hot or is_capped else HOT_C
            self._is_hot = temperature_c >= threshold_c
        return self._is_hot

    def _device(self, folder: str) -> tuple[str, Attribute, int | None] | None:
        path = f"{ZONE_DIR}/{folder}"
        try:
            kind = parse.word(self._files.read_once(f"{path}/type"))
        except (OSError, UnreadableError):
            return None
        if not _COOLING.fullmatch(kind):
            return None
        try:
            top: int | None = parse.bounded(1, 10_000, self._files.read_once(f"{path}/max_state"))
        except (OSError, UnreadableError):
            top = None
        return kind, Attribute(self._files, f"{path}/cur_state", _state), top

    def _active(self) -> list[str]:
        active = []
        for kind, attribute, top in self._cooling:
            state = attribute.read().value
            if isinstance(state, int) and state > 0 and (top is None or state <= top):
                active.append(f"{kind} {state}/{top}" if top else f"{kind} {state}")
        return active


def _state(raw: bytes) -> int:
    return parse.bounded(0, 10_000, raw)


def _has_limits(tick: Tick) -> bool:
    return any(tick.value(f"{name}.max_freq") is not None for name in ("npu", "gpu", "ddr", "cpu"))


class _Cap(NamedTuple):
    reading_id: str
    text: str


def _caps(tick: Tick) -> list[_Cap]:
    """The limits that are below what the device can do."""
    caps: list[_Cap] = []
    for name in ("npu", "gpu", "ddr"):
        limit, table = tick.number(f"{name}.max_freq"), tick.value(f"{name}.table")
        top = table[-1] if isinstance(table, tuple) and table else None
        if limit is not None and top is not None and limit < top:
            caps.append(_Cap(f"{name}.max_freq", _words(name, limit, top)))
    limits, tops = tick.value("cpu.cap_freq"), tick.value("cpu.max_freq")
    if isinstance(limits, tuple) and isinstance(tops, tuple):
        low = [
            _words(f"cpu cluster {number}", limit, top)
            for number, (limit, top) in enumerate(zip(limits, tops, strict=False))
            if limit is not None and top is not None and limit < top
        ]
        if low:
            caps.append(_Cap("cpu.cap_freq", ", ".join(low)))
    return caps


def _words(name: str, limit_hz: float, top_hz: float) -> str:
    return f"{name} {limit_hz / 1e6:.0f} of {top_hz / 1e6:.0f} MHz"
