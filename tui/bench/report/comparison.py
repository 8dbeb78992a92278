"""Renders comparisons as Markdown, HTML or JSON."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tui.bench.model.comparison import Comparison, Row
from tui.bench.model.metrics import metric
from tui.bench.report import charts, html, markdown
from tui.bench.report.blocks import Block, Bullets, Chart, Facts, Heading, Paragraph, Table
from tui.bench.report.text import figure, interval, line, marked, number
from tui.core.text.format import UNKNOWN
from tui.core.text.json_text import escaped_json


def as_json(comparisons: list[Comparison]) -> bytes:
    """JSON: one object for one comparison, a list for several."""
    value: object = comparisons[0] if len(comparisons) == 1 else comparisons
    return escaped_json(msgspec.json.format(msgspec.json.encode(value), indent=2)) + b"\n"


def as_markdown(comparisons: list[Comparison]) -> str:
    return markdown.rendered(block for c in comparisons for block in content(c))


def as_html(comparisons: list[Comparison]) -> str:
    blocks = [block for c in comparisons for block in content(c)]
    return html.rendered(blocks, "npulse comparison")


def content(comparison: Comparison) -> Iterator[Block]:
    """The blocks of a comparison: warnings, metrics, successes, prompts side by side."""
    yield Heading(1, f"{line(comparison.a)} against {line(comparison.b)}")
    yield from body(comparison)


def body(comparison: Comparison) -> Iterator[Block]:
    """The blocks without the title, as part of another report."""
    yield from _banners(comparison)
    yield Facts(
        (
            ("A", f"{line(comparison.a)}, {line(comparison.model_a)}"),
            ("B", f"{line(comparison.b)}, {line(comparison.model_b)}"),
            ("Varied", ", ".join(comparison.vary) or "nothing"),
        )
    )
    columns = ("Metric", "A", "B", "Δ %", "CI95 %", "p", "p Holm", "MDC %", "n", "Verdict")
    rows = [_cells(row) for row in comparison.rows]
    yield Table(columns, rows, frozenset(range(1, 9)))
    remarks = [f"{metric(row.metric).label}: {row.why}" for row in comparison.rows if row.why]
    if remarks:
        yield Bullets(remarks)
    shares = [(share.name, share.a, share.b) for share in comparison.shares]
    yield Table(("Not speed", "A", "B"), shares, frozenset({1, 2}))
    if comparison.dropped:
        yield Paragraph("Only prompts that both sides answered are compared. Left out:")
        yield Table(("Prompt", "A", "B"), [(line(d.id), d.a, d.b) for d in comparison.dropped])
    yield from _prompts(comparison)


def _banners(comparison: Comparison) -> Iterator[Block]:
    left, right = comparison.is_simulated
    if left and right:
        yield Paragraph("SIMULATED: both runs come from npulse's simulated board.", is_warning=True)
    elif left or right:
        side = "A" if left else "B"
        yield Paragraph(
            f"SIMULATED against real: run {side} comes from npulse's simulated board. The numbers "
            "below compare a simulation with a board.",
            is_warning=True,
        )
    if comparison.is_forced:
        said = "; ".join(comparison.blocking)
        yield Paragraph(f"NOT COMPARABLE, compared anyway: {line(said)}.", is_warning=True)
    for warning in comparison.warnings:
        yield Paragraph(f"Differs: {line(warning)}.")


def _cells(row: Row) -> tuple[str, ...]:
    name = metric(row.metric)
    label = f"{name.label} ({name.unit})" if name.unit else name.label
    return (
        label,
        *(
            marked(figure(row.metric, value), "estimated" if is_estimated else "")
            for value, is_estimated in zip((row.a, row.b), row.is_estimated, strict=True)
        ),
        _signed(row.delta_pct),
        interval(row.ci95_pct, 1),
        number(row.p, 4),
        number(row.p_holm, 4),
        number(row.mdc_pct, 1),
        row.counts,
        f"{row.symbol} {row.verdict}",
    )


def _signed(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:+.1f}"


def _prompts(comparison: Comparison) -> Iterator[Block]:
    rows = comparison.per_prompt
    if not rows:
        return
    yield Heading(3, "Per prompt")
    rate = comparison.row("decode_tps")
    sources = ["estimated" if flag else "" for flag in rate.is_estimated] if rate else ["", ""]
    cells = [
        (
            line(name),
            marked(number(a), sources[0]),
            marked(number(b), sources[1]),
            _signed(_change(a, b)),
        )
        for name, a, b in rows
    ]
    yield Table(("Prompt", "A tok/s", "B tok/s", "Δ %"), cells, frozenset({1, 2, 3}))
    labels = [f"{line(name)} {side}" for name, _, _ in rows for side in ("A", "B")]
    values = [value for _, a, b in rows for value in (a, b)]
    svg = charts.bars(labels, values, "tok/s", "decode rate per prompt, A and B")
    if svg:
        yield Chart(svg, "Decode rate per prompt, A and B")


def _change(a: float | None, b: float | None) -> float | None:
    return None if not a or b is None else 100 * (b / a - 1)
