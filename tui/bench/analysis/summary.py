"""From the requests of a run to its figures: one metric at a time, totals, fits, failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from tui.bench.analysis import statistics as stat
from tui.bench.model.metrics import HEADLINE, METRICS, metric, ratio
from tui.bench.model.records import NOT_ATTEMPTED, Failure, Fit, Request, Source, Summary, Total
from tui.core.turn.stats import quantile

NO_COLD_TTFT = frozenset({"cache_hit", "buffered_stream"})
"""Taints that keep a request out of cold time to first token and prefill."""
PREFILL_METRICS = frozenset(
    {"ttft_client_ms", "ttfot_ms", "prefill_ms", "prefill_tps", "prefill_tps_est"}
)
TTFT_METRICS = frozenset({"ttft_client_ms", "ttfot_ms", "overhead_ttft_ms"})
USABLE_TPS = 2.0
NO_RATE = "no scored request has a rate"


def scored(requests: Iterable[Request]) -> list[Request]:
    """Requests that feed headlines: ok and capped."""
    return [request for request in requests if request.is_scored]


def headline_source(requests: Sequence[Request]) -> Source:
    """One source for the generation speed of a run, never a mix.

    runtime where every scored request with a rate has the runtime's, else client, else estimated.
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
    """The generation speed of a request by that source.

    An estimate counts where chunks were counted in place of tokens: that is the same measure in
    every answer of a server. One that is guessed from the length of the text is not.
    """
    tok = request.tok
    if source == "estimated" and tok.source == "estimated" and tok.out != tok.chunks:
        return None
    key = _RATE_OF.get(source)
    return None if key is None else request.m.get(key)


def value_of(request: Request, metric_id: str, source: Source) -> float | None:
    """A metric of a request as it enters figures: cold prefill only where it was cold, and times
    to the first token only where nothing but the prefill came before it."""
    if metric_id in PREFILL_METRICS and NO_COLD_TTFT & set(request.taint):
        return None
    if metric_id in TTFT_METRICS and request.ttft_includes:
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
    """All figures of one sample. Nothing that the sample is too small for."""
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
    """Every metric that some scored request has, in the order of the list of metrics.

    The headline metrics get all rounds of resampling, the others a fifth of them.
    """
    kept = scored(requests)
    source = headline_source(requests)
    names = [name for name in METRICS if name == "decode_tps" or any(name in r.m for r in kept)]
    out: dict[str, Summary] = {}
    for name in names:
        values = [v for r in kept if (v := value_of(r, name, source)) is not None]
        if values or name in ("decode_tps", "ttft_client_ms"):
            came_from = source if name == "decode_tps" else _SOURCES.get(name, "client")
            rounds = resamples if name in HEADLINE else resamples // 5
            out[name] = describe(
                values, seed=seed, metric_id=name, source=came_from, resamples=rounds
            )
    return out


def by_group(
    requests: Sequence[Request], key: Callable[[Request], str] = lambda r: r.group
) -> dict[str, list[Request]]:
    """Requests by group, in the order in which the groups first occur."""
    groups: dict[str, list[Request]] = {}
    for request in requests:
        groups.setdefault(key(request), []).append(request)
    return groups


def totals(
    requests: Sequence[Request], *, wall_s: float, good_ttft_ms: float, good_decode_tps: float
) -> dict[str, Total]:
    """The figures of the run as a whole."""
    kept, source = scored(requests), headline_source(requests)
    attempted = [r for r in requests if r.status not in NOT_ATTEMPTED]
    # An answer of a few tokens, or from a server that buffers, has no rate to be judged by.
    judged = [r for r in attempted if not r.is_scored or _goods(r, source) is not None]
    good = [
        r
        for r in kept
        if (seen := _goods(r, source)) is not None
        and seen[0] <= good_ttft_ms
        and seen[1] >= good_decode_tps
    ]
    why_no_good = None if judged else "no answer has both figures"
    tokens_out = sum(r.tok.out or 0 for r in attempted)
    scored_out = sum(r.tok.out or 0 for r in kept)
    tokens_in = sum(r.tok.input or 0 for r in kept)
    sources = {r.tok.source for r in attempted if r.tok.out}
    out_source = sources.pop() if len(sources) == 1 else "mixed" if sources else "unknown"
    checks = [c for r in kept for c in r.checks if c.passed is not None and not c.info]
    passed = sum(bool(c.passed) for c in checks)
    gaps = [r.itl_ms for r in kept if r.itl_ms.n]
    figures = {
        "run_decode_tps": _run_decode(kept, source),
        "median_decode_tps": _median_decode(kept, source),
        "run_wall_tps": Total(
            value=ratio(tokens_out, wall_s or None),
            n=len(attempted),
            unit="tok/s",
            formula="sum(N) / wall time, failures and cool-downs included",
            source=out_source,
        ),
        "success_pct": Total(
            value=ratio(len(kept), len(attempted), 100),
            n=len(attempted),
            unit="%",
            formula="100 * (ok + capped) / attempted",
            source="client",
        ),
        "goodput_pct": Total(
            value=ratio(len(good), len(judged), 100),
            n=len(judged),
            unit="%",
            why=why_no_good,
            formula=f"ttft <= {good_ttft_ms:g} ms and decode >= {good_decode_tps:g} tok/s",
            source="client",
        ),
        "good_per_h": Total(
            value=ratio(3600 * len(good), wall_s or None) if judged else None,
            n=len(judged),
            unit="1/h",
            why=why_no_good,
            formula="good requests per hour of wall time",
            source="client",
        ),
        "tokens_in": Total(
            value=tokens_in,
            n=len(kept),
            formula="sum of P over scored requests",
            source=_one({r.tok.in_source for r in kept}),
        ),
        "tokens_out": Total(
            value=tokens_out,
            n=len(attempted),
            formula="sum of N over attempted requests",
            source=out_source,
        ),
        "tokens_per_success": Total(
            value=ratio(scored_out, len(kept)),
            n=len(kept),
            formula="sum of N / scored requests",
            source=out_source,
        ),
        "tokens_per_attempt": Total(
            value=ratio(tokens_out, len(attempted)),
            n=len(attempted),
            formula="sum of N / attempted requests",
            source=out_source,
        ),
        "check_pass_pct": Total(
            value=ratio(passed, len(checks), 100),
            n=len(checks),
            unit="%",
            formula="100 * passed / applicable checks",
            source="client",
        ),
        "stalls": Total(
            value=sum(g.stalls for g in gaps),
            n=sum(g.n for g in gaps),
            formula="gaps longer than 3 medians of their request",
            source="client",
        ),
    }
    return figures | _hardware(kept)


