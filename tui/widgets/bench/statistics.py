"""Rows of the statistics of a run, in progress or over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

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
    """Title and one row per metric; the least important columns are dropped first. A column is as
    wide as usual, or as its longest text needs."""
    shown = list(shown_figures(summary))
    columns = {
        head: _column(head, [text_of(*one) for one in shown])
        for head, (text_of, _) in _COLUMNS.items()
    }
    # Of all that may come, so that no column goes when another row comes.
    labels = [f" {metric(name).short_label} {metric(name).unit}" for name in (*ALWAYS, *SOMETIMES)]
    room = width - max(map(len, labels)) - 2
    for dropped in ("MAD", "MDC"):
        if sum(len(cells[0]) for cells in columns.values()) > room:
            del columns[dropped]
    lines = [
        tuple((cells[at], _COLUMNS[head][1]) for head, cells in columns.items())
        for at in range(len(shown) + 1)
    ]
    n = max((found.n for _, found in shown), default=0)
    title: Row = ((" statistics", "strong"), (f"  n {n}", "dim"))
    heads = "".join(text for text, _ in lines[0])
    if row_width(title) + len(heads) + 2 > width:
        title = title[:1]
    out = [spread(title, ((f"{heads} ", "dim"),), width)]
    for (known, _), values in zip(shown, lines[1:], strict=True):
        label: Row = ((f" {known.short_label} ", "soft"), (known.unit, "dim"))
        out.append(spread(label, (*values, (" ", "text")), width))
    return out


def _column(head: str, texts: Sequence[str]) -> list[str]:
    """Head and values at the right edge of a column with two blanks before the longest text."""
    cells = max(USUAL_CELLS[head], *(len(text) + 2 for text in (head, *texts)))
    return [f"{text:>{cells}}" for text in (head, *texts)]


def _median(known: Metric, found: Summary) -> str:
    is_estimated = found.source == "estimated" or known.id.endswith("_est")
    return number(found.median, known.digits_of(found.median), is_estimated=is_estimated)


def _spread(known: Metric, found: Summary) -> str:
    """A spread with a decimal more than its value may have, as long as it is small."""
    is_large = found.mad is not None and found.mad >= 99.95
    return number(found.mad, 0 if is_large else max(known.digits_of(found.median), 1))


def _interval(known: Metric, found: Summary) -> str:
    return interval(found.ci95, known.digits_of(found.median))


def _smallest(_: Metric, found: Summary) -> str:
    return fmt.UNKNOWN if found.mdc_pct is None else f"{found.mdc_pct:.1f} %"


_COLUMNS: Mapping[str, tuple[Callable[[Metric, Summary], str], str]] = {
    "median": (_median, "text"),
    "MAD": (_spread, "soft"),
    "CI95": (_interval, "soft"),
    "MDC": (_smallest, "dim"),
}
"""Head of a column -> its texts, and their role."""
USUAL_CELLS = {"median": 8, "MAD": 7, "CI95": 15, "MDC": 8}
"""So that columns do not move while values come."""
