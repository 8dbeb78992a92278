"""Rows of a result and of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from tui.bench.model.comparison import Comparison
from tui.bench.model.comparison import Row as ComparedRow
from tui.bench.model.metrics import metric
from tui.bench.model.records import Document
from tui.bench.model.screen import ResultView
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.widgets.bench.facts import run_facts
from tui.widgets.bench.hardware import gate_rows
from tui.widgets.bench.parts import folded, interval, number, parts_row
from tui.widgets.bench.statistics import stat_table
from tui.widgets.kit.bars import bar
from tui.widgets.kit.rows import Row, fit, pad, row_width, spread

STATUS_ROLES = {"complete": "ok", "partial": "warn", "aborted": "warn", "running": "live"}
VERDICT_ROLES = {
    "faster": "ok",
    "less": "ok",
    "slower": "bad",
    "more": "bad",
    "same": "soft",
    "inconclusive": "warn",
}
PLAIN_SYMBOLS = {"▲": "+", "▼": "-", "≈": "="}
FACT_CELLS = 21
WIDE, STAT_CELLS = 100, 60


def result_title(result: ResultView, page: str, width: int) -> Row:
    """Title of a result."""
    document = result.document
    run = document.run
    right: Row = ((f"{page} ", "dim"),)
    parts: list[tuple[int, Row]] = [
        (0, ((f" {run.title or run.suite}", "strong"),)),
        (2, ((f"  {document.model.name}", "text"),)),
        (1, ((f"  {run.status}", STATUS_ROLES.get(run.status, "warn")),)),
    ]
    if run.simulated:
        parts.insert(1, (1, (("  SIMULATED", "warn"),)))
    parts.append((3, ((f"  {run.id}", "dim"),)))
    return spread(parts_row(parts, width - row_width(right) - 1), right, width)


def fact_rows(document: Document, width: int) -> list[Row]:
    """Facts in one or two columns."""
    cells: list[Row] = [
        (*pad(((f" {fact.label}", "dim"),), FACT_CELLS), (fact.value, fact.role))
        for fact in run_facts(document)
    ]
    if width < 72:
        return [fit(cell, width) for cell in cells]
    half = -(-len(cells) // 2)
    right = [*cells[half:], *([()] * half)]
    # A date is the longest value; the values at the right are short.
    left = max(width // 2, FACT_CELLS + 22)
    return [
        fit((*pad(fit(a, left), left), *b), width)
        for a, b in zip(cells[:half], right, strict=False)
    ]


def figure_rows(result: ResultView, width: int) -> list[Row]:
    """Statistics, what was odd about the board, facts; facts at the right where there is room."""
    is_wide = width >= WIDE
    left_cells = STAT_CELLS if is_wide else width
    document = result.document
    left = stat_table(document.summary, left_cells)
    gates = [gate for gate in document.gates if gate.severity != "ok"]
    odd = gate_rows(gates, left_cells, 0)[1:] if gates else []
    if not is_wide:
        return [*left, (), *fact_rows(document, width), (), *odd]
    left += [(), *odd]
    right = fact_rows(document, width - left_cells - 4)
    rows = max(len(left), len(right))
    left += [()] * (rows - len(left))
    right += [()] * (rows - len(right))
    gap: Row = (("    ", "text"),)
    return [
        fit((*pad(fit(a, left_cells), left_cells), *gap, *b), width)
        for a, b in zip(left, right, strict=True)
    ]


def remark_rows(remarks: Sequence[str], width: int, glyphs: Glyphs) -> list[Row]:
    """Observations, each with its rule."""
    out: list[Row] = [((" observations", "strong"),)]
    if not remarks:
        out.append((("   no observations", "dim"),))
    for remark in remarks:
        for at, line in enumerate(folded(remark, width - 5)):
            mark = f" {glyphs.bullet} " if at == 0 else "   "
            out.append(((mark, "live"), (line, "text")))
    return [fit(row, width) for row in out]


# -- comparison ------------------------------------------------------------------------------------


def compare_rows(found: Comparison, width: int, glyphs: Glyphs, force_key: str = "f") -> list[Row]:
    """A comparison: its result in one sentence, both sides, verdicts, prompts side by side, what
    was left out.
    """
    rows: list[Row] = _headline(found, width)
    for side, run_id, model, is_simulated in (
        ("A", found.a, found.model_a, found.is_simulated[0]),
        ("B", found.b, found.model_b, found.is_simulated[1]),
    ):
        row: Row = ((f" {side}  ", "live"), (run_id, "text"), (f"  {model}", "soft"))
        if is_simulated:
            row = (*row, ("  SIMULATED", "warn"))
        rows.append(row)
    rows.append(())
    if found.blocking and not found.is_forced:
        rows.append(((f" not comparable; {force_key} compares them anyway", "bad"),))
    elif found.blocking:
        rows.append(((" NOT COMPARABLE, compared anyway", "bad"),))
    rows += _list(found.blocking, "bad", width)
    if found.rows:
        rows += [()] if found.blocking else []
        rows += _verdicts(found.rows, width, glyphs)
    rows += _shares(found)
    rows += _prompts(found, width, glyphs)
    if found.dropped:
        rows += [(), ((" left out: only one side answered", "strong"),)]
        rows += [
            ((f"   {one.id}  ", "text"), (f"{one.a} / {one.b}", "warn")) for one in found.dropped
        ]
    if found.warnings:
        rows += [(), ((" other differences", "strong"),), *_list(found.warnings, "soft", width)]
    return [fit(row, width) for row in rows]


def _headline(found: Comparison, width: int) -> list[Row]:
    """``B decodes 16.7 % faster (16.4 to 19.1)``, or why nothing can be said."""
    rate = found.row("decode_tps")
    if rate is None or rate.delta_pct is None:
        return []
    ends = rate.ci95_pct
    text = f"B decodes {abs(rate.delta_pct):.1f} % "
    role = VERDICT_ROLES[rate.verdict]
    if rate.verdict in ("faster", "slower"):
        text += rate.verdict
        if ends is not None:
            low, high = sorted(ends if rate.verdict == "faster" else (-ends[0], -ends[1]))
            text += f" ({low:.1f} to {high:.1f})"
    elif rate.verdict == "same":
        text, role = f"B decodes as fast as A ({interval(ends, 1)} %)", "text"
    else:
        smallest = (
            "" if rate.mdc_pct is None else f"; the smallest detectable is {rate.mdc_pct:.1f} %"
        )
        text = f"no detectable difference ({signed(rate.delta_pct)}{smallest})"
    return [*(((f" {line}", role),) for line in folded(text, width - 2)), ()]


def _list(texts: Sequence[str], role: str, width: int) -> list[Row]:
    return [((f"   {line}", role),) for text in texts for line in folded(text, width - 4)]


def _verdicts(rows: Sequence[ComparedRow], width: int, glyphs: Glyphs) -> list[Row]:
    is_wide = width >= 100
    head = f"{'A':>10}{'B':>10}{'change':>10}" + (f"{'CI95 %':>18}" if is_wide else "")
    head += f"{'p Holm':>8}{'MDC':>8}{'n':>10}  " if is_wide else "  "
    out = [
        spread(((" B against A", "strong"),), ((head, "dim"), (f"{'verdict':<16}", "dim")), width)
    ]
    reasons = {row.why for row in rows}
    for row in rows:
        change = signed(row.delta_pct)
        known = metric(row.metric)
        digits = known.digits_of(row.a)
        a, b = (
            number(value, digits, is_estimated=is_estimated)
            for value, is_estimated in zip((row.a, row.b), row.is_estimated, strict=True)
        )
        values: Row = (
            (f"{a:>10}", "soft"),
            (f"{b:>10}", "text"),
            (f"{change:>10}", "text"),
        )
        if is_wide:
            p = number(row.p if row.p_holm is None else row.p_holm, 3)
            mdc = fmt.UNKNOWN if row.mdc_pct is None else f"{row.mdc_pct:.1f} %"
            values = (
                *values,
                (f"{interval(row.ci95_pct, 1):>18}", "soft"),
                (f"{p:>8}{mdc:>8}{row.counts:>10}", "dim"),
            )
        symbol = PLAIN_SYMBOLS.get(row.symbol, row.symbol) if glyphs.is_ascii else row.symbol
        verdict = f"  {symbol} {row.verdict:<14}"
        values = (*values, (verdict, VERDICT_ROLES[row.verdict]))
        out.append(spread(((f" {known.short_label} ", "text"), (row.unit, "dim")), values, width))
        if row.why and len(reasons) > 1:
            out.append(spread((), ((f"{row.why} ", "dim"),), width))
    if len(reasons) == 1 and rows[0].why:
        out.append(spread((), ((f"{rows[0].why} ", "dim"),), width))
    return out


def signed(value_pct: float | None) -> str:
    """A change in per cent; one that rounds to nothing has no sign."""
    if value_pct is None:
        return fmt.UNKNOWN
    return "0.0 %" if abs(value_pct) < 0.05 else f"{value_pct:+.1f} %"


def _shares(found: Comparison) -> list[Row]:
    if not found.shares:
        return []
    out: list[Row] = [(), ((" apart from speed", "strong"),)]
    for share in found.shares:
        values: Row = ((f"{share.a:>8}", "soft"), (f"{share.b:>8}", "text"))
        out.append(((f"   {share.name:<16}", "text"), *values))
    return out


def _prompts(found: Comparison, width: int, glyphs: Glyphs) -> list[Row]:
    """Two thin bars for each prompt, on one scale."""
    rows = found.per_prompt
    top = max((v for _, a, b in rows for v in (a, b) if v is not None), default=0.0)
    if not top:
        return []
    out: list[Row] = [(), ((" decode rate per prompt", "strong"), ("  tok/s, A above B", "dim"))]
    label = min(24, max(len(name) for name, _, _ in rows)) + 4
    room = max(8, width - label - 18)
    rate = found.row("decode_tps")
    marks = (
        ["~" if is_estimated else "" for is_estimated in rate.is_estimated] if rate else ["", ""]
    )
    for name, a, b in rows:
        sides = ((name, a, "soft", marks[0]), ("", b, "live", marks[1]))
        for text, value, role, mark in sides:
            share = None if value is None else value / top
            shown = fmt.UNKNOWN if value is None else f"{mark}{fmt.rate(value)}"
            left: Row = (((f"   {text}")[:label].ljust(label), "text"),)
            tail: Row = ((f"{shown:>8}", "text"),)
            if not text and a and b is not None:
                tail = (*tail, (f"{signed(100 * (b / a - 1)):>9}", "soft"))
            out.append((*left, *bar(share, room, glyphs, role), *tail))
    return out
