"""Theil-Sen fits: time per token over context length, prefill time over prompt length."""

from __future__ import annotations

from collections.abc import Sequence

from tui.bench.analysis.summary import scored, value_of
from tui.bench.model.metrics import ratio
from tui.bench.model.records import Fit, Request
from tui.core.theil_sen import theil_sen

USABLE_TPS = 2.0


def decay_fit(bins: Sequence[tuple[float, float]]) -> Fit | None:
    """Fit ms per token over context; ``bins`` are (context, ms) per 16 tokens of scored
    requests."""
    return _fit(
        bins,
        least=4,
        id="tpot_over_context",
        x="tokens of context",
        y="ms per token",
        method="Theil-Sen over bins of 16 tokens",
    )


def prefill_fit(requests: Sequence[Request]) -> Fit | None:
    """Fit ms of prefill over prompt tokens; of TTFT unless all scored requests have prefill
    times."""
    points = []
    is_runtime = all(r.m.get("prefill_ms") is not None for r in scored(requests))
    key = "prefill_ms" if is_runtime else "ttft_client_ms"
    for request in scored(requests):
        spent = value_of(request, key, "client")
        size = request.rt.prefill_tokens if is_runtime else request.tok.input
        if spent is not None and size:
            points.append((float(size), spent))
    what = "prefill" if is_runtime else "time to first token"
    return _fit(
        points,
        least=3,
        id="prefill_over_prompt",
        x="prompt tokens",
        y=f"ms of {what}",
        method="Theil-Sen over requests",
    )


def _fit(
    points: Sequence[tuple[float, float]], *, least: int, id: str, x: str, y: str, method: str
) -> Fit | None:
    """The line through the points; None if there are fewer than ``least``."""
    line = theil_sen([at for at, _ in points], [value for _, value in points])
    if line is None or line.n < least:
        return None
    return Fit(
        id=id,
        a=line.intercept,
        b=line.slope,
        b_low=line.slope_low,
        b_high=line.slope_high,
        n=line.n,
        x=x,
        y=y,
        method=method,
        x_min=min(at for at, _ in points),
        x_max=max(at for at, _ in points),
    )


def usable_context(fit: Fit, tps: float = USABLE_TPS) -> float | None:
    """The context length at which the fitted rate falls to ``tps``; None if it never does."""
    if fit.b <= 0:
        return None
    return max(0.0, (1000 / tps - fit.a) / fit.b)


def rate_at(fit: Fit, context: float) -> float | None:
    """The fitted decode rate in tok/s at that context length."""
    return ratio(1000.0, fit.a + fit.b * context)
