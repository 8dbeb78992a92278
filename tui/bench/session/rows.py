"""One figure or one request as a row of the bench screens."""

from __future__ import annotations

import msgspec

from tui.bench.model.conditions import Gate
from tui.bench.model.metrics import metric
from tui.bench.model.records import NOT_ATTEMPTED, SKIPPED, Request, Summary
from tui.bench.model.screen import PlanRow, PlanState, StatRow
from tui.core.text.sanitize import clean_line

ALWAYS = ("decode_tps", "ttft_client_ms", "prefill_tps", "itl_p50_ms", "itl_p99_ms")
SOMETIMES = ("latency_ms", "energy_j_per_tok", "load_s", "rss_mb")
STAND_INS = {"decode_tps": "decode_tps_est", "prefill_tps": "prefill_tps_est"}
"""Shown with a ~ where the measured one has no value."""
LABELS = {
    "decode_tps": "decode",
    "decode_tps_est": "decode",
    "ttft_client_ms": "TTFT",
    "prefill_tps": "prefill",
    "prefill_tps_est": "prefill",
    "itl_p50_ms": "gap p50",
    "itl_p99_ms": "gap p99",
    "latency_ms": "whole answer",
    "energy_j_per_tok": "energy/token",
    "load_s": "load",
    "rss_mb": "server RAM",
}


def stat_rows(summary: dict[str, Summary]) -> tuple[StatRow, ...]:
    """The rows of the statistics; the usual ones also before there is a value."""
    rows = []
    for name in (*ALWAYS, *SOMETIMES):
        found, shown = summary.get(name), name
        stand_in = STAND_INS.get(name)
        if (found is None or not found.n) and stand_in is not None:
            other = summary.get(stand_in)
            if other is not None and other.n:
                found, shown = other, stand_in
        if found is None or not found.n:
            if name in ALWAYS:
                rows.append(StatRow(LABELS[name], metric(name).unit, 0))
            continue
        rows.append(_stat_row(shown, found))
    return tuple(rows)


def _stat_row(name: str, found: Summary) -> StatRow:
    known = metric(name)
    return StatRow(
        label=LABELS.get(name, known.label),
        unit=known.unit,
        n=found.n,
        digits=digits_of(known.digits, found.median),
        is_estimated=name.endswith("_est") or found.source == "estimated",
        median=found.median,
        mad=found.mad,
        ci95=found.ci95,
        mdc_pct=found.mdc_pct,
        low=found.min,
        high=found.max,
    )


def digits_of(most: int, value: float | None) -> int:
    """Three significant figures are what such a value deserves."""
    if value is None or abs(value) < 9.995:
        return most
    return min(most, 1 if abs(value) < 99.95 else 0)


def _word(request: Request) -> str:
    is_by_hand = request.status == "cancelled" and request.error == SKIPPED
    return "by you" if is_by_hand else request.status


def plan_row(request: Request, *, before: PlanRow | None = None) -> PlanRow:
    """What a record says of its request."""
    kept = [c for c in request.checks if c.passed is not None and not c.info]
    state: PlanState = "failed"
    if request.is_scored:
        state = "ok"
    elif request.status in NOT_ATTEMPTED or request.status == "cancelled":
        # Ended by a person, or with the run: nothing failed.
        state = "skipped"
    cap = request.tok.cap
    out = request.tok.out
    return PlanRow(
        id=clean_line(request.id, 80),
        rep=request.rep,
        name=clean_line(request.name or (before.name if before else "") or request.id, 80),
        state=state,
        word=clean_line(_word(request), 20),
        rate_tps=request.rate_tps,
        is_estimated=request.is_rate_estimated,
        tokens=out,
        expected_s=None if before is None else before.expected_s,
        share=min(1.0, out / cap) if out is not None and cap else None,
        checks=(sum(bool(c.passed) for c in kept), len(kept)) if kept else None,
        taints=tuple(clean_line(taint, 20) for taint in request.taint),
        error=None if request.error is None else clean_line(request.error, 200),
    )


def clean_gate(gate: Gate) -> Gate:
    """Its words as a terminal may show them."""
    return msgspec.structs.replace(
        gate,
        id=clean_line(gate.id, 40),
        sentence=clean_line(gate.sentence, 300),
        fix=None if gate.fix is None else clean_line(gate.fix, 200),
    )
