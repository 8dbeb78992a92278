"""Two runs against each other: what a comparison says, for reports, screens and machines."""

from __future__ import annotations

from typing import Literal

import msgspec

Verdict = Literal["faster", "slower", "less", "more", "same", "inconclusive"]

SYMBOLS: dict[Verdict, str] = {
    "faster": "▲",
    "slower": "▼",
    "less": "▲",
    "more": "▼",
    "same": "≈",
    "inconclusive": "?",
}
GATED = ("decode_tps", "ttft_client_ms", "prefill_tps")
"""Metrics on which a regression is judged."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One metric on both sides. ``p_holm`` is ``p`` corrected for the number of metrics."""

    metric: str
    unit: str
    a: float | None
    b: float | None
    delta_pct: float | None
    ci95_pct: tuple[float, float] | None
    p: float | None
    p_holm: float | None
    mdc_pct: float | None
    n_a: int
    n_b: int
    is_paired: bool
    is_estimated: tuple[bool, bool] = (False, False)
    """Whether the values of A and of B are estimates."""
    verdict: Verdict
    why: str = ""

    @property
    def counts(self) -> str:
        """How many values the row rests on."""
        return f"{self.n_a} pairs" if self.is_paired else f"{self.n_a}/{self.n_b}"

    @property
    def symbol(self) -> str:
        return SYMBOLS[self.verdict]


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt that only one side answered."""

    id: str
    a: str
    b: str


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Successes or passed checks, compared apart from speed."""

    name: str
    a: str
    b: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A against B, A being the baseline. Machine readable as it is.

    ``blocking`` are differences that forbid the comparison: without ``is_forced`` there are no rows
    then.
    """

    a: str
    b: str
    model_a: str
    model_b: str
    is_simulated: tuple[bool, bool]
    is_forced: bool
    vary: tuple[str, ...]
    blocking: tuple[str, ...]
    warnings: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    shares: tuple[Share, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    per_prompt: tuple[tuple[str, float | None, float | None], ...] = ()
    """(prompt, A, B) generation speed, for bars side by side."""

    def row(self, metric_id: str) -> Row | None:
        return next((row for row in self.rows if row.metric == metric_id), None)

    @property
    def is_regression(self) -> bool:
        """Whether a gated metric is worse beyond doubt and threshold."""
        return any(row.metric in GATED and row.verdict == "slower" for row in self.rows)
