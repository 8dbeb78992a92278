"""Records of a comparison of two runs, for reports, screens and JSON."""

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
"""Metrics that decide whether there is a regression."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of both runs. ``a`` and ``b`` are medians. ``p_holm`` is ``p`` corrected by Holm's
    method for the number of metrics. ``why`` explains an inconclusive verdict."""

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
        """The numbers of values, as shown in a table."""
        return f"{self.n_a} pairs" if self.is_paired else f"{self.n_a}/{self.n_b}"

    @property
    def symbol(self) -> str:
        return SYMBOLS[self.verdict]


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt without a usable answer on both sides: its id, and its status in A and in B."""

    id: str
    a: str
    b: str


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Answered requests or passed checks of both sides, as ``3/4``."""

    name: str
    a: str
    b: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Run B compared with the baseline, run A. Also the JSON output of ``npulse bench compare``.

    ``blocking`` are differences that prevent the comparison: then there are no rows unless
    ``is_forced``.
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
    """(prompt, decode rate in A, in B), for bars side by side."""

    def row(self, metric_id: str) -> Row | None:
        return next((row for row in self.rows if row.metric == metric_id), None)

    @property
    def is_regression(self) -> bool:
        """Whether a metric in GATED has the verdict "slower"."""
        return any(row.metric in GATED and row.verdict == "slower" for row in self.rows)
