"""Report section on the boards of a run on several boards, and on larger runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui.bench.model.boards import Board, Projection
from tui.bench.model.records import Document
from tui.bench.report.blocks import Block, Heading, Paragraph, Table
from tui.bench.report.text import line, marked, number, whole
from tui.core.text.format import UNKNOWN, milliseconds
from tui.core.text.sanitize import clean_line

_COLUMNS = (
    "Board", "State", "Answered", "Failed", "Repeated", "Tokens", "tok/s", "Median", "MAD",
    "Lowest", "TTFT median", "Hottest", "Throttled", "Answers/h", "Remark",
)  # fmt: skip
PROJECTION_WORDS = (
    "Expected for n similar prompts, from the answers per hour of each board, plus one answer of "
    "the slowest board."
)


def blocks(document: Document) -> Iterator[Block]:
    """The section; empty for a run on one board."""
    if not document.boards:
        return
    yield Heading(2, "Boards")
    yield Table(_COLUMNS, [_row(board) for board in document.boards], frozenset(range(2, 14)))
    again = [r for r in document.requests if r.asked_again]
    if again:
        yield Table(
            ("Repeated request", "Answered by", "Reason"),
            [(line(r.name or r.id), line(r.board), line(r.asked_again)) for r in again],
        )
    if document.projections:
        yield Heading(3, "Larger runs")
        yield Paragraph(PROJECTION_WORDS)
        yield Table(*_projected(document.projections))


def _row(board: Board) -> tuple[str, ...]:
    def tps(value: float | None) -> str:
        return marked(number(value), board.source)

    is_asked = board.answered + board.failed + board.lost > 0
    return (
        line(board.name),
        board.state_words,
        whole(board.answered),
        whole(board.failed),
        whole(board.lost),
        marked(whole(board.tokens_out), board.source) if is_asked else UNKNOWN,
        tps(board.decode_tps),
        tps(board.median_tps),
        tps(board.mad_tps),
        tps(board.min_tps),
        UNKNOWN if board.ttft_median_ms is None else milliseconds(board.ttft_median_ms),
        UNKNOWN if board.t_max_c is None else f"{board.t_max_c:.0f} °C",
        UNKNOWN if board.throttled_s is None else f"{board.throttled_s:.0f} s",
        number(board.requests_per_h, 1),
        line(board.sentence),
    )


def _projected(
    projections: Sequence[Projection],
) -> tuple[tuple[str, ...], list[tuple[str, ...]], frozenset[int]]:
    counts = sorted({one.boards for one in projections})
    hours = {(one.prompts, one.boards): one.hours for one in projections}
    columns = ("Prompts", *(f"{count} board{'s' * (count > 1)}" for count in counts))
    rows = [
        (whole(prompts), *(f"~{duration(hours[prompts, count])}" for count in counts))
        for prompts in sorted({one.prompts for one in projections})
    ]
    return columns, rows, frozenset(range(len(columns)))


def duration(hours: float) -> str:
    """``2 d 3 h``, ``3 h 20 min``, ``4 min``, ``30 s``."""
    if hours < 1 / 60:
        return f"{max(1, round(hours * 3600))} s"
    minutes = round(hours * 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def text_lines(document: Document) -> list[str]:
    """The section for a terminal: one line per board, and one on larger runs."""
    if not document.boards:
        return []
    width = min(24, max(len(line(board.name)) for board in document.boards))
    lines = [
        f"{'board':<{width}}  {'answered':>8} {'tok/s':>7} {'MAD':>7} {'lowest':>7} "
        f"{'hottest':>8} {'repeated':>8}"
    ]
    for board in document.boards:
        row = _row(board)
        remark = clean_line(board.sentence, 100)
        lines.append(
            f"{clean_line(board.name, width):<{width}}  {row[2]:>8} {row[6]:>7} {row[8]:>7} "
            f"{row[9]:>7} {row[11]:>8} {row[4]:>8}{f'  {remark}' if remark else ''}".rstrip()
        )
    here = max((one.boards for one in document.projections), default=0) // 2
    said = [
        f"{one.prompts:,} ~{duration(one.hours)}"
        for one in document.projections
        if one.boards == max(1, here) and one.prompts > 100
    ]
    if said:
        boards = "one board" if here == 1 else f"{here} boards"
        lines.append(f"expected for similar prompts on {boards}: {', '.join(said)}")
    return lines
