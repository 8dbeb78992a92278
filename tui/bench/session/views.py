"""Suites, earlier runs, results and comparisons as the bench screens show them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tui.bench.analysis import comparability, summary
from tui.bench.analysis.compare import METRICS, SYMBOLS, Comparison, NotComparableError, compare
from tui.bench.analysis.hardware import number
from tui.bench.analysis.trace import decay_bins, gaps_ms
from tui.bench.model import suite
from tui.bench.model.metrics import metric
from tui.bench.model.records import Document, Request
from tui.bench.model.screen import (
    ComparedRow,
    CompareView,
    Fact,
    PastRun,
    Picture,
    ResultView,
    Series,
    Span,
    SuiteChoice,
)
from tui.bench.model.suite import SuiteError
from tui.bench.report.observations import observations
from tui.bench.run.forecast import Speed
from tui.bench.session.listing import expected
from tui.bench.session.rows import LABELS, clean_gate, digits_of, plan_row, stat_rows
from tui.bench.store import runs
from tui.bench.store.document import Loaded, load, trace_of
from tui.bench.store.history import Entry, entries
from tui.core.text import format as fmt
from tui.core.text.sanitize import clean_line

MAX_BARS = 40
MAX_POINTS = 1200
MAX_GAPS = 200_000
GAP_BINS = 48
PAST_RUNS = 200

# -- suites ----------------------------------------------------------------------------------------


def choices(
    user_folder: Path, speed: Speed, context_tokens: int | None
) -> tuple[tuple[SuiteChoice, ...], tuple[str, ...]]:
    """Every suite with its expected duration, and what is wrong with those that cannot be used."""
    try:
        own = sorted(str(path) for path in user_folder.glob("*.toml"))
    except OSError:
        own = []
    read = [_choice(key, speed, context_tokens) for key in (*suite.builtin_ids(), *own)]
    found = tuple(one for one in read if isinstance(one, SuiteChoice))
    return found, tuple(one for one in read if isinstance(one, str))


def _choice(key: str, speed: Speed, context_tokens: int | None) -> SuiteChoice | str:
    """The suite, or one sentence why it cannot be used."""
    try:
        found = suite.find(key, None)
    except SuiteError as error:
        return clean_line(str(error), 300)
    short = suite.quick(found)
    return SuiteChoice(
        key=key,
        id=clean_line(found.id, 40),
        title=clean_line(found.title or found.id, 80),
        about=clean_line(found.about, 200),
        prompts=len(found.prompts),
        runs=found.runs,
        full=Span(*expected(found, speed, context_tokens)),
        quick=Span(*expected(short, speed, context_tokens)),
        quick_prompts=len(short.prompts),
        quick_runs=short.runs,
        is_by_time=found.minutes is not None,
    )


# -- earlier runs ----------------------------------------------------------------------------------


def past_runs(folder: Path) -> tuple[PastRun, ...]:
    """Earlier runs, latest first."""
    names = {run_id: name for name, run_id in runs.baselines(folder).items()}
    found = reversed(entries(folder, limit=PAST_RUNS))
    return tuple(_past(entry, names.get(entry.id), folder) for entry in found)


def _past(entry: Entry, baseline: str | None, folder: Path) -> PastRun:
    has_journal = (folder / entry.id / "journal.jsonl").is_file()
    return PastRun(
        id=entry.id,
        started_utc=clean_line(entry.started_utc, 20),
        suite=clean_line(entry.suite, 40),
        model=clean_line(entry.model, 60),
        status=clean_line(entry.status, 20),
        scored=entry.scored,
        planned=entry.planned,
        decode_tps=entry.decode_median,
        decode_ci=entry.decode_ci,
        ttft_ms=entry.ttft_median_ms,
        is_simulated=entry.is_simulated,
        is_imported=entry.comparability == "limited",
        baseline=None if baseline is None else clean_line(baseline, 40),
        can_resume=has_journal and entry.status != "complete",
    )


# -- one result ------------------------------------------------------------------------------------


def result(loaded: Loaded) -> ResultView:
    """A run to be read."""
    document = loaded.document
    run = document.run
    is_open = run.status != "complete" and run.planned > 0 and loaded.suite is not None
    return ResultView(
        run_id=clean_line(run.id),
        title=clean_line(run.title or run.suite, 80),
        model=clean_line(document.model.name, 60),
        status=run.status,
        is_simulated=run.simulated,
        folder=str(loaded.folder or ""),
        facts=_facts(document),
        stats=stat_rows(document.summary),
        pictures=pictures(loaded),
        requests=tuple(plan_row(request) for request in document.requests),
        remarks=tuple(clean_line(said, 600) for said in observations(loaded)),
        gates=tuple(clean_gate(gate) for gate in document.gates if gate.severity != "ok"),
        can_resume=is_open,
    )


def _facts(document: Document) -> tuple[Fact, ...]:
    run, totals = document.run, document.totals
    kept = len(summary.scored(document.requests))
    planned = run.planned or len(document.requests)
    role = "ok" if kept >= planned else "warn"
    facts = [
        Fact("answered", f"{kept} of {planned}", role),
        Fact("took", fmt.long_seconds(run.wall_s)),
        Fact("started", _when(run.started_utc)),
        Fact("seed", f"{run.seed}, {run.runs} run{'' if run.runs == 1 else 's'}"),
    ]
    wanted = (
        ("run_decode_tps", "decode, every token", "{:.2f} tok/s"),
        ("tokens_out", "tokens out", "{:.0f}"),
        ("check_pass_pct", "checks passed", "{:.0f} %"),
        ("clock_ok_pct", "at highest clocks", "{:.0f} %"),
        ("t_max_c", "hottest", "{:.0f} °C"),
        ("memory_mb", "server RAM, peak", "{:.0f} MB"),
        ("avail_min_mb", "RAM left, lowest", "{:.0f} MB"),
        ("stalls", "stalls", "{:.0f}"),
    )
    for name, label, form in wanted:
        total = totals.get(name)
        if total is not None and total.value is not None and (total.n or name == "tokens_out"):
            mark = "~" if total.source == "estimated" else ""
            facts.append(Fact(label, mark + form.format(total.value)))
    tainted = sum(bool(request.taint) for request in document.requests)
    if tainted:
        facts.append(Fact("tainted", f"{tainted} of {len(document.requests)}", "warn"))
    return tuple(facts)


def _when(started_utc: str) -> str:
    """2025-01-31T12:00:00Z as 2025-01-31 12:00 UTC."""
    return f"{clean_line(started_utc)[:16].replace('T', ' ')} UTC"


def pictures(loaded: Loaded) -> tuple[Picture, ...]:
    """Rate per prompt, rate against context, gaps, hardware over time."""
    kept = summary.scored(loaded.document.requests)
    return (
        _rates(kept, loaded.document.requests),
        _decay(loaded, kept),
        _gaps(loaded, kept),
        _timeline(loaded),
    )


def _rates(kept: Sequence[Request], every: Sequence[Request]) -> Picture:
    source = summary.headline_source(every)
    has_reps = any(request.rep for request in kept)
    labels, values = [], []
    for request in kept[:MAX_BARS]:
        rate = summary.decode_tps(request, source)
        if rate is None:
            rate = request.m.get("decode_tps_est")
        if rate is not None:
            name = clean_line(request.id, 24)
            labels.append(f"{name} {request.rep + 1}" if has_reps else name)
            values.append(rate)
    series = (Series("decode", tuple(values), labels=tuple(labels)),) if values else ()
    title = "decode rate per prompt"
    return Picture(title, "bars", "", "tok/s", series, "no answer has a measured rate")


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
            line = [(x, rate) for x in ends if (rate := summary.rate_at(fit, x)) is not None]
            if line:
                series.append(Series("fit", tuple(y for _, y in line), tuple(x for x, _ in line)))
    why = "token times are not known, or answers have fewer than 17 tokens"
    title = "decode rate against context"
    return Picture(title, "dots", "tokens of context", "tok/s", tuple(series), why)


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return points[:: max(1, -(-len(points) // MAX_POINTS))]


def _gaps(loaded: Loaded, kept: Sequence[Request]) -> Picture:
    gaps: list[float] = []
    for request in kept:
        if len(gaps) < MAX_GAPS:
            gaps += gaps_ms(trace_of(request, loaded.stamps.get(request.key, ())))
    title, why = "gaps between tokens", "token times are not known"
    if len(gaps) < 2:
        return Picture(title, "columns", "ms", "gaps", (), why)
    gaps.sort()
    # The longest one in two hundred would squeeze all others into one column.
    high = gaps[min(len(gaps) - 1, round(0.995 * len(gaps)))]
    low = gaps[0]
    width = (high - low) / GAP_BINS or max(1.0, high) / GAP_BINS
    counts = [0] * GAP_BINS
    for gap in gaps:
        counts[min(GAP_BINS - 1, int((gap - low) / width))] += 1
    middles = tuple(low + (at + 0.5) * width for at in range(GAP_BINS))
    return Picture(title, "columns", "ms", "gaps", (Series("gaps", tuple(counts), middles),))


def _timeline(loaded: Loaded) -> Picture:
    title, samples = "board over the run", loaded.samples
    if not samples:
        return Picture(title, "lines", "seconds", "", (), "the board was not sampled")
    start = samples[0].t_ns
    series = []
    for name, label in (("temp.max", "hottest °C"), ("npu", "NPU %"), ("ddr.load", "DDR %")):
        points = []
        for sample in samples:
            value = _npu(sample.v) if name == "npu" else number(sample.v, name)
            if value is not None:
                points.append(((sample.t_ns - start) / 1e9, value))
        points = _thinned(points)
        if points:
            xs, ys = zip(*points, strict=True)
            series.append(Series(label, ys, xs))
    why = "neither heat nor loads could be read"
    return Picture(title, "lines", "seconds", "", tuple(series), why)


def _npu(values: object) -> float | None:
    assert isinstance(values, dict)
    loads = [number(values, f"npu.load.{core}") for core in range(8)]
    known = [load for load in loads if load is not None]
    return sum(known) / len(known) if known else None


# -- comparison ------------------------------------------------------------------------------------


def comparison(folder: Path, a: str, b: str, *, is_forced: bool) -> CompareView:
    """Two runs against each other, or what forbids it. Raises RunError."""
    left, right = (load(runs.find(folder, name)).document for name in (a, b))
    try:
        return _compared(compare(left, right, is_forced=is_forced))
    except NotComparableError as error:
        blocking = tuple(clean_line(found.sentence, 200) for found in error.found)
        others = [d for d in comparability.differences(left, right) if not d.is_blocking]
        return CompareView(
            a=clean_line(left.run.id),
            b=clean_line(right.run.id),
            model_a=clean_line(left.model.name, 60),
            model_b=clean_line(right.model.name, 60),
            is_simulated=(left.run.simulated, right.run.simulated),
            blocking=blocking,
            warnings=tuple(clean_line(d.sentence, 200) for d in others),
        )


def _compared(found: Comparison) -> CompareView:
    order = {name: at for at, name in enumerate(METRICS)}
    rows = sorted(found.rows, key=lambda row: order.get(row.metric, len(order)))
    return CompareView(
        a=clean_line(found.a),
        b=clean_line(found.b),
        model_a=clean_line(found.model_a, 60),
        model_b=clean_line(found.model_b, 60),
        is_simulated=found.is_simulated,
        blocking=tuple(clean_line(text, 200) for text in found.blocking),
        is_forced=found.is_forced,
        warnings=tuple(clean_line(text, 200) for text in found.warnings),
        rows=tuple(
            ComparedRow(
                label=LABELS.get(row.metric, metric(row.metric).label),
                unit=row.unit,
                digits=digits_of(metric(row.metric).digits, row.a),
                a=row.a,
                b=row.b,
                delta_pct=row.delta_pct,
                ci95_pct=row.ci95_pct,
                p=row.p if row.p_holm is None else row.p_holm,
                mdc_pct=row.mdc_pct,
                n=f"{row.n_a} pairs" if row.is_paired else f"{row.n_a}/{row.n_b}",
                verdict=row.verdict,
                symbol=SYMBOLS[row.verdict],
                why=row.why,
            )
            for row in rows
        ),
        shares=tuple((share.name, share.a, share.b) for share in found.shares),
        dropped=tuple((clean_line(d.id, 60), d.a, d.b) for d in found.dropped),
        prompts=tuple((clean_line(name, 40), a, b) for name, a, b in found.per_prompt),
    )


def partner(past: Sequence[PastRun], run_id: str) -> str | None:
    """What a run is best compared with: a named baseline of its suite and model, else the latest
    complete run before it, of the same model where there is one."""
    at = next((i for i, run in enumerate(past) if run.id == run_id), None)
    if at is None:
        return None
    this = past[at]
    alike = [
        run
        for run in past
        if run.id != run_id and run.suite == this.suite and run.is_simulated == this.is_simulated
    ]
    same = [run for run in alike if run.model == this.model]
    named = next((run.id for run in same if run.baseline), None)
    if named is not None:
        return named
    before = {run.id for run in past[at + 1 :]}
    complete = [run for run in (*same, *alike) if run.id in before and run.status == "complete"]
    usable = complete or [run for run in (*same, *alike) if run.scored]
    return usable[0].id if usable else None
