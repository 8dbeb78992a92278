"""Decides whether a clock is at its highest, for ``doctor``, the board screen and the bench.

At rest a low clock under a governor that follows the load is as it should be: it saves power, and
whether it rises is judged while a model computes. A clock that no governor raises is low at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tui.core.board.reading import Snapshot

CLOCK_TOLERANCE = 0.99
"""From this share of the highest clock on, a clock counts as at its highest."""
FIXED_GOVERNORS = ("performance", "powersave", "userspace", "rknpu_ondemand")
"""Governors that never change the clock by the load; rknpu_ondemand holds the last one, in spite of
its name (Rockchip's rknpu driver 0.9.8)."""

ClockState = Literal["unknown", "high", "resting", "low"]
"""resting: below its highest, at rest, under a governor that raises it under load."""


@dataclass(frozen=True, slots=True)
class ClockCheck:
    """A device's clock in Hz against the highest of its table, and what that means now."""

    state: ClockState
    freq_hz: float | None
    top_hz: float | None
    governor: str | None


def check_clock(snapshot: Snapshot, device: str, *, is_busy: bool) -> ClockCheck:
    """The clock of ``device`` (``ddr``, ``npu``); ``is_busy``: a model computes now."""
    freq, top = snapshot.number(f"{device}.freq"), top_clock(snapshot, device)
    governor = snapshot.text(f"{device}.governor")
    state = clock_state(freq, top, governor, is_busy=is_busy)
    return ClockCheck(state, freq, top, governor)


def clock_state(
    freq_hz: float | None, top_hz: float | None, governor: str | None, *, is_busy: bool
) -> ClockState:
    """The rule itself; an unknown governor is taken for one that follows the load."""
    if freq_hz is None or top_hz is None:
        return "unknown"
    if freq_hz >= CLOCK_TOLERANCE * top_hz:
        return "high"
    return "low" if is_busy or governor in FIXED_GOVERNORS else "resting"


def top_clock(snapshot: Snapshot, device: str) -> float | None:
    """The highest clock of a device in Hz: of its table, else its limit."""
    table = [value for value in snapshot.numbers(f"{device}.table") if value is not None]
    return max(table) if table else snapshot.number(f"{device}.max_freq")
