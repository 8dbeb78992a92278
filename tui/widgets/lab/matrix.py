"""The matrix of a run as rows: cases down, variants across; one column where it is narrow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import set_cell_size

from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.core.text.sanitize import clean_line
from tui.lab.model.matrix import (
    CellKey,
    LabAnswer,
    Matrix,
    MatrixColumn,
    MatrixRow,
    cell_passed,
    cell_state,
)
from tui.lab.model.screen import OpenLab
from tui.lab.model.variant_figures import VariantFigures, middle_text, rate_text, share_text
from tui.widgets.kit.grounds import on_ground
from tui.widgets.kit.rows import Row, Span, fit, pad, spread

CELL = 27
LABEL_MIN = 14
NARROW = 100
"""Below so many columns one variant is shown at a time."""

Sort = Literal["as in the set", "checks", "tokens", "tok/s", "TTFT"]
SORTS: tuple[Sort, ...] = ("as in the set", "checks", "tokens", "tok/s", "TTFT")


@dataclass(frozen=True, slots=True)
class MatrixPlace:
    """Position and filters of the matrix view."""

    row: int = 0
    column: int = 0
    only_failed: bool = False
    only_variant: str | None = None
    sort: Sort = "as in the set"
    marked: tuple[CellKey, ...] = ()


def mean_of(
    answers: Sequence[LabAnswer], value: Callable[[LabAnswer], float | None]
) -> float | None:
    """The mean of what is known over the repetitions of a cell."""
    known = [found for answer in answers if (found := value(answer)) is not None]
    return sum(known) / len(known) if known else None


def shown_columns(matrix: Matrix, place: MatrixPlace) -> tuple[MatrixColumn, ...]:
    """The variants that are shown."""
    only = place.only_variant
    return tuple(c for c in matrix.columns if only is None or c.id == only)


def shown_rows(matrix: Matrix, place: MatrixPlace) -> tuple[MatrixRow, ...]:
    """The rows that are shown, in the order that is wished: of the chosen variant."""
    columns = shown_columns(matrix, place)
    rows = [row for row in matrix.rows if not place.only_failed or _failed(matrix, row, columns)]
    at = min(place.column, len(columns) - 1)
    if place.sort == "as in the set" or at < 0:
        return tuple(rows)
    variant = columns[at].id

    def number(row: MatrixRow) -> tuple[bool, float]:
        found = _number(matrix.cell(row.id, variant), place.sort)
        return (found is None, found or 0.0)

    return tuple(sorted(rows, key=number))


def _failed(matrix: Matrix, row: MatrixRow, columns: Sequence[MatrixColumn]) -> bool:
    cells = [matrix.cell(row.id, column.id) for column in columns]
    return any(cell_state(cell) == "failed" or cell_passed(cell) is False for cell in cells)


def _number(answers: tuple[LabAnswer, ...], sort: Sort) -> float | None:
    if sort == "checks":
        return mean_of(
            answers, lambda a: None if (f := a.passed_checks) is None else f[0] / max(1, f[1])
        )
    if sort == "tokens":
        return mean_of(answers, lambda a: a.tokens)
    if sort == "tok/s":
        return mean_of(answers, lambda a: a.rate_tps)
    return mean_of(answers, lambda a: a.ttft_ms)


def mark_of(is_passed: bool, glyphs: Glyphs) -> str:
    """In front of what passed or failed."""
    if glyphs.is_ascii:
        return "+" if is_passed else "x"
    return "✓" if is_passed else "✗"


def cell_spans(answers: tuple[LabAnswer, ...], glyphs: Glyphs) -> Row:
    """State, checks, tokens and rate of a cell."""
    state = cell_state(answers)
    is_begun = any(a.state in ("ok", "failed") for a in answers)
    if state == "waiting" and not is_begun:
        return ((f"  {glyphs.text('·')}", "dim"),)
    if state == "skipped":
        return (("  skipped", "dim"),)
    passed = cell_passed(answers)
    checks = [found for a in answers if (found := a.passed_checks) is not None]
    spans: list[Span] = []
    if state == "running":
        spans.append((f"{glyphs.caret} ", "live"))
    elif state == "failed":
        spans.append((f"{mark_of(False, glyphs)} ", "bad"))
    elif state == "waiting":
        spans.append((f"{sum(a.state == 'ok' for a in answers)} ", "dim"))
    else:
        role = "ok" if passed else "bad"
        mark = f"{mark_of(passed is True, glyphs)} "
        spans.append((mark, role) if passed is not None else ("  ", "text"))
    if state == "failed":
        word = next((a.status_word for a in answers if a.state == "failed"), "failed")
        spans.append((word[:14] + " ", "bad"))
    elif checks:
        role = "text" if passed else "warn"
        counted = f"{sum(n for n, _ in checks)}/{sum(of for _, of in checks)}"
        spans.append((f"{counted:<6}", role))
    elif state == "running":
        spans.append(("      ", "text"))
    tokens, rate = mean_of(answers, lambda a: a.tokens), mean_of(answers, lambda a: a.rate_tps)
    role = "live" if state == "running" else "text"
    if tokens is not None and state != "failed":
        sign = "~" if any(a.is_count_estimated for a in answers) else ""
        spans.append((f"{sign}{tokens:.0f} tok", role))
    if rate is not None:
        sign = "~" if any(a.is_rate_estimated for a in answers) else ""
        spans.append((f"  {sign}{fmt.rate(rate)}/s", "live" if state == "running" else "soft"))
    return tuple(spans)


def matrix_rows(
    open_lab: OpenLab, place: MatrixPlace, width: int, height: int, glyphs: Glyphs
) -> list[Row]:
    """The table, as much of it as there is room for, around the chosen cell."""
    matrix = open_lab.matrix
    columns, rows = shown_columns(matrix, place), shown_rows(matrix, place)
    if not columns:
        return [((" no variant", "warn"),)]
    is_narrow = width < NARROW
    longest = max((len(row.id) for row in rows), default=0) + 3
    label = min(max(LABEL_MIN, longest), max(LABEL_MIN, width // 3))
    count = 1 if is_narrow else max(1, (width - label) // CELL)
    at = min(place.column, len(columns) - 1)
    first = max(0, min(at - count // 2, len(columns) - count))
    shown = columns[first : first + count]
    head: list[Span] = [(set_cell_size("", label), "text")]
    for index, column in enumerate(shown, first):
        name = set_cell_size(clean_line(column.id, CELL - 2), CELL)
        head.append((name, "strong" if index == at else "soft"))
    if is_narrow and len(columns) > 1:
        head.append((f" {at + 1} of {len(columns)}", "dim"))
    elif first or first + count < len(columns):
        head.append((f" {first + 1} to {first + len(shown)} of {len(columns)}", "dim"))
    table: list[Row] = [fit(tuple(head), width)]
    if not rows:
        table.append((("   nothing failed here", "dim"),))
    room = max(1, height - 1)
    chosen = min(place.row, max(0, len(rows) - 1))
    top = 0 if len(rows) <= room else min(max(0, chosen - room // 2), len(rows) - room)
    for number, row in enumerate(rows[top : top + room], top):
        is_here = number == chosen
        spans: list[Span] = [
            (
                set_cell_size(
                    f" {glyphs.closed if is_here else ' '} {clean_line(row.id, 60)}", label
                ),
                "strong" if is_here else "text",
            )
        ]
        for index, column in enumerate(shown, first):
            is_cell = is_here and index == at
            is_marked = (row.id, column.id) in place.marked
            front: Row = (("[" if is_cell else "+" if is_marked else " ", "live"),)
            inner = fit(cell_spans(matrix.cell(row.id, column.id), glyphs), CELL - 3)
            end: Row = (("]" if is_cell else " ", "live"), (" ", "text"))
            spans += [*front, *pad(inner, CELL - 3), *end]
        line = fit(tuple(spans), width)
        table.append(on_ground(line, "selected", width) if is_here else line)
    return table


def title_rows(open_lab: OpenLab, place: MatrixPlace, width: int, keys: str) -> list[Row]:
    """The run, how far it is, and what of it is shown."""
    left: list[Span] = [(f" {open_lab.title}", "strong")]
    if open_lab.is_simulated:
        left.append(("  SIMULATED", "warn"))
    done = f"{open_lab.done}/{open_lab.planned} answers"
    if open_lab.is_running:
        word = "paused" if open_lab.is_paused else "running"
        left.append((f"  {word} {done}", "live"))
        if open_lab.left_s is not None:
            left.append((f", ~{fmt.long_seconds(open_lab.left_s)} left", "soft"))
    else:
        role = "ok" if open_lab.outcome == "complete" else "warn"
        left.append((f"  {open_lab.outcome} {done}", role))
    shown = [f"sorted by {place.sort}"] if place.sort != "as in the set" else []
    shown += ["only failed"] if place.only_failed else []
    shown += [f"only {place.only_variant}"] if place.only_variant else []
    rows = [spread(fit(tuple(left), width), ((", ".join(shown) + " ", "dim"),), width)]
    said = open_lab.sentence if open_lab.outcome not in ("complete", "running") else keys
    rows.append(fit(((f" {said}", "dim"),), width))
    return rows


def figure_rows(
    found: VariantFigures | None, column: MatrixColumn | None, agreement: str, width: int
) -> list[Row]:
    """The chosen variant in figures, in two rows."""
    if found is None or column is None:
        return [(), ()]
    settings = column.settings or "as configured"
    parts = [f"passed {share_text(found.passed)}", f"checks {share_text(found.checks)}"]
    parts += [
        f"{rate_text(found.decode_tps)} tok/s",
        f"TTFT {middle_text(found.ttft_ms, 0)} ms",
    ]
    if found.determinism is not None:
        parts.append(f"identical {share_text(found.determinism.same)}")
    if found.preferred is not None:
        equal = f", {found.equal} the same" if found.equal else ""
        parts.append(f"preferred {share_text(found.preferred)}{equal}")
    if found.opinion is not None:
        parts.append(f"judge model's opinion {middle_text(found.opinion, 1)}")
    # The last ones give way whole: half a figure is none.
    while len(parts) > 1 and len("  ".join(parts)) + 1 > width:
        parts.pop()
    return [
        fit(((f" {column.id}", "strong"), (f"  {settings}", "soft"), (agreement, "dim")), width),
        fit(((f" {'  '.join(parts)}", "text"),), width),
    ]


def preview_title(
    row: MatrixRow | None, answers: tuple[LabAnswer, ...], width: int, glyphs: Glyphs
) -> Row:
    """The chosen cell: its row, checks that failed, why it ended."""
    if row is None:
        return ()
    spans: list[Span] = [(f" {clean_line(row.id, 60)}", "strong")]
    broken = [
        f"{check.id}: {check.detail}"
        for answer in answers
        for check in answer.checks
        if check.outcome == "failed"
    ]
    errors = [a.request.error for a in answers if a.request is not None and a.request.error]
    mark = mark_of(False, glyphs)
    spans += [(f"  {mark} {clean_line(text, 90)}", "bad") for text in (*errors, *broken)[:3]]
    return fit(tuple(spans), width)
