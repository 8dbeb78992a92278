"""A Markdown report on a terminal: headings and warnings stand out, tables stand in columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from tui.core.text.printed import Paper, cells_of

_BAR = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r":?-+:?")


def printed_markdown(text: str, paper: Paper) -> str:
    """The report as a terminal with colours shows it; as it is where there are none.

    It stays Markdown: nothing but blanks and colours is added, so that it can be copied.
    """
    if not paper.has_colours:
        return text
    lines: list[str] = []
    for is_table, group in groupby(text.split("\n"), key=lambda line: line.startswith("|")):
        found = list(group)
        lines += _table(found, paper) if is_table else [_line(line, paper) for line in found]
    return "\n".join(lines)


def _line(line: str, paper: Paper) -> str:
    if line.startswith("#"):
        return paper.styled(line, "strong")
    return paper.styled(line, "warn") if line.startswith("> **") else line


def _table(lines: Sequence[str], paper: Paper) -> Iterator[str]:
    rows = [[part.strip() for part in _BAR.split(line)[1:-1]] for line in lines]
    count = max(map(len, rows))
    rows = [row + [""] * (count - len(row)) for row in rows]
    rights = [
        any(_RULE.fullmatch(row[at]) and row[at].endswith(":") for row in rows)
        for at in range(count)
    ]
    widths = [
        max(3, *(cells_of(row[at]) for row in rows if not _RULE.fullmatch(row[at])))
        for at in range(count)
    ]
    if paper.width is not None and sum(widths) + 3 * count + 1 > paper.width:
        # It wraps anyway: then at least its short lines do not.
        widths[-1] = 3
    bar = paper.styled("|", "dim")
    for number, row in enumerate(rows):
        cells = []
        for text, width, is_right in zip(row, widths, rights, strict=True):
            if number == 1 and _RULE.fullmatch(text):
                ends = (":" if text.startswith(":") else "-", ":" if text.endswith(":") else "-")
                cells.append(paper.styled(f"{ends[0]}{'-' * (width - 2)}{ends[1]}", "dim"))
                continue
            blanks = " " * (width - cells_of(text))
            shown = paper.styled(text, "strong") if number == 0 else text
            cells.append(blanks + shown if is_right else shown + blanks)
        yield f"{bar} {f' {bar} '.join(cells)} {bar}"
