"""Metrics of a request: id, unit, formula, and which direction is better. The ids are stable.

Symbols: t0 request written, t1 first token, tc first token after thinking, tN last token, te end;
N tokens of the answer, P tokens of the prompt, Pp those processed (not from the prefix cache),
C chunks; Tp and Tg the runtime's prefill and decode times, Ng its number of decode steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


def finite(value: float | None) -> float | None:
    """The value as a float; None for None, NaN, infinity, and integers too large for a float."""
    try:
        return None if value is None or not math.isfinite(value) else float(value)
    except OverflowError:
        return None


def ratio(top: float | None, bottom: float | None, scale: float = 1.0) -> float | None:
    """scale * top / bottom; None if a part is None, the divisor is 0, or the result overflows."""
    if top is None or bottom is None or bottom == 0:
        return None
    try:
        return finite(scale * top / bottom)
    except OverflowError:
        return None


def change_pct(before: float | None, after: float | None) -> float | None:
    """Change in per cent of ``before``; None if a value is None or ``before`` is zero."""
    if before is None or after is None:
        return None
    return ratio(after - before, abs(before), 100.0)


Better = Literal["higher", "lower", "neither"]


MORE_DIGITS = 2
"""An interval may have so many decimals more than its value."""


@dataclass(frozen=True, slots=True)
class Metric:
    """Definition of a metric."""

    id: str
    label: str
    unit: str
    better: Better
    formula: str
    digits: int = 2
    threshold_pct: float = 3.0
    """Least relevant change in per cent; a comparison calls a smaller one "same"."""
    short: str = ""
    """A shorter label."""

    @property
    def short_label(self) -> str:
        return self.short or self.label

    def digits_of(self, value: float | None) -> int:
        """Decimals to show for this value: about three significant figures."""
        if value is None or abs(value) < 9.995:
            return self.digits
        return min(self.digits, 1 if abs(value) < 99.95 else 0)


def interval_digits(ends: tuple[float, float], digits: int) -> int:
    """Decimals with which both ends of an interval differ: ``digits``, or up to two more."""
    low, high = ends
    counts = range(digits, digits + MORE_DIGITS + 1)
    return next((n for n in counts if round(low, n) != round(high, n)), digits)


_ALL = (
    Metric(
        "decode_tps",
        "Generation Speed",
        "tok/s",
        "higher",
        "decode_tps_rt, _cl or _est, by source",
        short="decode",
    ),
    Metric("decode_tps_rt", "Decode, runtime", "tok/s", "higher", "1000 * Ng / Tg"),
    Metric("decode_tps_cl", "Decode, client", "tok/s", "higher", "(N - 1) / (tN - t1)"),
    Metric(
        "decode_tps_est",
        "Decode, estimated",
        "tok/s",
        "higher",
        "(N~ - 1) / (tN - t1), N~ chunks, or guessed from the text",
        short="decode",
    ),
    Metric(
        "rt_cl_delta_pct",
        "Runtime against client",
        "%",
        "neither",
        "100 * (decode_tps_rt / decode_tps_cl - 1)",
    ),
    Metric(
        "ttft_client_ms",
        "Time to First Token",
        "ms",
        "lower",
        "1000 * (t1 - t0)",
        threshold_pct=5.0,
        short="TTFT",
    ),
    Metric(
        "ttfot_ms",
        "Time to first answer token",
        "ms",
        "lower",
        "1000 * (tc - t0)",
        threshold_pct=5.0,
    ),
    Metric("prefill_ms", "Prefill time", "ms", "lower", "Tp", threshold_pct=5.0),
    Metric("prefill_tps", "Input Processing", "tok/s", "higher", "1000 * Pp / Tp", short="prefill"),
    Metric(
        "prefill_tps_est",
        "Input Processing, estimated",
        "tok/s",
        "higher",
        "P~ / (t1 - t0), P~ guessed or t1 - t0 in place of Tp",
        short="prefill",
    ),
    Metric(
        "overhead_ttft_ms",
        "TTFT beyond prefill",
        "ms",
        "lower",
        "ttft_client_ms - Tp",
        threshold_pct=5.0,
    ),
    Metric(
        "queue_ms",
        "Time in queue",
        "ms",
        "lower",
        "t0 - ready to send, server busy",
        short="queue",
    ),
    Metric("itl_mean_ms", "Gap between tokens, mean", "ms", "lower", "1000 / decode_tps_cl"),
    Metric(
        "itl_p50_ms",
        "Gap between tokens, p50",
        "ms",
        "lower",
        "p50 of t[i] - t[i-1]",
        short="gap p50",
    ),
    Metric(
        "itl_p99_ms",
        "Gap between tokens, p99",
        "ms",
        "lower",
        "p99 of t[i] - t[i-1]",
        short="gap p99",
    ),
    Metric("chunk_ratio", "Chunks per token", "", "neither", "C / N"),
    Metric(
        "latency_ms",
        "Total Time",
        "ms",
        "lower",
        "1000 * (te - t0)",
        digits=0,
        short="whole answer",
    ),
    Metric("e2e_tps", "End to end", "tok/s", "higher", "N / (te - t0)"),
    Metric(
        "last_vs_first",
        "Rate, last fifth against first",
        "",
        "higher",
        "mean rate of the last 20 % of gaps / of the first 20 %",
        digits=3,
        short="rate, end/start",
    ),
    Metric("load_s", "Load time", "s", "lower", "model asked for to model ready", short="load"),
    Metric("mem_idle_mb", "Memory in use, no model", "MB", "lower", "MemTotal - MemAvailable"),
    Metric("mem_loaded_mb", "Memory in use, loaded", "MB", "lower", "MemTotal - MemAvailable"),
    Metric(
        "rss_mb",
        "Server memory, resident",
        "MB",
        "lower",
        "VmRSS",
        threshold_pct=2.0,
        short="server RAM",
    ),
    Metric("hwm_mb", "Server memory, peak", "MB", "lower", "VmHWM", threshold_pct=2.0),
    Metric("runtime_mb", "Runtime memory", "MB", "lower", "memory_usage_mb", threshold_pct=2.0),
    Metric(
        "avail_min_mb",
        "Memory left, lowest",
        "MB",
        "higher",
        "lowest MemAvailable",
        threshold_pct=2.0,
    ),
    Metric(
        "energy_j_per_tok",
        "Energy per token",
        "J",
        "lower",
        "integral of P dt from t1 to tN / (N - 1)",
        digits=3,
        short="energy/token",
    ),
    Metric(
        "energy_net_j_per_tok",
        "Energy per token above idle",
        "J",
        "lower",
        "(integral of P dt - idle power * (tN - t1)) / (N - 1)",
        digits=3,
    ),
)
METRICS: dict[str, Metric] = {metric.id: metric for metric in _ALL}

COUNTED = frozenset({"e2e_tps", "chunk_ratio", "energy_j_per_tok", "energy_net_j_per_tok"})
"""Metrics that divide by the number of tokens, and so are estimates if that is."""

HEADLINE = ("decode_tps", "ttft_client_ms", "prefill_tps")
"""The main metrics."""


def metric(metric_id: str) -> Metric:
    """The metric with this id; a placeholder for an unknown id from another version's file."""
    return METRICS.get(metric_id) or Metric(metric_id, metric_id, "", "neither", "")
