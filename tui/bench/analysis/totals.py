"""Figures of a whole run, and the number of failures by status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from tui.bench.analysis import statistics as stat
from tui.bench.analysis.summary import decode_tps, headline_source, scored
from tui.bench.model.metrics import ratio
from tui.bench.model.records import NOT_ATTEMPTED, Failure, Request, Source, Total

NO_RATE = "no scored request has a rate"


def totals(
    requests: Sequence[Request], *, wall_s: float, good_ttft_ms: float, good_decode_tps: float
) -> dict[str, Total]:
    """The figures of a whole run. ``wall_s`` is its wall time. A request is good (for goodput) if
    its TTFT is at most ``good_ttft_ms`` and its decode rate at least ``good_decode_tps``."""
    kept, source = scored(requests), headline_source(requests)
    attempted = [r for r in requests if r.status not in NOT_ATTEMPTED]
    # A very short answer, or one from a server that buffers, has no rate.
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
        "run_decode_tps": run_decode(kept, source),
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
    """(TTFT in ms, decode rate in tok/s); None unless both are known."""
    first, rate = request.m.get("ttft_client_ms"), decode_tps(request, source)
    return None if first is None or rate is None else (first, rate)


def run_decode(kept: Sequence[Request], source: Source) -> Total:
    """The decode rate of a run, weighted by tokens: long answers count more than short ones."""
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
    """Clocks, heat and memory over the scored requests, without figures that have no values."""
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
    """The statuses of requests that are not scored, with their number, most frequent first."""
    counts = Counter(request.status for request in requests if not request.is_scored)
    return tuple(Failure(status=status, count=count) for status, count in counts.most_common())
