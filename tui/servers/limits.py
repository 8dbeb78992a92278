"""What a server accepts for each generation setting, and what it does with it."""

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
            return f"{self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"at least {self.low:g}"
        if self.high is not None:
            return f"at most {self.high:g}"
        return "any number"

    def accepts(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def problems(
    limits: Iterable[SettingLimit], settings: GenerationSettings, server: str
) -> tuple[tuple[str, str], ...]:
    """Every setting that ``server`` (a name) would refuse: its field and one sentence about it."""
    found: list[tuple[str, str]] = []
    for limit in limits:
        value = getattr(settings, limit.field)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and not limit.accepts(value):
            sentence = f"{limit.field} {value:g} is not accepted by {server}: {limit.allowed}."
            found.append((limit.field, sentence))
    return tuple(found)
