"""Theil-Sen lines: time per token over context, prefill time over prompt length."""

from __future__ import annotations

from collections.abc import Sequence

from tui.bench.analysis import statistics as stat
from tui.bench.analysis.summary import scored, value_of
from tui.bench.model.metrics import ratio
from tui.bench.model.records import Fit, Request

USABLE_TPS = 2.0


def decay_fit(bins: Sequence[tuple[float, float]]) -> Fit | None:
    """ms per token over context, from bins of 16 tokens of all scored requests."""
    line = stat.theil_sen([x for x, _ in bins], [y for _, y in bins])
    if line is None or line.n < 4:
        return None
    return Fit(
        id="tpot_over_context",
        a=line.intercept,
        b=line.slope,
        b_low=line.slope_low,
        b_high=line.slope_high,
        n=line.n,
        x="tokens of context",
        y="ms per token",
        method="Theil-Sen over bins of 16 tokens",
        x_min=min(x for x, _ in bins),
        x_max=max(x for x, _ in bins),
    )


def prefill_fit(requests: Sequence[Request]) -> Fit | None:
    """ms of prefill (or of TTFT) over prompt tokens; Theil-Sen over the requests."""
    points = []
    is_runtime = all(r.m.get("prefill_ms") is not None for r in scored(requests))
    key = "prefill_ms" if is_runtime else "ttft_client_ms"
    for request in scored(requests):
        spent = value_of(request, key, "client")
        size = request.rt.prefill_tokens if is_runtime else request.tok.input
        if spent is not None and size:
            points.append((float(size), spent))
    line = stat.theil_sen([x for x, _ in points], [y for _, y in points])
    if line is None or line.n < 3:
        return None
    what = "prefill" if is_runtime else "time to first token"
    return Fit(
        id="prefill_over_prompt",
        a=line.intercept,
        b=line.slope,
        b_low=line.slope_low,
        b_high=line.slope_high,
        n=line.n,
        x="prompt tokens",
        y=f"ms of {what}",
        method="Theil-Sen over requests",
        x_min=min(x for x, _ in points),
        x_max=max(x for x, _ in points),
    )


def usable_context(fit: Fit, tps: float = USABLE_TPS) -> float | None:
    """Context at which the fitted rate falls to ``tps``; None where it never does."""
    if fit.b <= 0:
        return None
    return max(0.0, (1000 / tps - fit.a) / fit.b)


def rate_at(fit: Fit, context: float) -> float | None:
    """Fitted tokens per second at that context."""
    return ratio(1000.0, fit.a + fit.b * context)
