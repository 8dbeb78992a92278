"""Statistics of each metric over the requests of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median

from tui.bench.analysis import statistics as stat
from tui.bench.model.metrics import COUNTED, HEADLINE, METRICS, metric
from tui.bench.model.records import Request, Source, Summary

NO_COLD_TTFT = frozenset({"cache_hit", "buffered_stream"})
"""Taints that exclude a request from TTFT and prefill figures, which are those of a cold cache."""
PREFILL_METRICS = frozenset(
    {"ttft_client_ms", "ttfot_ms", "prefill_ms", "prefill_tps", "prefill_tps_est"}
)
TTFT_METRICS = frozenset({"ttft_client_ms", "ttfot_ms", "overhead_ttft_ms"})


def scored(requests: Iterable[Request]) -> list[Request]:
    """The requests that count for figures: those with outcome ok or capped."""
    return [request for request in requests if request.is_scored]


def headline_source(requests: Sequence[Request]) -> Source:
    """The source of a run's decode rate, which is the same for all its requests.

    ``runtime`` if every scored request with a rate has the runtime's, else ``client`` if any has a
    measured one, else ``estimated``; ``unknown`` without any rate.
    """
    rated = [r for r in scored(requests) if r.rate_tps is not None]
    if not rated:
        return "unknown"
    if all(r.m.get("decode_tps_rt") is not None for r in rated):
        return "runtime"
    if any(r.m.get("decode_tps_cl") is not None for r in rated):
        return "client"
    return "estimated"


_RATE_OF: dict[Source, str] = {
    "runtime": "decode_tps_rt",
    "client": "decode_tps_cl",
    "estimated": "decode_tps_est",
}


def decode_tps(request: Request, source: Source) -> float | None:
    """The decode rate of a request in tok/s by that source; None without one.

    An estimate is used if it counts chunks in place of tokens, which is comparable between answers
    of one server. An estimate from the length of the text is not.
    """
    tok = request.tok
    if source == "estimated" and tok.source == "estimated" and tok.out != tok.chunks:
        return None
    key = _RATE_OF.get(source)
    return None if key is None else request.m.get(key)


def value_of(request: Request, metric_id: str, source: Source) -> float | None:
    """The value of a request's metric for figures; None if it must not count.

    Prefill metrics count only with a cold cache. TTFT counts only if it was measured and includes
    nothing but prefill.
    """
    if metric_id in PREFILL_METRICS and NO_COLD_TTFT & set(request.taint):
        return None
    if metric_id in TTFT_METRICS and (request.ttft_includes or request.is_ttft_estimated):
        return None
    if metric_id == "decode_tps":
        return decode_tps(request, source)
    return request.m.get(metric_id)


def describe(
    values: Sequence[float],
    *,
    seed: int,
    metric_id: str = "",
    source: str = "",
    resamples: int = stat.RESAMPLES,
) -> Summary:
    """The statistics of one sample; None for those that need a larger one. Raises ValueError for
    values that are not finite."""
    known = metric(metric_id)
    if not values:
        return Summary(n=0, unit=known.unit, formula=known.formula, source=source)
    interval = stat.bootstrap(values, resamples=resamples, seed=seed)
    return Summary(
        n=len(values),
        median=median(values),
        mad=stat.mad(values),
        mean=stat.mean(values),
        sd=stat.sample_sd(values),
        min=min(values),
        max=max(values),
        ci95=None if interval is None else (interval.low, interval.high),
        mdc_pct=stat.detectable_pct(values),
        p90=stat.percentile(values, 0.90),
        p95=stat.percentile(values, 0.95),
        p99=stat.percentile(values, 0.99),
        unit=known.unit,
        formula=known.formula,
        source=source,
    )


_SOURCES = {
    "decode_tps_rt": "runtime",
    "prefill_ms": "runtime",
    "prefill_tps": "runtime",
    "runtime_mb": "runtime",
    "decode_tps_est": "estimated",
    "prefill_tps_est": "estimated",
    "rss_mb": "board",
    "hwm_mb": "board",
    "avail_min_mb": "board",
    "mem_idle_mb": "board",
    "mem_loaded_mb": "board",
    "energy_j_per_tok": "board",
    "energy_net_j_per_tok": "board",
}


def summaries(
    requests: Sequence[Request], *, seed: int, resamples: int = stat.RESAMPLES
) -> dict[str, Summary]:
    """Statistics of each metric that a scored request has, in the order of METRICS.

    Headline metrics use all ``resamples`` of the bootstrap, the others a fifth.
    """
    kept = scored(requests)
    source = headline_source(requests)
    names = [name for name in METRICS if name == "decode_tps" or any(name in r.m for r in kept)]
    out: dict[str, Summary] = {}
    for name in names:
        values = [v for r in kept if (v := value_of(r, name, source)) is not None]
        if values or name in ("decode_tps", "ttft_client_ms"):
            came_from = source if name == "decode_tps" else _source_of(name, kept)
            rounds = resamples if name in HEADLINE else resamples // 5
            out[name] = describe(
                values, seed=seed, metric_id=name, source=came_from, resamples=rounds
            )
    return out


def _source_of(name: str, kept: Sequence[Request]) -> str:
    is_estimated = any(r.tok.source == "estimated" for r in kept if r.m.get(name) is not None)
    return "estimated" if name in COUNTED and is_estimated else _SOURCES.get(name, "client")


def by_group(
    requests: Sequence[Request], key: Callable[[Request], str] = lambda r: r.group
) -> dict[str, list[Request]]:
    """Requests by group, in the order of each group's first request."""
    groups: dict[str, list[Request]] = {}
    for request in requests:
        groups.setdefault(key(request), []).append(request)
    return groups
