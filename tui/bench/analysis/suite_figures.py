"""Figures by kind of suite: soak slopes, cache ratio, load time, prefill steps, projections.

Each figure is a :class:`tui.bench.model.records.Total` with n and formula. Conditions of
``--fail-on`` refer to it by its key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median

from tui.bench.analysis import check_figures
from tui.bench.analysis.fits import USABLE_TPS, rate_at, usable_context
from tui.bench.analysis.hardware import MB, THROTTLED_WORDS
from tui.bench.analysis.summary import by_group, decode_tps, headline_source, scored
from tui.bench.model.conditions import Model
from tui.bench.model.events import Sampled
from tui.bench.model.metrics import ratio
from tui.bench.model.records import NOT_ATTEMPTED, Fit, Request, Run, Total
from tui.core.theil_sen import theil_sen

FIVE_MINUTES_NS = 300_000_000_000
PROJECTION = 1000
"""Number of requests for which the time of a batch is projected."""


def figures(
    run: Run,
    model: Model,
    requests: Sequence[Request],
    samples: Sequence[Sampled],
    fits: Sequence[Fit],
) -> dict[str, Total]:
    """The figures of the run's kind of suite, and energy per token if it was measured."""
    makers: dict[str, Callable[[], dict[str, Total]]] = {
        "instructions": lambda: check_figures.accuracy(requests),
        "languages": lambda: check_figures.per_language(requests),
        "code": lambda: check_figures.review(requests),
        "soak": lambda: soak(requests, samples),
        "cache": lambda: cache(requests),
        "load": lambda: load(requests),
        "sweep": lambda: depth(model, fits, requests),
        "prefill": lambda: prefill(requests, fits),
        "batch": lambda: batch(run, requests),
    }
    maker = makers.get(run.kind)
    found = {} if maker is None else maker()
    energy = [e for r in scored(requests) if (e := r.m.get("energy_j_per_tok")) is not None]
    if energy:
        found["energy_j_per_tok"] = Total(
            value=median(energy),
            n=len(energy),
            unit="J",
            formula="median of energy_j_per_tok",
            source="board",
        )
    return found


def soak(requests: Sequence[Request], samples: Sequence[Sampled]) -> dict[str, Total]:
    """Figures of a long run: slope of the rate per hour, last against first five minutes, memory
    drift, time to throttling."""
    source = headline_source(requests)
    points = [
        (r.t.t0_ns, rate)
        for r in scored(requests)
        if r.t.t0_ns is not None and (rate := decode_tps(r, source)) is not None
    ]
    found: dict[str, Total] = {}
    if not points:
        return found
    start_ns, last_ns = points[0][0], points[-1][0]
    hours = [(t - start_ns) / 3.6e12 for t, _ in points]
    rates = [rate for _, rate in points]
    line = theil_sen(hours, rates)
    slope = None if line is None else ratio(line.slope, median(rates), 100)
    first = [rate for t, rate in points if t < start_ns + FIVE_MINUTES_NS]
    last = [rate for t, rate in points if t > last_ns - FIVE_MINUTES_NS]
    few = "needs at least two answers"

    def put(name: str, value: float | None, n: int, unit: str, formula: str) -> None:
        why = few if value is None else None
        found[name] = Total(value=value, n=n, unit=unit, formula=formula, source=source, why=why)

    put("slope_pct_h", slope, len(points), "%/h", "Theil-Sen slope of decode_tps / its median")
    absolute = None if slope is None else abs(slope)
    put("abs_slope_pct_h", absolute, len(points), "%/h", "|slope_pct_h|")
    put(
        "last_vs_first_5min",
        ratio(median(last), median(first)),
        len(points),
        "",
        "median of the last five minutes / of the first five",
    )
    found |= _soak_board(samples, start_ns)
    return found


def _soak_board(samples: Sequence[Sampled], start_ns: int) -> dict[str, Total]:
    rows = [s for s in samples if s.t_ns >= start_ns]
    rss = [((s.t_ns - start_ns) / 3.6e12, v) for s in rows if (v := s.number("server.rss"))]
    found: dict[str, Total] = {}
    drift = theil_sen([x for x, _ in rss], [y for _, y in rss])
    if drift is not None:
        found["rss_drift_mb_h"] = Total(
            value=drift.slope / MB,
            n=drift.n,
            unit="MB/h",
            formula="Theil-Sen slope of VmRSS",
            source="board",
        )
    throttled = [s.t_ns for s in rows if s.values.get("throttle") in THROTTLED_WORDS]
    if any("throttle" in s.values for s in rows):
        found["time_to_throttle_s"] = Total(
            value=(throttled[0] - start_ns) / 1e9 if throttled else None,
            n=len(rows),
            unit="s",
            formula="first sample with a thermal limit",
            source="board",
            why=None if throttled else "never throttled",
        )
    return found


