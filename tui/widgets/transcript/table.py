"""Tables: aligned columns, one thin line under the header, row by row.

The widths of the columns come from the header and the first rows only, so a row that arrives later
moves nothing and the thousandth costs the same as the first; what does not fit wraps in its cell.
A table with more columns than the view has room for is shown as it came.
"""

from __future__ import annotations

import re

from tui.core.text.block import Block, split_row
from tui.widgets.transcript.flow import Flow, Span
from tui.widgets.transcript.inline import inline_spans
from tui.widgets.transcript.layout import Prefix, RenderMode

MEASURED_ROWS = 12
"""Rows of the body that decide how wide the columns are."""
MIN_COLUMN_CELLS = 4
GAP = "  "
_BREAK = re.compile(r"<br ?/?>")

Row = list[list[Span]]


class TableLayout:
    """A table, or rows that go on with one."""

    def __init__(self, block: Block, mode: RenderMode) -> None:
        self._block = block
        self._room = mode
        self._prefix = Prefix(block, mode)
        self._cells = mode.width - self._prefix.cells
        head = block.origin or block
        self._aligns = [_align(cell) for cell in split_row(head.lines[1])]
        self._widths: list[int] = []
        self._is_plain = False
        self._rows: list[list[Span]] = []
        self._texts: list[str] = []
        self._text_starts: list[int] = []
        self._tops: list[int] = []
        self.grow()

    @property
    def text(self) -> str:
        return "\n".join(self._texts)

    def __len__(self) -> int:
        return max(1, len(self._rows))

    def spans(self, row: int) -> list[Span]:
        return [*self._prefix.of(row), *(self._rows[row] if row < len(self._rows) else [])]

    def prefix_cells(self, row: int) -> int:
        return self._prefix.cells

    def fill(self, row: int) -> str:
        return ""

    def row_span(self, row: int) -> tuple[int, int]:
        if row < len(self._texts):
            return self._text_starts[row], self._text_starts[row] + len(self._texts[row])
        end = self._text_end()
        return end, end

    def _text_end(self) -> int:
        """Where the text of a further row would begin."""
        return self._text_starts[-1] + len(self._texts[-1]) + 1 if self._texts else 0

    def grow(self) -> int:
        lines = self._block.lines
        widths = column_widths(self._block.origin or self._block, self._room, self._cells)
        index = max(0, len(self._tops) - 1)
        if widths != self._widths:
            self._widths = widths
            self._is_plain = sum(widths) + len(GAP) * (len(widths) - 1) > self._cells
            index = 0
        first = self._tops[index] if index < len(self._tops) else len(self._rows)
        del self._rows[first:], self._texts[first:], self._tops[index:]
        del self._text_starts[first:]
        is_head = self._block.origin is None
        for at in range(index, len(lines)):
            self._tops.append(len(self._rows))
            if self._is_plain:
                self._lay_out_plain(lines[at])
            elif is_head and at == 1:
                rule = self._room.glyphs.rule
                spans = [(rule * width, "rule") for width in widths]
                self._take(_joined(spans))
            else:
                self._lay_out(lines[at], "text strong" if is_head and at == 0 else "text")
        return first

    def _take(self, row: list[Span]) -> None:
        self._rows.append(row)
        self._text_starts.append(self._text_end())
        self._texts.append("".join(text for text, _ in row).rstrip())

    def _lay_out_plain(self, line: str) -> None:
        flow = Flow(self._cells, self._room.cell_len)
        flow.replace(0, [(line, "text")])
        for row in range(len(flow)):
            self._take(flow.spans(row))

    def _lay_out(self, line: str, role: str) -> None:
        cell_len = self._room.cell_len
        cells = split_cells(line)
        flows: list[Flow] = []
        for column, width in enumerate(self._widths):
            flow = Flow(width, cell_len)
            if column < len(cells):
                flow.replace(0, inline_spans(cells[column], role, cell_len))
            flows.append(flow)
        for row in range(max((len(flow) for flow in flows), default=1)):
            spans: list[Span] = []
            for column, flow in enumerate(flows):
                part = flow.spans(row) if row < len(flow) else []
                mode = self._widths[column] - sum(cell_len(text) for text, _ in part)
                left = {"right": mode, "centre": mode // 2}.get(self._align_of(column), 0)
                if column:
                    spans.append((GAP, role))
                spans += [(" " * left, role), *part, (" " * (mode - left), role)]
            self._take([span for span in spans if span[0]])

    def _align_of(self, column: int) -> str:
        return self._aligns[column] if column < len(self._aligns) else "left"


def column_widths(table: Block, mode: RenderMode, cells: int) -> list[int]:
    """Cells for each column: as wide as the measured rows need, together at most ``cells``.

    Where they do not fit, the widest give way first.
    """
    measured = [split_cells(line) for line in (table.lines[0], *table.lines[2 : 2 + MEASURED_ROWS])]
    count = len(split_row(table.lines[1]))
    widths = [2] * count
    for row in measured:
        for column, cell in enumerate(row[:count]):
            text = "".join(text for text, _ in inline_spans(cell, "text", mode.cell_len))
            widths[column] = max(widths[column], *map(mode.cell_len, text.split("\n")))
    left = max(count, cells - len(GAP) * (count - 1))
    while sum(widths) > left:
        widest = max(widths)
        if widest <= MIN_COLUMN_CELLS:
            break
        column = widths.index(widest)
        below = max((width for width in widths if width < widest), default=1)
        others = widths.count(widest)
        excess = sum(widths) - left
        step = min(widest - max(below, MIN_COLUMN_CELLS), -(-excess // others))
        widths[column] = widest - max(1, min(step, excess))
    return widths


def split_cells(line: str) -> list[str]:
    """The cells of a row, with the line breaks that models write as HTML."""
    return [_BREAK.sub("\n", cell) for cell in split_row(line)]


def _joined(spans: list[Span]) -> list[Span]:
    out: list[Span] = []
    for span in spans:
        if out:
            out.append((GAP, "text"))
        out.append(span)
    return out


def _align(cell: str) -> str:
    if cell.endswith(":"):
        return "centre" if cell.startswith(":") else "right"
    return "left"
