"""Facts about a run and a request, as label and value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tui.bench.model.metrics import COUNTED, metric
from tui.bench.model.records import Document, Request
from tui.core.text import format as fmt


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what is known of it."""

    label: str
    value: str
    role: str = "text"


# -- a request -------------------------------------------------------------------------------------


def request_facts(request: Request) -> Iterator[Fact]:
    """Timing, gaps, counts and the board; what is not known with its reason."""
    tok = request.tok
    yield _decode(request)
    yield _first_token(request)
    if request.m.get("ttfot_ms") != request.m.get("ttft_client_ms"):
        yield _metric(request, "ttfot_ms", "TTFT, answer")
    yield _prefill(request)
    yield _metric(request, "latency_ms")
    yield _gaps(request)
    yield Fact("tokens in", _count(tok.input, tok.in_source))
    cap = "" if tok.cap is None else f", at most {tok.cap}"
    yield Fact("tokens out", _count(tok.out, tok.source) + cap)
    if tok.reasoning:
        yield Fact("thinking", f"{tok.reasoning} tokens")
    if request.finish:
        yield Fact("finish reason", request.finish)
    for name in ("queue_ms", "last_vs_first", "energy_j_per_tok"):
        if request.m.get(name) is not None:
            yield _metric(request, name)
    if request.hw.t_max is not None:
        yield Fact("hottest", f"{request.hw.t_max:.0f} °C")
    if request.hw.throttled_s:
        yield Fact("throttled", f"{request.hw.throttled_s:.1f} s", "warn")
    memory_mb = request.rt.memory_mb if request.hw.hwm_mb is None else request.hw.hwm_mb
    if memory_mb is not None:
        yield Fact("server RAM, peak", f"{memory_mb:.0f} MB")


def _decode(request: Request) -> Fact:
    for name, source in (("decode_tps_rt", "runtime"), ("decode_tps_cl", "client")):
        rate = request.m.get(name)
        if rate is not None:
            return Fact("decode", f"{fmt.rate(rate)} tok/s ({source})")
    estimate = request.m.get("decode_tps_est")
    if estimate is not None:
        return Fact("decode", f"~{fmt.rate(estimate)} tok/s ({request.rate_doubt})")
    return _metric(request, "decode_tps_cl", "decode")


def _prefill(request: Request) -> Fact:
    estimate = request.m.get("prefill_tps_est")
    if request.m.get("prefill_tps") is None and estimate is not None:
        return Fact("prefill", f"~{fmt.rate(estimate)} tok/s (estimated)")
    return _metric(request, "prefill_tps")


def _first_token(request: Request) -> Fact:
    found = _metric(request, "ttft_client_ms")
    if request.m.get("ttft_client_ms") is None:
        return found
    return Fact(found.label, request.marked_ttft(found.value), found.role)


def _metric(request: Request, name: str, label: str = "") -> Fact:
    known, value = metric(name), request.m.get(name)
    label = label or known.short_label
    if value is None:
        why = request.why.get(name, "")
        return Fact(label, f"{fmt.UNKNOWN}  {why}".rstrip(), "soft")
    mark = "~" if name in COUNTED and request.tok.source == "estimated" else ""
    shown = f"{mark}{value:.{known.digits_of(value)}f} {known.unit}".rstrip()
    return Fact(label, shown)


def _gaps(request: Request) -> Fact:
    gaps = request.itl_ms
    if not gaps.n:
        why = request.why.get("itl_p50_ms", "")
        return Fact("gaps", f"{fmt.UNKNOWN}  {why}".rstrip(), "soft")
    named = (("p50", gaps.p50), ("p90", gaps.p90), ("p99", gaps.p99), ("max", gaps.max))
    shown = [f"{name} {value:.0f}" for name, value in named if value is not None]
    stalls = f"{gaps.stalls} stall{'' if gaps.stalls == 1 else 's'}"
    return Fact(
        "gaps", f"{', '.join(shown)} ms; {gaps.n} gaps, {stalls}", "warn" if gaps.stalls else "text"
    )


def _count(value: int | None, source: str) -> str:
    if value is None:
        return fmt.UNKNOWN
    return f"{'~' if source == 'estimated' else ''}{value} ({source})"


# -- a run -----------------------------------------------------------------------------------------


def run_facts(document: Document) -> list[Fact]:
    """How the run went, in its own figures."""
    run, totals = document.run, document.totals
    kept = sum(request.is_scored for request in document.requests)
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
    return facts


def _when(started_utc: str) -> str:
    """2025-01-31T12:00:00Z as 2025-01-31 12:00 UTC."""
    return f"{started_utc[:16].replace('T', ' ')} UTC"
