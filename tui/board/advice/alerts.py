"""Alerts for heat, low RAM and throttling, with hysteresis.

A threshold that raises an alert and another one that clears it lie apart; what has no threshold has
to last. The dashboard shows the first one in its status line and may ring the bell when one is new.
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
    """One thing to know now, in one sentence."""

    key: str
    level: Level
    sentence: str


@dataclass(frozen=True, slots=True)
class Alerts:
    """What is raised now, worst first, and what is new since the sample before."""

    active: tuple[Alert, ...] = ()
    new: tuple[Alert, ...] = ()


class AlertWatch:
    """Feed it every snapshot; it keeps what the thresholds need of the past."""

    def __init__(self) -> None:
        self.trend = HeadroomTrend()
        """Where free RAM is heading; the headroom panel reads it too."""
        self._is_hot = False
        self._is_low = False
        self._throttling: Debouncer[Alert] = Debouncer(raise_after=2, clear_after=5)
        self._known: frozenset[str] = frozenset()

    def feed(self, snapshot: Snapshot) -> Alerts:
        """The alerts after this sample."""
        self.trend.feed(snapshot.t_ns, snapshot.number("ram.available"))
        found = [self._heat(snapshot), self._memory(snapshot), *self._throttle(snapshot)]
        active = sorted((alert for alert in found if alert), key=lambda alert: alert.level != "bad")
        new = tuple(alert for alert in active if alert.key not in self._known)
        self._known = frozenset(alert.key for alert in active)
        return Alerts(tuple(active), new)

    def _heat(self, snapshot: Snapshot) -> Alert | None:
        """From 85 °C (less where the critical trip is near) until 5 °C below."""
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
        """Less than 5 % free until 8 % are, or a slope that ends within ten minutes."""
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
