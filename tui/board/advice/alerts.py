"""Alerts for heat, low RAM and throttling, with hysteresis.

Heat and low RAM are raised at one threshold and cleared at another one. Throttling has no
threshold: it is raised after 2 samples with it and cleared after 5 without. The dashboard shows the
first alert in its status line and may ring the terminal's bell for a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tui.board.advice.debounce import Debouncer
from tui.board.readers.throttle import CAPPED, THROTTLING
from tui.core.board.headroom import HeadroomTrend
from tui.core.board.reading import Snapshot

Level = Literal["warn", "bad"]

HOT_C, COOL_C = 85.0, 80.0
CRITICAL_MARGIN_C = 10.0
LOW_SHARE, ENOUGH_SHARE = 0.05, 0.08


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: its key (heat, ram, throttle), its level, and one sentence without a full stop."""

    key: str
    level: Level
    sentence: str


@dataclass(frozen=True, slots=True)
class Alerts:
    """The alerts after one sample, worst first, and those that the sample before did not have."""

    active: tuple[Alert, ...] = ()
    new: tuple[Alert, ...] = ()


class AlertWatch:
    """Derives the alerts from successive snapshots. Keeps the state that the hysteresis needs."""

    def __init__(self) -> None:
        self.trend = HeadroomTrend()
        """Trend of free RAM; the headroom panel reads it too."""
        self._is_hot = False
        self._is_low = False
        self._throttling: Debouncer[Alert] = Debouncer(raise_after=2, clear_after=5)
        self._known: frozenset[str] = frozenset()

    def feed(self, snapshot: Snapshot) -> Alerts:
        """Process one snapshot; returns the alerts after it."""
        self.trend.feed(snapshot.t_ns, snapshot.number("ram.available"))
        found = [self._heat(snapshot), self._memory(snapshot), *self._throttle(snapshot)]
        active = sorted((alert for alert in found if alert), key=lambda alert: alert.level != "bad")
        new = tuple(alert for alert in active if alert.key not in self._known)
        self._known = frozenset(alert.key for alert in active)
        return Alerts(tuple(active), new)

    def _heat(self, snapshot: Snapshot) -> Alert | None:
        """Raised at 85 °C, or 10 °C below the critical trip if that is lower; cleared 5 °C
        below."""
        temperature = snapshot.number("soc.temp")
        if temperature is None:
            # A sensor that fails for a moment neither raises nor clears.
            return Alert("heat", "warn", "the SoC was hot when last read") if self._is_hot else None
        critical = snapshot.number("thermal.trip_critical")
        hot = HOT_C if critical is None else min(HOT_C, critical - CRITICAL_MARGIN_C)
        self._is_hot = temperature >= (hot - (HOT_C - COOL_C) if self._is_hot else hot)
        if not self._is_hot:
            return None
        is_critical = critical is not None and temperature >= critical - CRITICAL_MARGIN_C
        note = f", it switches off at {critical:.0f} °C" if is_critical else ""
        return Alert("heat", "bad", f"the SoC is at {temperature:.0f} °C{note}")

    def _memory(self, snapshot: Snapshot) -> Alert | None:
        """Raised below 5 % of available RAM, cleared at 8 %; or the trend's own warning."""
        total, available = snapshot.number("ram.total"), snapshot.number("ram.available")
        if total and available is not None:
            self._is_low = available < (ENOUGH_SHARE if self._is_low else LOW_SHARE) * total
            if self._is_low:
                return Alert("ram", "bad", f"only {available / 2**30:.1f} GiB of RAM are free")
        sentence = self.trend.warning()
        return Alert("ram", "warn", sentence.rstrip(".")) if sentence else None

    def _throttle(self, snapshot: Snapshot) -> list[Alert]:
        reading = snapshot.get("throttle")
        items = []
        if reading.value in (CAPPED, THROTTLING):
            words = f"slowed by heat: {', '.join(reading.flags)}"
            items.append(("throttle", Alert("throttle", "warn", words)))
        return self._throttling.feed(items)
