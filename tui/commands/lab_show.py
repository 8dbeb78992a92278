"""``npulse lab show`` and ``compare``: the matrix, the figures and the answers as text."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

from tui.bench.store.runs import RunError
from tui.commands.exit_code import ExitCode
from tui.commands.stdout_paper import stdout_paper
from tui.core.text.printed import Cell, table
from tui.core.text.sanitize import clean, clean_line
from tui.lab import store
from tui.lab.model.differences import Span, differing_all, same_words
from tui.lab.model.matrix import LabAnswer, MatrixRow, cell_passed, cell_state
from tui.lab.model.result import LabResult
from tui.lab.model.variant_figures import middle_text, rate_text, share_text
from tui.lab.report import cell_text
from tui.lab.results import result_of
from tui.lab.store import LabFolders

MARKS = ("[-", "-]"), ("{+", "+}")
"""Marks around words that only one of two answers has, as in git's word diff."""


def show(options: argparse.Namespace, folders: LabFolders) -> int:
    """Prints a run. Raises RunError."""
    result = result_of(store.find_run(folders, options.run), folders)
    variants = _variants(result, [options.variant] if options.variant else [])
    if options.row is not None:
        _print_row(result, options.row, variants)
    else:
        print_result(result, sys.stdout, variants, only_failed=options.failed)
    return ExitCode.OK


def _variants(result: LabResult, names: Sequence[str]) -> list[str]:
    """The variants with these names; all without names. Raises RunError."""
    known = [column.id for column in result.matrix.columns]
    for name in names:
        if name not in known:
            said = ", ".join(known)
            raise RunError(f"there is no variant {clean_line(name, 60)!r}; there are {said}")
    return list(names) or known


def print_result(
    result: LabResult,
    out: TextIO,
    variants: Sequence[str] = (),
    *,
    only_failed: bool = False,
) -> None:
    """The matrix, then a line of figures for each variant."""
    matrix = result.matrix
    names = variants or [column.id for column in matrix.columns]
    if result.run.is_simulated:
        print("SIMULATED: npulse's simulated board answered", file=out)
    rows = [row for row in matrix.rows if not only_failed or _has_failed(result, row, names)]
    found_rows: list[Sequence[Cell]] = [["", *(clean_line(name, 40) for name in names)]]
    found_rows += [
        [clean_line(row.id, 40), *(_cell(matrix.cell(row.id, name)) for name in names)]
        for row in rows
    ]
    _print_table(found_rows, out)
    if only_failed and not rows:
        print("no row in which something failed", file=out)
    print(file=out)
    _print_table(_figures(result, names), out)
    found = result.agreement
    if found is not None:
        kappa = "" if found.kappa is None else f", kappa {found.kappa:.2f}"
        print(f"agreement of two judging passes: {share_text(found.same)}{kappa}", file=out)
    print(f"{result.run.outcome}: {clean_line(result.run.sentence, 300)}", file=out)


def _has_failed(result: LabResult, row: MatrixRow, names: Iterable[str]) -> bool:
    cells = [result.matrix.cell(row.id, name) for name in names]
    return any(cell_state(cell) == "failed" or cell_passed(cell) is False for cell in cells)


def _figures(result: LabResult, names: Sequence[str]) -> list[Sequence[Cell]]:
    head = ["variant", "answered", "passed", "checks", "tokens", "tok/s", "TTFT ms"]
    has_same = any(one.determinism is not None for one in result.figures)
    has_verdicts = any(one.preferred is not None for one in result.figures)
    has_opinions = any(one.opinion is not None for one in result.figures)
    head += ["identical"] if has_same else []
    head += ["preferred"] if has_verdicts else []
    head += ["judge model's opinion"] if has_opinions else []
    made: list[Sequence[Cell]] = [head]
    for one in result.figures:
        if one.variant not in names:
            continue
        row = [
            clean_line(one.variant, 40),
            f"{one.answered.count}/{one.planned}",
            share_text(one.passed),
            share_text(one.checks),
            middle_text(one.tokens, 0),
            rate_text(one.decode_tps),
            middle_text(one.ttft_ms, 0),
        ]
        if has_same:
            row.append("–" if one.determinism is None else share_text(one.determinism.same))
        if has_verdicts:
            row.append("–" if one.preferred is None else share_text(one.preferred))
        if has_opinions:
            row.append("–" if one.opinion is None else middle_text(one.opinion, 1))
        made.append(row)
    return made


