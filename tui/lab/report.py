"""Reports of a lab run: Markdown, one HTML file, CSV, JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator

from tui.bench.report import html, markdown
from tui.bench.report.blocks import (
    Block,
    Bullets,
    Code,
    Facts,
    Folded,
    Heading,
    Paragraph,
    Table,
)
from tui.bench.report.rows import safe_cell
from tui.bench.report.text import block, line
from tui.core.text.format import UNKNOWN
from tui.lab.lab_document import as_json
from tui.lab.model.matrix import CellState, LabAnswer, cell_passed, cell_state
from tui.lab.model.result import LabResult
from tui.lab.model.variant_figures import (
    middle_text,
    rate_text,
    share_text,
)

STATE_MARKS: dict[CellState, str] = {
    "waiting": "waiting",
    "running": "running",
    "ok": "answered",
    "failed": "✗ failed",
    "skipped": "skipped",
}


# -- CSV ---------------------------------------------------------------------------------------


def as_csv(result: LabResult) -> bytes:
    """One row per answer. Cells that a spreadsheet would take as formulas are escaped."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    head = (
        "run", "simulated", "row", "prompt", "case", "variant", "rep", "status", "tokens",
        "tokens_estimated", "tok_s", "tok_s_estimated", "ttft_ms", "latency_ms", "checks_passed",
        "checks_applicable", "taint", "error", "text",
    )  # fmt: skip
    write(head)
    rows = {row.id: row for row in result.matrix.rows}
    for (row, variant), answer in result.matrix.answers():
        checks = answer.passed_checks or (None, None)
        request = answer.request
        cells = (
            result.run.id,
            "yes" if result.run.is_simulated else "no",
            row,
            rows[row].prompt,
            rows[row].case,
            variant,
            answer.rep + 1,
            answer.status_word,
            answer.tokens,
            "yes" if answer.is_count_estimated else "no",
            _rounded(answer.rate_tps),
            "yes" if answer.is_rate_estimated else "no",
            _rounded(answer.ttft_ms),
            _rounded(answer.latency_ms),
            *checks,
            "" if request is None else " ".join(request.taint),
            None if request is None else request.error,
            answer.text,
        )
        write([safe_cell(cell) for cell in cells])
    return out.getvalue().encode("utf-8", "replace")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


# -- to read -----------------------------------------------------------------------------------


def as_markdown(result: LabResult) -> bytes:
    return markdown.rendered(content(result)).encode("utf-8", "replace")


def as_html(result: LabResult) -> bytes:
    word = "SIMULATED " if result.run.is_simulated else ""
    title = f"{word}{line(result.run.prompt_set.title or result.run.prompt_set.id)}: prompt lab"
    return html.rendered(content(result), title).encode("utf-8", "replace")


FORMS: dict[str, Callable[[LabResult], bytes]] = {
    "json": as_json,
    "md": as_markdown,
    "html": as_html,
    "csv": as_csv,
}
"""Format -> function that renders it."""


def content(result: LabResult) -> Iterator[Block]:
    """Every part of the report."""
    yield from _head(result)
    yield from _variants(result)
    yield from _matrix(result)
    yield from _judgements(result)
    yield from _answers(result)
    yield Heading(2, "Method")
    yield Bullets(METHOD)


METHOD = (
    "Shares have Wilson's 95 % interval, medians a percentile bootstrap of 2,000 rounds.",
    "A cell passes if every check of every repetition passes; checks that only inform do not "
    "count.",
    "tok/s is (tokens - 1) / (last token - first token) of the answer, or the runtime's own "
    "figure if the server reports it; ~ marks an estimate, – an unknown value.",
    "Determinism is shown for variants at temperature 0 or top_k 1 with two repetitions or more: "
    "how many are identical to the first answer of their cell, thinking included.",
    "A verdict is given by a person. An opinion is given by a judge model, and counts neither as "
    "a check nor as a verdict.",
)


def _head(result: LabResult) -> Iterator[Block]:
    run = result.run
    yield Heading(1, line(run.prompt_set.title or run.prompt_set.id))
    if run.is_simulated:
        yield Paragraph("SIMULATED: npulse's simulated board answered.", is_warning=True)
    models = dict.fromkeys(
        f"{part.answered_by or part.model or UNKNOWN} at {part.answered_at or part.server}"
        for part in run.parts
    )
    matrix = result.matrix
    yield Facts(
        (
            ("Run", run.id),
            ("Started", run.started_utc),
            ("Outcome", f"{run.outcome}: {line(run.sentence)}"),
            ("Answered by", "; ".join(line(name) for name in models)),
            ("Models loaded", f"{run.loads} times"),
            ("Matrix", f"{len(matrix.rows)} rows, {len(matrix.columns)} variants, "
             f"{matrix.repeats} repetitions"),
            ("Set", f"{line(run.prompt_set.id)}, sha256 {run.prompt_set.sha256[:16]}"),
        )
    )  # fmt: skip
    if run.prompt_set.notes:
        yield Paragraph(line(run.prompt_set.notes))


