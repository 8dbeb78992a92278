"""An earlier run as a list shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One line of a history. ``baseline`` is the name that was given to the run.

    ``can_resume``: its journal is there, and something of its plan is missing.
    """

    id: str
    started_utc: str
    suite: str
    model: str
    status: str
    is_simulated: bool = False
    comparability: str = "full"
    scored: int = 0
    planned: int = 0
    decode_median: float | None = None
    decode_ci: tuple[float, float] | None = None
    is_rate_estimated: bool = False
    ttft_median_ms: float | None = None
    run_decode_tps: float | None = None
    is_of_boards: bool = False
    """Many boards answered."""
    baseline: str | None = None
    can_resume: bool = False

    @property
    def is_imported(self) -> bool:
        return self.comparability == "limited"
