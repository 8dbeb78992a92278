"""Summary of an earlier run, for lists."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """Summary of a run. ``baseline`` is its name as a baseline, if it has one.

    ``can_resume``: its journal exists, and requests of its plan are missing.
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