def _print_table(rows: Sequence[Sequence[Cell]], out: TextIO) -> None:
    """The first row are heads, the first column names."""
    head, *others = rows
    heads = [(_text(cell), "dim") for cell in head]
    lines = table(
        [heads, *([(_text(row[0]), "strong"), *row[1:]] for row in others)],
        stdout_paper(out),
        cuts=0,
    )
    print("\n".join(lines), file=out)


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell[0]


def _cell(answers: tuple[LabAnswer, ...]) -> Cell:
    """A cell of the matrix; a failed one has a mark and a colour."""
    passed = cell_passed(answers)
    has_failed = cell_state(answers) == "failed" or passed is False
    return cell_text(answers), "bad" if has_failed else "ok" if passed else ""


def _print_row(result: LabResult, row_id: str, variants: Sequence[str]) -> None:
    """Every answer of a row. Raises RunError."""
    if row_id not in [row.id for row in result.matrix.rows]:
        known = ", ".join(row.id for row in result.matrix.rows)
        raise RunError(f"there is no row {clean_line(row_id, 60)!r}; there are {known}"[:500])
    said = {(one.row, one.variant, one.rep): one for one in result.opinions}
    for name in variants:
        for answer in result.matrix.cell(row_id, name):
            _print_answer(name, answer)
            opinion = said.get((row_id, name, answer.rep))
            if opinion is not None:
                print(f"opinion of {clean_line(opinion.judge, 60)}: {clean(opinion.text)}")


def _print_answer(name: str, answer: LabAnswer) -> None:
    print(f"--- {clean_line(name, 60)} #{answer.rep + 1}: {cell_text((answer,))}")
    for check in answer.checks:
        if check.outcome == "failed":
            print(f"✗ {check.id}: {clean_line(check.detail, 200)}")
    if answer.thinking:
        print(f"<think>\n{clean(answer.thinking)}\n</think>")
    print(clean(answer.text))


def compare(options: argparse.Namespace, folders: LabFolders) -> int:
    """Prints where the answers of two variants differ, as git's word diff does. Raises RunError."""
    result = result_of(store.find_run(folders, options.run), folders)
    names = _variants(result, options.variants)[:2]
    if len(names) < 2:
        raise RunError("compare takes two variants; this run has one")
    first, second = names
    print(f"[-{first}-] {{+{second}+}}")
    for row in result.matrix.rows:
        for rep in range(result.matrix.repeats):
            a, b = (result.matrix.cell(row.id, name)[rep] for name in names)
            number = f" #{rep + 1}" if result.matrix.repeats > 1 else ""
            print(f"\n--- {clean_line(row.id, 60)}{number}")
            print(f"{first}: {cell_text((a,))}\n{second}: {cell_text((b,))}")
            if a.text == b.text:
                print("the same words" if a.text else "no answers yet")
                continue
            same, longest = same_words(a.text, b.text)
            print(f"the same for the first {same} of {longest} words and marks")
            print(_merged(clean(a.text), clean(b.text)))
    print()
    _print_table(_figures(result, names), sys.stdout)
    return ExitCode.OK


def _merged(a: str, b: str) -> str:
    """One text with the words of both, those that differ between marks."""
    left, right = differing_all([a, b])
    return f"{_marked(a, left, MARKS[0])}\n{_marked(b, right, MARKS[1])}"


def _marked(text: str, spans: Sequence[Span], marks: tuple[str, str]) -> str:
    out, at = [], 0
    for start, end in spans:
        out += [text[at:start], marks[0], text[start:end], marks[1]]
        at = end
    return "".join([*out, text[at:]])
