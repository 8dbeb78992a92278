"""Report sections on single requests, and on the board during the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui.bench.analysis.correlate import Correlation, correlate
from tui.bench.analysis.summary import by_group, decode_tps, headline_source, scored
from tui.bench.analysis.trace import decay_bins, gaps_ms
from tui.bench.model.records import Request
from tui.bench.report import charts
from tui.bench.report.blocks import (
    Block,
    Chart,
    Code,
    Facts,
    Folded,
    Heading,
    Paragraph,
    Rule,
    Table,
)
from tui.bench.report.run_sections import metric_cell
from tui.bench.report.text import block, figure, line, marked, number
from tui.bench.report.timelines import picture
from tui.bench.store.document import trace_of
from tui.bench.store.run_files import Loaded, in_suite_order
from tui.core.text.format import UNKNOWN

MAX_DETAILS = 400
MAX_GAPS = 200_000
STATUS_MARKS = {"ok": "✓ ok", "capped": "✓ capped"}


def groups(loaded: Loaded) -> Iterator[Block]:
    """Figures per group (depth, length, language, phase); empty with fewer than two groups."""
    requests = loaded.document.requests
    found = {name: rows for name, rows in by_group(in_suite_order(loaded)).items() if name}
    if len(found) < 2:
        return
    source = headline_source(requests)
    rows = []
    for name, members in found.items():
        kept = scored(members)
        checks = [c for r in kept for c in r.checks if c.passed is not None and not c.info]
        rows.append(
            (
                line(name),
                f"{len(kept)}/{len(members)}",
                _middle([r.tok.input for r in kept], 0),
                _middle([r.tok.out for r in kept], 0),
                _middle([r.m.get("ttft_client_ms") for r in kept]),
                _middle([r.m.get("prefill_tps") or r.m.get("prefill_tps_est") for r in kept]),
                marked(_middle([decode_tps(r, source) for r in kept]), source),
                f"{sum(bool(c.passed) for c in checks)}/{len(checks)}" if checks else UNKNOWN,
            )
        )
    yield Heading(2, "By group")
    columns = ("Group", "Ok", "P", "N", "TTFT ms", "Prefill tok/s", "tok/s", "Checks")
    yield Table(columns, rows, frozenset({1, 2, 3, 4, 5, 6, 7}))


def _middle(values: Sequence[float | None], digits: int = 2) -> str:
    known = sorted(value for value in values if value is not None)
    if not known:
        return UNKNOWN
    middle = len(known) // 2
    pair = known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) / 2
    return number(pair, digits)


def requests(loaded: Loaded) -> Iterator[Block]:
    """All requests with numbers, checks, prompt and answer."""
    every = loaded.document.requests
    yield Heading(2, "Detailed Test Results")
    for at, request in enumerate(every[:MAX_DETAILS], 1):
        yield Heading(3, f"Test {at}/{len(every)}: {line(request.name or request.id)}")
        yield from _request(loaded, request)
        yield Rule()
    if len(every) > MAX_DETAILS:
        yield Paragraph(f"{len(every) - MAX_DETAILS} more requests are in run.json.")


def _request(loaded: Loaded, request: Request) -> Iterator[Block]:
    source = headline_source(loaded.document.requests)
    yield Facts((("ID", f"{line(request.id)}, repetition {request.rep + 1}"),))
    speed = decode_tps(request, source)
    shown = metric_cell("decode_tps", speed)
    if request.is_rate_estimated and request.rate_tps is not None:
        shown = f"~{metric_cell('decode_tps_est', request.rate_tps)} ({line(request.rate_doubt)})"
    taints = ", ".join(request.taint) or "none"
    rows = [
        ("Status", STATUS_MARKS.get(request.status, f"✗ {request.status}")),
        ("Generation Speed", shown),
        ("Time to First Token", _first_token(request)),
        ("Time in Queue", metric_cell("queue_ms", request.m.get("queue_ms"))),
        ("Total Time", _seconds(request.m.get("latency_ms"))),
        ("Input Tokens", _tokens(request.tok.input, request.tok.in_source)),
        ("Output Tokens", _tokens(request.tok.out, request.tok.source)),
        ("Memory Usage", _memory(request)),
        ("Finish", line(request.finish)),
        ("Gaps p50 / p99 / max", _gaps(request)),
        ("Last fifth against first", figure("last_vs_first", request.m.get("last_vs_first"))),
        ("Hottest", f"{number(request.hw.t_max, 0)} °C"),
        ("Taints", taints),
        ("Prompt hash", request.prompt_sha256[:16] or UNKNOWN),
    ]
    yield Table(("Metric", "Value"), [row for row in rows if row[1] not in (UNKNOWN, "– °C")])
    yield from picture(loaded, request)
    if request.error:
        yield Paragraph(f"{request.status}: {line(request.error)}", is_warning=True)
    for warning in request.warnings:
        yield Paragraph(line(warning))
    if request.checks:
        cells = [(c.id, _verdict(c.passed, is_info=c.info), line(c.detail)) for c in request.checks]
        yield Table(("Check", "Result", "Detail"), cells)
    yield from _texts(loaded, request)


def _first_token(request: Request) -> str:
    first_ms = request.m.get("ttft_client_ms")
    shown = metric_cell("ttft_client_ms", first_ms)
    return shown if first_ms is None else request.marked_ttft(shown)


def _tokens(count: int | None, source: str) -> str:
    return f"{marked(_count(count), source)} ({source})"


def _verdict(passed: bool | None, *, is_info: bool) -> str:
    if passed is None:
        return "n/a"
    if is_info:
        return "info" if not passed else "info ok"
    return "pass" if passed else "fail"


def _texts(loaded: Loaded, request: Request) -> Iterator[Block]:
    prompt = loaded.prompts.get(request.key)
    text, thinking = loaded.texts.get(request.key, ("", ""))
    if prompt:
        yield Facts((("Prompt", ""),))
        yield Code(block(prompt))
    if thinking:
        yield Folded("Thinking", block(thinking))
    if text:
        label = "Response" if request.is_scored else "Partial response"
        yield Facts(((label, ""),))
        yield Code(block(text))


def _seconds(value_ms: float | None) -> str:
    return UNKNOWN if value_ms is None else f"{value_ms / 1000:.2f} seconds"


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else str(value)


def _memory(request: Request) -> str:
    value = request.rt.memory_mb if request.hw.hwm_mb is None else request.hw.hwm_mb
    return UNKNOWN if value is None else f"{value:.2f} MB"


def _gaps(request: Request) -> str:
    gaps = request.itl_ms
    if not gaps.n:
        return UNKNOWN
    shown = [number(value, 1) for value in (gaps.p50, gaps.p99, gaps.max)]
    return f"{' / '.join(shown)} ms, {gaps.stalls} stalls, n={gaps.n}"


# -- charts, decay, hardware -----------------------------------------------------------------------


def decay(loaded: Loaded) -> Iterator[Block]:
    """Time per token over context, and the distribution of inter-token times."""
    bins: list[tuple[float, float]] = []
    gaps: list[float] = []
    for request in scored(loaded.document.requests):
        trace = trace_of(request, loaded.stamps.get(request.key, ()))
        bins += decay_bins(trace)
        if len(gaps) < MAX_GAPS:
            gaps += gaps_ms(trace)
    fit = next((f for f in loaded.document.fits if f.id == "tpot_over_context"), None)
    labels, values = _rates(loaded)
    yield Heading(2, "Context Decay")
    if fit is None:
        yield Paragraph("Too few tokens to fit the time per token over context.")
    else:
        ends = "" if fit.b_low is None else f" (95 % {fit.b_low:.5f} to {fit.b_high or 0:.5f})"
        yield Facts(
            (
                ("Fit", f"{fit.a:.2f} ms + {fit.b:.5f} ms per token of context{ends}"),
                ("Method", f"{fit.method}, n={fit.n}, {_span(fit.x_min, fit.x_max)}"),
            )
        )
    for svg, title in (
        (charts.bars(labels, values, "tok/s", "rate per request"), "Generation speed per request"),
        (
            charts.scatter(bins, "tokens of context", "ms per token", "decay", fit),
            "Time per token over context, bins of 16 tokens",
        ),
        (charts.histogram(gaps, "ms", "gaps"), "Gaps between tokens, pooled over all requests"),
    ):
        if svg:
            yield Chart(svg, title)


def _span(low: float | None, high: float | None) -> str:
    return f"{number(low, 0)} to {number(high, 0)} tokens"


def _rates(loaded: Loaded) -> tuple[list[str], list[float | None]]:
    every = loaded.document.requests
    source = headline_source(every)
    kept = [r for r in every if r.is_scored][:60]
    has_reps = any(r.rep for r in kept)
    names = [line(f"{r.id} {r.rep + 1}" if has_reps else r.id) for r in kept]
    return names, [decode_tps(r, source) for r in kept]


def hardware(loaded: Loaded) -> Iterator[Block]:
    """The board during the run, and the correlation of inter-token times with it."""
    samples = loaded.samples
    if not samples:
        return
    start = samples[0].t_ns
    yield Heading(2, "Hardware Timeline")
    series = {
        name: [
            ((s.t_ns - start) / 1e9, value / scale)
            for s in samples
            if (value := s.number(name)) is not None
        ]
        for name, scale in (
            ("temp.max", 1.0),
            ("npu.freq", 1e6),
            ("ddr.freq", 1e6),
            ("ram.available", 2.0**20),
        )
    }
    rows = [
        (name, number(min(y for _, y in points), 0), number(max(y for _, y in points), 0))
        for name, points in series.items()
        if points
    ]
    units = {"temp.max": "°C", "npu.freq": "MHz", "ddr.freq": "MHz", "ram.available": "MB"}
    cells = [(f"{name} ({units[name]})", low, high) for name, low, high in rows]
    yield Table(("Reading", "Lowest", "Highest"), cells, frozenset({1, 2}))
    heat = charts.timeline([("hottest zone", series["temp.max"])], "°C", "temperature")
    clocks = charts.timeline(
        [("NPU", series["npu.freq"]), ("DDR", series["ddr.freq"])], "MHz", "clocks"
    )
    if heat:
        yield Chart(heat, "Hottest zone over the run")
    if clocks:
        yield Chart(clocks, "NPU clock, and DDR clock in the second colour")
    found = _correlation(loaded)
    if found is not None:
        yield from _influences(found)


def _correlation(loaded: Loaded) -> Correlation | None:
    kept = {r.key: r for r in scored(loaded.document.requests) if r.itl_ms.n}
    stamps = {key: marks for key, marks in loaded.stamps.items() if key in kept}
    contexts = {key: request.tok.input or 0 for key, request in kept.items()}
    return correlate(stamps, contexts, loaded.samples)


def _influences(found: Correlation) -> Iterator[Block]:
    rows = [
        (i.label, number(i.rho), str(i.n), i.remark or "rank correlation with the gap")
        for i in found.influences
    ]
    yield Table(("Gap against", "rho", "n", "Remark"), rows, frozenset({1, 2}))
    if len(found.buckets) > 2:
        cells = [
            (b.name, f"{b.value / 1e6:.0f} MHz", str(b.n), number(b.median_ms))
            for b in found.buckets
        ]
        yield Table(("Clock", "At", "Gaps", "Median ms"), cells, frozenset({2, 3}))
    if found.stalls:
        cells = [
            (line(s.request), str(s.token), number(s.gap_ms, 0), s.state) for s in found.stalls
        ]
        yield Table(("Stall in", "Token", "Gap ms", "Board then"), cells, frozenset({1, 2}))
