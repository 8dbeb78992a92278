"""The charts of a result: rate per prompt, rate against context, gaps, the board over time."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tui.bench.analysis import summary
from tui.bench.analysis.fits import rate_at
from tui.bench.analysis.trace import decay_bins, gaps_ms
from tui.bench.model.events import Sampled
from tui.bench.model.records import Request
from tui.bench.model.screen import Picture, Series
from tui.bench.store.document import trace_of
from tui.bench.store.run_files import Loaded
from tui.core.text.sanitize import clean_line

MAX_BARS = 40
MAX_POINTS = 1200
MAX_GAPS = 200_000
GAP_BINS = 48


def pictures(loaded: Loaded) -> tuple[Picture, ...]:
    """The four charts; one without data has the reason."""
    kept = summary.scored(loaded.document.requests)
    return (
        _rates(loaded, kept),
        _decay(loaded, kept),
        _gaps(loaded, kept),
        _timeline(loaded),
    )


def _rates(loaded: Loaded, kept: Sequence[Request]) -> Picture:
    """One bar per prompt, with the range of its repetitions; for a single request, the range of the
    rate during the answer."""
    source = summary.headline_source(loaded.document.requests)
    found: dict[str, list[tuple[float, Request]]] = {}
    for request in kept:
        rate = summary.decode_tps(request, source) or request.rate_tps
        if rate is not None:
            found.setdefault(request.id, []).append((rate, request))
    labels, values, ranges = [], [], []
    for name, asked in list(found.items())[:MAX_BARS]:
        rates = [rate for rate, _ in asked]
        labels.append(clean_line(name, 24))
        values.append(median(rates))
        low, high = min(rates), max(rates)
        if len(asked) == 1:
            low, high = _within(loaded, asked[0][1], rates[0])
        ranges.append((low, high))
    series = (
        (Series("decode", tuple(values), labels=tuple(labels), ranges=tuple(ranges)),)
        if values
        else ()
    )
    has_repeats = any(len(asked) > 1 for asked in found.values())
    is_estimated = any(one.is_rate_estimated for asked in found.values() for _, one in asked)
    unit = "tok/s, estimated" if is_estimated else "tok/s"
    unit += ", range of repeats" if has_repeats else ", range within the answer"
    return Picture("decode rate per prompt", "bars", "", unit, series, "no answer has a rate")


def _within(loaded: Loaded, request: Request, rate_tps: float) -> tuple[float, float]:
    """The lowest and highest rate over 16 tokens in one answer; its rate twice if the times are
    unknown."""
    trace = trace_of(request, loaded.stamps.get(request.key, ()))
    rates = [1000 / ms for _, ms in decay_bins(trace) if ms > 0]
    return min([*rates, rate_tps]), max([*rates, rate_tps])


def _decay(loaded: Loaded, kept: Sequence[Request]) -> Picture:
    points: list[tuple[float, float]] = []
    for request in kept:
        trace = trace_of(request, loaded.stamps.get(request.key, ()))
        points += [(x, 1000 / ms) for x, ms in decay_bins(trace) if ms > 0]
    points.sort()
    points = _thinned(points)
    series = []
    if points:
        xs, ys = zip(*points, strict=True)
        series.append(Series("bins of 16", ys, xs))
        fit = next((f for f in loaded.document.fits if f.id == "tpot_over_context"), None)
        if fit is not None:
            ends = [xs[0] + (xs[-1] - xs[0]) * step / 24 for step in range(25)]
            line = [(x, rate) for x in ends if (rate := rate_at(fit, x)) is not None]
            if line:
                series.append(Series("fit", tuple(y for _, y in line), tuple(x for x, _ in line)))
    why = "token times are unknown, or answers have fewer than 17 tokens"
    title = "decode rate against context"
    return Picture(title, "dots", "tokens of context", "tok/s", tuple(series), why)


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return points[:: max(1, -(-len(points) // MAX_POINTS))]


def _gaps(loaded: Loaded, kept: Sequence[Request]) -> Picture:
    gaps: list[float] = []
    for request in kept:
        if len(gaps) < MAX_GAPS:
            gaps += gaps_ms(trace_of(request, loaded.stamps.get(request.key, ())))
    title, why = "gaps between tokens", "token times are unknown"
    if len(gaps) < 2:
        return Picture(title, "columns", "ms", "count", (), why)
    gaps.sort()
    # The longest 0.5 % would compress all others into one column.
    high = gaps[min(len(gaps) - 1, round(0.995 * len(gaps)))]
    low = gaps[0]
    width = (high - low) / GAP_BINS or max(1.0, high) / GAP_BINS
    counts = [0] * GAP_BINS
    for gap in gaps:
        counts[min(GAP_BINS - 1, int((gap - low) / width))] += 1
    middles = tuple(low + (at + 0.5) * width for at in range(GAP_BINS))
    return Picture(title, "columns", "ms", "count", (Series("gaps", tuple(counts), middles),))


def _timeline(loaded: Loaded) -> Picture:
    title, samples = "board over the run", loaded.samples
    if not samples:
        return Picture(title, "lines", "seconds", "", (), "the board was not sampled")
    start = samples[0].t_ns
    series = []
    for name, label in (("temp.max", "hottest °C"), ("npu", "NPU %"), ("ddr.load", "DDR %")):
        points = []
        for sample in samples:
            value = _npu(sample) if name == "npu" else sample.number(name)
            if value is not None:
                points.append(((sample.t_ns - start) / 1e9, value))
        points = _thinned(points)
        if points:
            xs, ys = zip(*points, strict=True)
            series.append(Series(label, ys, xs))
    why = "neither temperatures nor loads could be read"
    return Picture(title, "lines", "seconds", "", tuple(series), why)


def _npu(sample: Sampled) -> float | None:
    """Mean NPU load of all cores in per cent; None if unknown."""
    loads = [sample.number(f"npu.load.{core}") for core in range(8)]
    known = [load for load in loads if load is not None]
    return sum(known) / len(known) if known else None