def cache(requests: Sequence[Request]) -> dict[str, Total]:
    """TTFT with a warm prefix cache relative to that with a cold one."""
    cold = {r.id + str(r.rep // 2): r for r in scored(requests) if r.group.endswith(" cold")}
    ratios = []
    for request in scored(requests):
        before = cold.get(request.id + str(request.rep // 2))
        if request.group.endswith(" warm") and before is not None:
            value = ratio(request.m.get("ttft_client_ms"), before.m.get("ttft_client_ms"))
            ratios += [] if value is None else [value]
    return {
        "cache_ttft_ratio": Total(
            value=median(ratios) if ratios else None,
            n=len(ratios),
            formula="median of warm TTFT / cold TTFT of the same words",
            source="client",
            why=None if ratios else "no pair with both times",
        )
    }


def load(requests: Sequence[Request]) -> dict[str, Total]:
    """Load time cold and warm, and the growth of used memory by loading."""
    found: dict[str, Total] = {}
    for group, rows in by_group(scored(requests)).items():
        spent = [s for r in rows if (s := r.m.get("load_s")) is not None]
        if spent:
            found[f"load_s.{group}"] = Total(
                value=median(spent),
                n=len(spent),
                unit="s",
                formula="median time from load to ready",
                source="client",
            )
    added = [
        after - before
        for r in scored(requests)
        if (after := r.m.get("mem_loaded_mb")) is not None
        and (before := r.m.get("mem_idle_mb")) is not None
    ]
    if added:
        found["model_memory_mb"] = Total(
            value=median(added),
            n=len(added),
            unit="MB",
            formula="memory in use after loading - before",
            source="board",
        )
    return found


def _fit(fits: Sequence[Fit], fit_id: str) -> Fit | None:
    return next((fit for fit in fits if fit.id == fit_id), None)


def depth(model: Model, fits: Sequence[Fit], requests: Sequence[Request]) -> dict[str, Total]:
    """Rate at the full context and usable context by the fit, and memory per token of context."""
    found: dict[str, Total] = {}
    fit = _fit(fits, "tpot_over_context")
    if fit is not None:
        formula = f"1000 / (a + b * context), {fit.method}"
        if model.ctx:
            beyond = fit.x_max is not None and model.ctx > 1.1 * fit.x_max
            found["tps_at_full_context"] = Total(
                value=rate_at(fit, model.ctx),
                n=fit.n,
                unit="tok/s",
                formula=formula + (", extrapolated" if beyond else ""),
                source="client",
            )
        usable = usable_context(fit)
        formula = f"context at which the fitted rate is {USABLE_TPS:g} tok/s"
        if model.ctx and (usable is None or usable >= model.ctx):
            usable, formula = float(model.ctx), f"{formula} or more: the full context"
        found["usable_context"] = Total(
            value=usable,
            n=fit.n,
            unit="tokens",
            formula=formula,
            source="client",
            why=None if usable is not None else "the rate does not fall with context",
        )
    return found | _memory_slope(requests)


def _memory_slope(requests: Sequence[Request]) -> dict[str, Total]:
    points = [
        (float(r.tok.input), float(r.hw.rss_mb))
        for r in scored(requests)
        if r.tok.input and r.hw.rss_mb is not None
    ]
    line = theil_sen([x for x, _ in points], [y for _, y in points])
    if line is None:
        return {}
    return {
        "rss_kb_per_token": Total(
            value=line.slope * 1024,
            n=line.n,
            unit="kB/token",
            formula="Theil-Sen slope of VmRSS over context",
            source="board",
        )
    }


def prefill(requests: Sequence[Request], fits: Sequence[Fit]) -> dict[str, Total]:
    """Prefill: fixed time, time per token, and time per token between adjacent lengths."""
    found: dict[str, Total] = {}
    fit = _fit(fits, "prefill_over_prompt")
    if fit is not None:
        found["prefill_fixed_ms"] = Total(
            value=fit.a,
            n=fit.n,
            unit="ms",
            formula=f"c of c + d * P, {fit.method}",
            source="client",
        )
        found["prefill_ms_per_token"] = Total(
            value=fit.b,
            n=fit.n,
            unit="ms",
            formula=f"d of c + d * P, {fit.method}",
            source="client",
        )
    rows = []
    for members in by_group(scored(requests)).values():
        spent = [t for r in members if (t := r.m.get("ttft_client_ms")) is not None]
        sizes = [r.tok.input for r in members if r.tok.input]
        if spent and sizes:
            rows.append((median(sizes), median(spent)))
    rows.sort()
    for (p0, t0), (p1, t1) in pairwise(rows):
        found[f"prefill_step_ms.{p0:g}-{p1:g}"] = Total(
            value=ratio(t1 - t0, p1 - p0),
            n=2,
            unit="ms/token",
            formula="difference of medians / difference of lengths",
            source="client",
        )
    return found


def batch(run: Run, requests: Sequence[Request]) -> dict[str, Total]:
    """Requests per second, and the projected time of 1,000 such requests."""
    tried = [r for r in requests if r.status not in NOT_ATTEMPTED]
    rate = ratio(len(tried), run.wall_s or None)
    return {
        "requests_per_s": Total(
            value=rate,
            n=len(tried),
            unit="1/s",
            formula="attempted / wall time",
            source="client",
        ),
        "projected_h_per_1000": Total(
            value=ratio(PROJECTION, rate, 1 / 3600) if rate else None,
            n=len(tried),
            unit="h",
            formula=f"{PROJECTION} / requests_per_s, the same mix of prompts",
            source="client",
        ),
    }
