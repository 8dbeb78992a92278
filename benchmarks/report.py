"""The figures as text tables and as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from benchmarks.budgets import OURS, Verdict, verdicts
from benchmarks.figures import KINDS, Figure, Results
from benchmarks.machine import Machine

_NOTE_ROWS = 12


def _scenarios(figures: list[Figure]) -> list[str]:
    return list(dict.fromkeys(figure.scenario for figure in figures))


def _programs(figures: list[Figure]) -> list[str]:
    names = dict.fromkeys(figure.program for figure in figures)
    return sorted(names, key=lambda name: name != OURS)


def _rows(results: Results) -> list[list[str]]:
    """A table of all figures: scenario, figure, unit, one column for each program, the budget."""
    figures = results.figures()
    programs = _programs(figures)
    judged = {(v.budget.scenario, v.budget.kind): v for v in verdicts(results)}
    rows = [["scenario", "figure", "unit", *programs, "budget", ""]]
    for scenario in _scenarios(figures):
        own = [figure for figure in figures if figure.scenario == scenario]
        for kind in KINDS:
            cells = {f.program: f.text() for f in own if f.kind == kind}
            if not cells:
                continue
            verdict = judged.get((scenario, kind))
            rows.append(
                [
                    scenario,
                    KINDS[kind].label,
                    KINDS[kind].unit,
                    *(cells.get(program, "–") for program in programs),
                    verdict.text if verdict else "",
                    verdict.word if verdict else "",
                ]
            )
    return rows


def _budget_rows(results: Results) -> list[list[str]]:
    """A table of the budgets: limit, measured value, and its ratios to the references."""
    figures = results.figures()
    rows = [["scenario", "figure", "limit", "measured", "references", ""]]
    for verdict in verdicts(results):
        budget = verdict.budget
        kind = KINDS[budget.kind]
        rows.append(
            [
                budget.scenario,
                kind.label,
                verdict.text,
                f"{verdict.measured:,.{kind.digits}f} {kind.unit}",
                "; ".join(_ratios(figures, verdict)) or "–",
                verdict.word,
            ]
        )
    return rows


def _ratios(figures: list[Figure], verdict: Verdict) -> Iterator[str]:
    """``0.75x bare`` for each program with the same figure, and for the dashboard alone."""
    budget = verdict.budget
    for figure in figures:
        if figure.kind != budget.kind or not figure.median:
            continue
        is_other = figure.scenario == budget.scenario and figure.program != OURS
        is_dashboard = figure.scenario == "screen-none" != budget.scenario
        if is_other or (is_dashboard and figure.program == OURS):
            name = figure.program if is_other else figure.scenario
            yield f"{verdict.measured / figure.median:.2f}x {name}"


def plain(results: Results, machine: Machine) -> str:
    """For a terminal: aligned columns, a scenario's name once."""
    rows = _rows(results)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    numbers = range(3, len(rows[0]) - 2)
    lines = [*machine.lines(), ""]
    previous = ""
    for row in rows:
        if row[0] != previous and previous:
            lines.append("")
        cells = [
            cell.rjust(width) if i in numbers else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        if row[0] == previous:
            cells[0] = " " * widths[0]
        previous = row[0]
        lines.append("  ".join(cells).rstrip())
    if results.notes:
        lines += ["", *(f"note: {_shortened(note)}" for note in results.notes)]
    return "\n".join(lines)


def _shortened(note: str) -> str:
    """A note without the empty rows of the screen that it may quote."""
    lines = [line.rstrip() for line in note.splitlines() if line.strip()]
    return "\n".join(lines[:_NOTE_ROWS])


def summary(results: Results) -> str:
    """One line: how many budgets are met."""
    judged = verdicts(results)
    over = [
        f"{v.budget.scenario}: {KINDS[v.budget.kind].label}" for v in judged if v.word == "over"
    ]
    if not judged:
        return "no budget applies to these figures"
    if not over:
        return f"all {len(judged)} budgets met"
    return f"{len(over)} of {len(judged)} budgets over: {'; '.join(over)}"


def markdown(results: Results, machine: Machine, command: str) -> str:
    """One section of results.md."""
    table = ["Budgets:", "", *_table(_budget_rows(results)), "", "All figures:", ""]
    table += _table(_rows(results))
    notes = [f"- {note.splitlines()[0]}" for note in results.notes]
    about = [f"- {line}" for line in machine.lines()]
    title = f"## {machine.date}, {machine.commit or 'no commit'}"
    parts = [title, "", f"`{command}`", "", *about, "", *table, "", summary(results) + "."]
    return "\n".join([*parts, *(["", *notes] if notes else []), ""])


def _table(rows: list[list[str]]) -> list[str]:
    head, *rest = (f"| {' | '.join(row)} |" for row in rows)
    return [head, f"|{'|'.join('---' for _ in rows[0])}|", *rest]


def as_json(results: Results, machine: Machine, command: str) -> dict[str, Any]:
    """All results as JSON, with the value of every run."""
    return {
        "machine": dataclasses.asdict(machine),
        "command": command,
        "figures": [
            {
                "scenario": figure.scenario,
                "program": figure.program,
                "figure": figure.kind,
                "unit": KINDS[figure.kind].unit,
                "median": figure.median,
                "values": list(figure.values),
            }
            for figure in results.figures()
        ],
        "budgets": [
            {
                "scenario": verdict.budget.scenario,
                "figure": verdict.budget.kind,
                "limit": verdict.limit,
                "measured": verdict.measured,
                "verdict": verdict.word,
            }
            for verdict in verdicts(results)
        ],
        "notes": results.notes,
    }