def _one(values: set[Source]) -> str:
    return next(iter(values)) if len(values) == 1 else "mixed" if values else "unknown"


def _goods(request: Request, source: Source) -> tuple[float, float] | None:
    """(TTFT in ms, tokens per second), where both are known."""
    first, rate = request.m.get("ttft_client_ms"), decode_tps(request, source)
    return None if first is None or rate is None else (first, rate)


def _run_decode(kept: Sequence[Request], source: Source) -> Total:
    """Token weighted: every token counts the same, so long answers count more than short ones."""
    tokens, time_ms, n = 0.0, 0.0, 0
    for request in kept:
        if decode_tps(request, source) is None:
            continue
        if source == "runtime":
            count, spent = request.rt.generate_tokens, request.rt.generate_ms
        else:
            count = (request.tok.out or 1) - 1
            spent = ratio(count, decode_tps(request, source), 1000)
        if count and spent:
            tokens, time_ms, n = tokens + count, time_ms + spent, n + 1
    formula = "1000 * sum(Ng) / sum(Tg)" if source == "runtime" else "sum(N - 1) / sum(tN - t1)"
    return Total(
        value=ratio(tokens, time_ms or None, 1000),
        n=n,
        unit="tok/s",
        formula=formula,
        source=source,
        why=None if n else NO_RATE,
    )


def _median_decode(kept: Sequence[Request], source: Source) -> Total:
    rates = [rate for r in kept if (rate := decode_tps(r, source)) is not None]
    return Total(
        value=median(rates) if rates else None,
        n=len(rates),
        unit="tok/s",
        formula=f"median of decode_tps ({source})",
        source=source,
        why=None if rates else NO_RATE,
    )


def _hardware(kept: Sequence[Request]) -> dict[str, Total]:
    """Clocks, heat and memory over the scored requests; what nobody could read is left out."""
    clocks = [r.hw.clock_ok_pct for r in kept if r.hw.clock_ok_pct is not None]
    heat = [r.hw.t_max for r in kept if r.hw.t_max is not None]
    held = [r.hw.throttled_s for r in kept if r.hw.throttled_s is not None]
    swap = [r.hw.swap_delta_mb for r in kept if r.hw.swap_delta_mb is not None]
    free = [r.hw.avail_min_mb for r in kept if r.hw.avail_min_mb is not None]
    rss = [v for r in kept for v in (r.hw.hwm_mb or r.rt.memory_mb,) if v is not None]
    out: dict[str, Total] = {}

    def add(name: str, value: float, count: int, unit: str, formula: str) -> None:
        out[name] = Total(value=value, n=count, unit=unit, formula=formula, source="board")

    if clocks:
        mean = stat.mean(clocks) or 0.0
        add("clock_ok_pct", mean, len(clocks), "%", "mean share of samples at the highest clock")
    if heat:
        add("t_max_c", max(heat), len(heat), "°C", "hottest sample of any zone")
    if held:
        add("throttled_s", sum(held), len(held), "s", "time with a thermal limit in force")
    if swap:
        add("swap_mb", sum(max(0.0, v) for v in swap), len(swap), "MB", "sum of swap growth")
    if free:
        add("avail_min_mb", min(free), len(free), "MB", "lowest MemAvailable")
    if rss:
        add("memory_mb", max(rss), len(rss), "MB", "peak resident memory of the server process")
    return out


def failures(requests: Iterable[Request]) -> tuple[Failure, ...]:
    """Statuses that feed no headline, with their number, the most frequent first."""
    counts = Counter(request.status for request in requests if not request.is_scored)
    return tuple(Failure(status=status, count=count) for status, count in counts.most_common())


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


def pooled(gaps: Sequence[float], q: float) -> float | None:
    """A quantile over the gaps of all requests together, which number in the thousands."""
    return quantile(gaps, q)
