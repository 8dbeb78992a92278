"""Rows of the statistics of a run, in progress or over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tui.bench.model.metrics import Metric, metric
from tui.bench.model.records import Summary
from tui.core.text import format as fmt
from tui.widgets.bench.parts import interval, number
from tui.widgets.kit.rows import Row, row_width, spread

ALWAYS = ("decode_tps", "ttft_client_ms", "prefill_tps", "itl_p50_ms", "itl_p99_ms")
"""Metrics that have a row before there is a value."""
SOMETIMES = ("latency_ms", "queue_ms", "energy_j_per_tok", "load_s", "rss_mb")
STAND_INS = {"decode_tps": "decode_tps_est", "prefill_tps": "prefill_tps_est"}
"""Shown where the first one has no value."""
NO_VALUE = Summary(n=0)


def shown_figures(summary: Mapping[str, Summary]) -> Iterator[tuple[Metric, Summary]]:
    """The metrics of a screen, each with its figures."""
    for name in (*ALWAYS, *SOMETIMES):
        names = (name, STAND_INS.get(name, name))
        for shown in names:
            if (found := summary.get(shown, NO_VALUE)).n:
                yield metric(shown), found
                break
        else:
            if name in ALWAYS:
                yield metric(name), NO_VALUE


def stat_table(summary: Mapping[str, Summary], width: int) -> list[Row]:
    """Title and one row per metric; the least important columns are dropped first."""
    has_mad, has_mdc = width >= 44, width >= 50
    rows = list(shown_figures(summary))
    n = max((found.n for _, found in rows), default=0)
    head = f"{'median':>8}" + (f"{'MAD':>7}" if has_mad else "") + f"{'CI95':>15}"
    head += f"{'MDC':>7}" if has_mdc else ""
    title: Row = ((" statistics", "strong"), (f"  n {n}", "dim"))
    if row_width(title) + len(head) + 2 > width:
        title = title[:1]
    out = [spread(title, ((f"{head} ", "dim"),), width)]
    for known, found in rows:
        digits = known.digits_of(found.median)
        is_estimated = found.source == "estimated" or known.id.endswith("_est")
        median = number(found.median, digits, is_estimated=is_estimated)
        values: Row = ((f"{median:>8}", "text"),)
        if has_mad:
            values = (*values, (f"{number(found.mad, max(digits, 1)):>7}", "soft"))
        values = (*values, (f"{interval(found.ci95, digits):>15}", "soft"))
        if has_mdc:
            mdc = fmt.UNKNOWN if found.mdc_pct is None else f"{found.mdc_pct:.1f} %"
            values = (*values, (f"{mdc:>7}", "dim"))
        label: Row = ((f" {known.short_label} ", "soft"), (known.unit, "dim"))
        out.append(spread(label, (*values, (" ", "text")), width))
    return out
