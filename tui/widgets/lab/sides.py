"""Answers side by side: wrapped words, those that differ marked, numbers below."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from tui.core.text import format as fmt
from tui.core.text.sanitize import clean
from tui.lab.model.differences import Span as Places
from tui.lab.model.matrix import LabAnswer
from tui.widgets.kit.rows import Row, Span, fit, pad

GAP = 2


def side_rows(text: str, marked: Sequence[Places], width: int) -> list[Row]:
    """The text in rows of ``width`` cells; words at ``marked`` places (begin, end) stand out."""
    rows: list[Row] = []
    place = 0
    for line in text.split("\n"):
        rows += _wrapped(line, place, marked, width)
        place += len(line) + 1
    return rows


def _wrapped(line: str, place: int, marked: Sequence[Places], width: int) -> list[Row]:
    """One line in rows; a word that is longer than a row is cut."""
    rows: list[Row] = []
    begin = 0
    while begin < len(line):
        end = _fit_end(line, begin, width)
        rows.append(_spans(line[begin:end].rstrip(), place + begin, marked))
        begin = end
    return rows or [()]


def _fit_end(line: str, begin: int, width: int) -> int:
    """Where the row that begins there ends: at a blank where there is one."""
    cells, blank = 0, -1
    for at in range(begin, len(line)):
        cells += cell_len(line[at])
        if cells > width:
            return blank + 1 if blank >= begin else max(at, begin + 1)
        if line[at] == " ":
            blank = at
    return len(line)


def _spans(text: str, place: int, marked: Sequence[Places]) -> Row:
    spans: list[Span] = []
    at = 0
    for start, end in marked:
        low, high = max(0, start - place), min(len(text), end - place)
        if low >= high:
            continue
        if low > at:
            spans.append((text[at:low], "text"))
        spans.append((text[low:high], "live"))
        at = high
    if at < len(text):
        spans.append((text[at:], "text"))
    return tuple(spans)


def said(answer: LabAnswer) -> str:
    """What is compared: the answer, with its thinking in front where there is some."""
    text = clean(answer.text)
    return f"<think>\n{clean(answer.thinking)}\n</think>\n{text}" if answer.thinking else text


def number_rows(answer: LabAnswer, width: int) -> list[Row]:
    """The numbers of an answer below it."""
    tokens = "–" if answer.tokens is None else str(answer.tokens)
    sign = "~" if answer.is_count_estimated else ""
    rate = f"{'~' if answer.is_rate_estimated else ''}{fmt.rate(answer.rate_tps)}"
    checks = answer.passed_checks
    first = f"{sign}{tokens} tokens  {rate} tok/s"
    second = (
        f"TTFT {fmt.milliseconds(answer.ttft_ms)}  {fmt.milliseconds(answer.latency_ms)} in all"
    )
    is_bad = answer.is_passed is False or answer.state == "failed"
    # What went wrong comes first: checks of a broken answer say little.
    words = [answer.status_word] if checks is None or answer.state != "ok" else []
    words += [] if checks is None else [f"checks {checks[0]}/{checks[1]}"]
    return [
        fit(((first, "text"),), width),
        fit(((second, "soft"),), width),
        fit((("  ".join(words), "bad" if is_bad else "text"),), width),
    ]


def beside(columns: Sequence[Sequence[Row]], width: int, bar: str) -> list[Row]:
    """Columns of one width each, with a bar between them."""
    height = max((len(column) for column in columns), default=0)
    rows: list[Row] = []
    for at in range(height):
        spans: list[Span] = []
        for number, column in enumerate(columns):
            if number:
                spans.append((f"{bar} ", "rule"))
            spans += pad(fit(column[at] if at < len(column) else (), width), width)
        rows.append(tuple(spans))
    return rows


def column_width(width: int, count: int) -> int:
    """Cells of a column where so many share the width, bars taken off."""
    return max(10, (width - GAP * (count - 1) - 2) // max(1, count))