def _variants(result: LabResult) -> Iterator[Block]:
    yield Heading(2, "Variants")
    columns = ["Variant", "Settings", "Answered", "Passed", "Checks", "Tokens", "tok/s",
               "TTFT ms", "Total ms"]  # fmt: skip
    has_same = any(one.determinism is not None for one in result.figures)
    has_verdicts = any(one.preferred is not None for one in result.figures)
    has_opinions = any(one.opinion is not None for one in result.figures)
    columns += ["Identical"] if has_same else []
    columns += ["Preferred"] if has_verdicts else []
    columns += ["Opinion (judge model)"] if has_opinions else []
    by_id = {column.id: column for column in result.matrix.columns}
    rows = []
    for one in result.figures:
        cells = [
            line(one.variant),
            line(by_id[one.variant].settings) or "as configured",
            f"{one.answered.count}/{one.planned}",
            share_text(one.passed),
            share_text(one.checks),
            middle_text(one.tokens, 0),
            rate_text(one.decode_tps),
            middle_text(one.ttft_ms, 0),
            middle_text(one.latency_ms, 0),
        ]
        if has_same:
            found = one.determinism
            cells.append(UNKNOWN if found is None else share_text(found.same))
        if has_verdicts:
            equal = f", {one.equal} the same" if one.equal else ""
            cells.append(UNKNOWN if one.preferred is None else share_text(one.preferred) + equal)
        if has_opinions:
            cells.append(UNKNOWN if one.opinion is None else middle_text(one.opinion, 1))
        rows.append(cells)
    yield Table(columns, rows, frozenset(range(2, len(columns))))
    for one in result.figures:
        found = one.determinism
        if found is not None and found.parts_at.median is not None:
            yield Paragraph(
                f"{line(one.variant)}: repetitions that differ do so after "
                f"{found.parts_at.median:.0f} words and marks (median)."
            )


def cell_text(answers: tuple[LabAnswer, ...]) -> str:
    """A cell of the matrix as text: state, checks, tokens, rate."""
    state = cell_state(answers)
    is_begun = any(a.state in ("ok", "failed") for a in answers)
    if state in ("waiting", "skipped", "running") and not is_begun:
        return STATE_MARKS[state]
    passed = cell_passed(answers)
    checks = [found for a in answers if (found := a.passed_checks) is not None]
    words = [STATE_MARKS["failed"] if state == "failed" else ""]
    if state in ("waiting", "skipped", "running"):
        words = [f"{sum(a.state == 'ok' for a in answers)} of {len(answers)}"]
    if checks:
        mark = "" if passed is None else "✓ " if passed else "✗ "
        words.append(f"{mark}{sum(n for n, _ in checks)}/{sum(of for _, of in checks)}")
    counts = [a.tokens for a in answers if a.tokens is not None]
    if counts:
        sign = "~" if any(a.is_count_estimated for a in answers) else ""
        words.append(f"{sign}{sum(counts) / len(counts):.0f} tokens")
    rates = [a.rate_tps for a in answers if a.rate_tps is not None]
    if rates:
        sign = "~" if any(a.is_rate_estimated for a in answers) else ""
        words.append(f"{sign}{sum(rates) / len(rates):.2f} tok/s")
    return ", ".join(word for word in words if word) or STATE_MARKS[state]


def _matrix(result: LabResult) -> Iterator[Block]:
    matrix = result.matrix
    yield Heading(2, "Matrix")
    columns = ["Row", *(line(column.id) for column in matrix.columns)]
    yield Table(
        columns,
        [
            [line(row.id), *(cell_text(matrix.cell(row.id, c.id)) for c in matrix.columns)]
            for row in matrix.rows
        ],
    )


def _judgements(result: LabResult) -> Iterator[Block]:
    if not result.judged:
        return
    yield Heading(2, "Verdicts of a person")
    found = result.agreement
    if found is not None:
        kappa = "" if found.kappa is None else f", kappa {found.kappa:.2f}"
        yield Paragraph(f"Agreement of two passes: {share_text(found.same)}{kappa}.")
    rows = [
        (
            str(one.judging_pass),
            f"{line(one.pair.row)} #{one.pair.rep + 1}",
            line(one.pair.left),
            one.verdict,
            line(one.pair.right),
            "blind" if one.is_blind else "",
            line(one.note) if one.note else "",
        )
        for one in result.judged
    ]
    yield Table(("Pass", "Row", "Left", "is", "than right", "", "Note"), rows)


def _answers(result: LabResult) -> Iterator[Block]:
    yield Heading(2, "Answers")
    said = {(o.row, o.variant, o.rep): o for o in result.opinions}
    for (row, variant), answer in result.matrix.answers():
        if answer.request is None:
            continue
        yield Heading(3, f"{line(row)}, {line(variant)}, repetition {answer.rep + 1}")
        yield Facts(((answer.status_word, cell_text((answer,))),))
        for check in answer.checks:
            if check.outcome == "failed":
                yield Paragraph(f"✗ {check.id}: {line(check.detail)}", is_warning=True)
        if answer.request.error:
            yield Paragraph(line(answer.request.error), is_warning=True)
        if answer.prompt:
            yield Folded("Prompt", block(answer.prompt))
        if answer.thinking:
            yield Folded("Thinking", block(answer.thinking))
        if answer.text:
            yield Code(block(answer.text))
        opinion = said.get((row, variant, answer.rep))
        if opinion is not None:
            yield Folded(f"Opinion of {line(opinion.judge)} (judge model)", block(opinion.text))
