"""Limits of a server for each generation setting, and whether it applies it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from tui.core.types import GenerationSettings


@dataclass(frozen=True, slots=True)
class SettingLimit:
    """One field of :class:`GenerationSettings` as one kind of server takes it.

    ``low`` and ``high`` are inclusive; None is no bound. ``is_applied`` is False where the server
    takes the value and does nothing with it. ``note`` is shown beside the setting.
    """

    field: str
    low: float | None = None
    high: float | None = None
    is_applied: bool = True
    note: str = ""

    @property
    def allowed(self) -> str:
        """What is allowed, in words: ``1 to 2``, ``at least 1``, ``any number``."""
        if self.low is not None and self.high is not None:
            return f"{_plain(self.low)} to {_plain(self.high)}"
        if self.low is not None:
            return f"at least {_plain(self.low)}"
        if self.high is not None:
            return f"at most {_plain(self.high)}"
        return "any number"

    def accepts(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def _plain(value: float) -> str:
    """1000000 and not 1e+06, where it is a whole number that one can read."""
    return f"{value:.0f}" if abs(value) < 1e9 and value == int(value) else f"{value:g}"


def problems(
    limits: Iterable[SettingLimit], settings: GenerationSettings, server: str
) -> tuple[tuple[str, str], ...]:
    """Every setting that ``server`` (a name) would refuse: its field and one sentence about it."""
    found: list[tuple[str, str]] = []
    for limit in limits:
        value = getattr(settings, limit.field)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and not limit.accepts(value):
            given = f"{limit.field} {_plain(value)}"
            found.append((limit.field, f"{given} is not accepted by {server}: {limit.allowed}."))
    return tuple(found)
