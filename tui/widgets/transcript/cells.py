"""Rows of cells: the gutter, the caret, and which cells of two rows differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.segment import Segment as Cells
from rich.style import Style
from textual.strip import Strip

from tui.core.text.glyphs import Glyphs
from tui.widgets.transcript.flow import Span

_UNSURE = re.compile("[\u0300-\u036f\u200d\ufe0f\u2600-\u27bf\U0001f000-\U0001faff]")
WIDE_CELLS = 56
"""From this width on the gutter has room for a label and the live bar beside it."""
RIGHT_CELLS = 2
"""Cells right of the text: one for the caret behind a full row, one for the thumb."""


def gutter_cells(width: int) -> int:
    """Cells left of the text."""
    return 8 if width >= WIDE_CELLS else 5


def gutter(label: str, cells: int, bar: str) -> list[Span]:
    """The cells left of the text: who speaks, or the bar of a live answer, or blanks."""
    if label:
        at = 2 if cells >= 8 else 1
        while cell_len(label) > cells - at - 1:
            label = label[:-1]
        text = " " * at + label
        return [(text + " " * (cells - cell_len(text)), "you")]
    if bar:
        return [(" " * (cells - 2), "text"), (bar, "live"), (" ", "text")]
    return [(" " * cells, "text")]


def with_caret(content: list[Span], caret: str) -> list[Span]:
    """The spans with the caret behind the last character that is not blank, or in front of the
    blanks that fill the row."""
    spans = list(content)
    blanks: list[Span] = []
    while len(spans) > 1 and not spans[-1][0].strip():
        blanks.append(spans.pop())
    cells = 1
    while blanks and cells:
        text, role = blanks.pop()
        if len(text) > cells:
            blanks.append((text[cells:], role))
        cells = max(0, cells - len(text))
    return [*spans, (caret, "caret"), *reversed(blanks)]


def restyled(spans: Sequence[Span], start: int, end: int, role: str) -> list[Span]:
    """The spans with a role added to the characters from ``start`` to ``end``."""
    out: list[Span] = []
    position = 0
    for text, roles in spans:
        cuts = [0, *(min(max(at - position, 0), len(text)) for at in (start, end)), len(text)]
        for index, added in enumerate(("", f" {role}", "")):
            piece = text[cuts[index] : cuts[index + 1]]
            if piece:
                out.append((piece, roles + added))
        position += len(text)
    return out


def badge_text(new_lines: int, end_key: str, glyphs: Glyphs) -> str:
    """What the last row says while the view does not follow; ``end_key`` leads to the end."""
    lines = "line" if new_lines == 1 else "lines"
    count = f"{new_lines} new {lines} " if new_lines else ""
    return f" {count}{glyphs.down} {end_key} "


def changed_cells(before: Strip, after: Strip) -> tuple[int, int]:
    """From which cell to which two strips differ; an empty range where they do not.

    A difference inside of a grapheme counts from the beginning of its segment. Where a terminal may
    have another opinion of a width than we, the row is painted to its end, so that nothing of it
    stays behind.
    """
    if before is after:
        return 0, 0
    length = max(before.cell_length, after.cell_length)
    start = _common_cells(iter(before), iter(after))
    if start >= length:
        return 0, 0
    is_sure = not _UNSURE.search(before.text) and not _UNSURE.search(after.text)
    if before.cell_length != after.cell_length or not is_sure:
        return start, length
    tail = _common_cells(reversed(before), reversed(after), is_backward=True)
    return start, max(start + 1, length - tail)


def _common_cells(
    before: Iterator[Cells], after: Iterator[Cells], *, is_backward: bool = False
) -> int:
    """Cells that two rows have in common from one end on."""
    cells = 0
    for one, two in zip(before, after, strict=False):
        if one == two:
            cells += one.cell_length
            continue
        if one.style == two.style and one.text.isascii() and two.text.isascii():
            first, second = one.text, two.text
            if is_backward:
                first, second = first[::-1], second[::-1]
            for a, b in zip(first, second, strict=False):
                if a != b:
                    break
                cells += 1
        return cells
    return cells


def with_places(strip: Strip, left: int, used: int, y: int) -> Strip:
    """The strip with the places of its characters, for the selection with the mouse.

    The first ``left`` cells stand for the beginning of the text, whose end is at cell ``used``.
    """
    cells: list[Cells] = []
    x = character = 0
    for text, style, _ in strip:
        for part, begins in _at_cells(text, x, left, used):
            if begins < left:
                cells += [_placed(one, style, 0, y) for one in part]
            elif begins < used:
                cells.append(_placed(part, style, character, y))
                character += len(part)
            else:
                cells.append(Cells(part, style))
        x += cell_len(text)
    return Strip(cells, strip.cell_length)


def _placed(text: str, style: Style | None, x: int, y: int) -> Cells:
    place = Style.from_meta({"offset": (x, y)})
    return Cells(text, style + place if style else place)


def _at_cells(text: str, x: int, left: int, used: int) -> Iterator[tuple[str, int]]:
    """The parts of a text that begins at cell ``x``, cut at ``left`` and ``used``."""
    rest = Cells(text)
    for cut in (left, used):
        if x < cut < x + rest.cell_length:
            part, rest = rest.split_cells(cut - x)
            yield part.text, x
            x = cut
    yield rest.text, x
