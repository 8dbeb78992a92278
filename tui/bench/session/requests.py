"""One request of a run as its screen shows it."""

from __future__ import annotations

from collections.abc import Iterator

from tui.bench.model.metrics import metric
from tui.bench.model.records import Check, Request
from tui.bench.model.screen import CheckOutcome, CheckRow, Fact, RequestView
from tui.bench.session.rows import LABELS, digits_of, plan_row
from tui.bench.store.document import Loaded
from tui.core.text import format as fmt
from tui.core.text.sanitize import clean, clean_line

MAX_TEXT_CHARS = 400_000
"""A text beyond this is cut: no model on a board writes so much, but a file may hold it."""
REASON_CHARS = 400
OUTCOMES: tuple[CheckOutcome, ...] = ("failed", "passed", "info", "not applicable")
"""In the order in which they are shown."""


def request_view(loaded: Loaded, at: int) -> RequestView | None:
    """The request at index ``at`` of the document, sanitised. None where there is none."""
    requests = loaded.document.requests
    if not 0 <= at < len(requests):
        return None
    request = requests[at]
    text, thinking = loaded.texts.get(request.key, ("", ""))
    checks = [_check_row(check) for check in request.checks]
    return RequestView(
        number=at + 1,
        of=len(requests),
        row=plan_row(request),
        facts=tuple(_facts(request)),
        checks=tuple(sorted(checks, key=lambda row: OUTCOMES.index(row.outcome))),
        warnings=tuple(clean_line(said, REASON_CHARS) for said in request.warnings),
        prompt=_text(loaded.prompts.get(request.key, "")),
        thinking=_text(thinking),
        text=_text(text),
    )


def _text(text: str) -> str:
    cut = clean(text[:MAX_TEXT_CHARS])
    missing = len(text) - MAX_TEXT_CHARS
    return f"{cut}\n[{missing} more characters]" if missing > 0 else cut


def _check_row(check: Check) -> CheckRow:
    outcome: CheckOutcome = "passed" if check.passed else "failed"
    if check.passed is None:
        outcome = "not applicable"
    elif check.info:
        outcome = "info"
    return CheckRow(clean_line(check.id, 60), outcome, clean_line(check.detail, REASON_CHARS))


def _facts(request: Request) -> Iterator[Fact]:
    """Timing, gaps, counts and the board; what is not known with its reason."""
    tok = request.tok
    yield _decode(request)
    yield _metric(request, "ttft_client_ms", note=request.ttft_note)
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
        yield Fact("finish reason", clean_line(request.finish, 40))
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
        return Fact("decode", f"~{fmt.rate(estimate)} tok/s (estimated count)")
    return _metric(request, "decode_tps_cl", "decode")


def _prefill(request: Request) -> Fact:
    estimate = request.m.get("prefill_tps_est")
    if request.m.get("prefill_tps") is None and estimate is not None:
        return Fact("prefill", f"~{fmt.rate(estimate)} tok/s (estimated)")
    return _metric(request, "prefill_tps")


def _metric(request: Request, name: str, label: str = "", note: str = "") -> Fact:
    known, value = metric(name), request.m.get(name)
    label = label or LABELS.get(name, known.label)
    if value is None:
        why = clean_line(request.why.get(name, ""), 120)
        return Fact(label, f"{fmt.UNKNOWN}  {why}".rstrip(), "soft")
    shown = f"{value:.{digits_of(known.digits, value)}f} {known.unit}".rstrip()
    return Fact(label, shown + note)


def _gaps(request: Request) -> Fact:
    gaps = request.itl_ms
    if not gaps.n:
        why = clean_line(request.why.get("itl_p50_ms", ""), 120)
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
