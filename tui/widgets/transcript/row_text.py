"""Maps rows of the view to text, for selection, copy and search."""

from __future__ import annotations

import re

from textual.geometry import Offset
from textual.selection import Selection

from tui.core.text.blocks import split_blocks
from tui.widgets.transcript.parts import Part
from tui.widgets.transcript.turn_list import Place, TurnList
from tui.widgets.transcript.turn_view import TurnView

_WORD = re.compile(r"[\w./:@~+-]+")
_PART_BITS = 20
_ROW_BITS = 24


def key_of(place: Place) -> int:
    """A number for a row that grows from top to bottom and stays when heights above change."""
    return (((place.turn << _PART_BITS) | place.part) << _ROW_BITS) | place.row


def place_of(key: int) -> Place:
    """The row of a key."""
    row = key & ((1 << _ROW_BITS) - 1)
    part = (key >> _ROW_BITS) & ((1 << _PART_BITS) - 1)
    return Place(key >> (_ROW_BITS + _PART_BITS), part, row)


def selected_text(turn_list: TurnList, selection: Selection) -> str:
    """The text of a selection, without gutter and with one line break for each block."""
    if not turn_list.turns:
        return ""
    start = selection.start or Offset(0, 0)
    first = place_of(start.y)
    last_key = selection.end.y if selection.end else None
    if not turn_list.has(first):
        return ""
    texts: list[str] = []
    for turn, index in turn_list.forward(Place(first.turn, first.part, 0)):
        if last_key is not None and key_of(Place(turn, index, 0)) > last_key:
            break
        part = turn_list.turns[turn].parts[index]
        begin, end = 0, None
        if (turn, index) == (first.turn, first.part):
            begin = offset_in(part, first.row, start.x)
        if last_key is not None and selection.end is not None:
            last = place_of(last_key)
            if (turn, index) == (last.turn, last.part):
                end = offset_in(part, last.row, selection.end.x)
        if texts and part.has_gap:
            texts.append("")
        texts.append(text_of(part, begin, end))
        turn_list.trim(0)
    return "\n".join(texts)


def offset_in(part: Part, row: int, x: int) -> int:
    """The offset in a part's text of character ``x`` of a row; the row's end where x is beyond."""
    layout = part.layout
    if layout is None or row < part.has_gap:
        return 0
    start, end = layout.row_span(min(row - part.has_gap, len(layout) - 1))
    return min(start + x, end) if x >= 0 else end


def text_of(part: Part, begin: int = 0, end: int | None = None) -> str:
    """The text of a laid out part; with its bullet where it is taken from the beginning."""
    layout = part.layout
    if layout is None:
        return part.text
    text = layout.text[begin:end]
    if begin == 0 and part.block is not None and part.block.kind in ("paragraph", "heading"):
        cells = layout.prefix_cells(0)
        prefix = "".join(piece for piece, _ in layout.spans(0))[:cells]
        text = prefix + text
    return text


def has_code(text: str) -> bool:
    """Whether a text can hold a block of code at all: a look that costs nothing."""
    return "```" in text or "~~~" in text or "    " in text


def code_blocks(text: str) -> list[tuple[int, str]]:
    """The blocks of code of a Markdown text, as they came, each with the line it begins in."""
    found: dict[int, tuple[int, list[str]]] = {}
    for block in split_blocks(text):
        if block.kind == "fence":
            head = block.origin or block
            found.setdefault(id(head), (head.start, []))[1].extend(block.lines)
    return [(start, "\n".join(lines)) for start, lines in found.values()]


def source_of_code(turn: TurnView, part: Part) -> str:
    """The code that a part shows, as it came."""
    start = part.block.start if part.block else -1
    return next((code for line, code in code_blocks(turn.answer.text) if line == start), "")


def code_before(turn_list: TurnList, place: Place) -> str:
    """The last block of code that begins at a place or above it."""
    for index in range(place.turn, -1, -1):
        turn = turn_list.turns[index]
        if not has_code(turn.answer.text):
            continue
        blocks = code_blocks(turn.answer.text)
        if index == place.turn:
            block = turn_list.part(place).block
            is_answer = turn_list.part(place).kind == "answer"
            is_above = turn_list.part(place).kind in (
                "prompt",
                "model",
                "fold",
                "thinking",
                "status",
            )
            limit = block.start if block and is_answer else (-1 if is_above else None)
            blocks = [one for one in blocks if limit is None or one[0] <= limit]
        if blocks:
            return blocks[-1][1]
    return ""


def word_at(text: str, position: int) -> tuple[int, int]:
    """Where the word at a position begins and ends; a lone character where there is no word."""
    for word in _WORD.finditer(text):
        if word.start() <= position < word.end():
            return word.span()
    return position, min(position + 1, len(text))
