"""CommonMark's own examples, streamed: the rows of the whole, with every word of the page."""

from __future__ import annotations

import html
import re

from rich.cells import cell_len

from tests.core.text.published import commonmark_examples
from tui.core.text.glyphs import UNICODE
from tui.core.types import Segment
from tui.widgets.transcript.layout import Room
from tui.widgets.transcript.lexers import Lexers
from tui.widgets.transcript.stack import Stack
from tui.widgets.transcript.turn import Look, Turn


def column() -> Stack:
    return Stack(Look(Room(60, cell_len, UNICODE, Lexers())))


def rows_of(stack: Stack) -> list[str]:
    turn = stack.open(0)
    rows = []
    for index, part in enumerate(turn.parts):
        stack.lay_out(0, index)
        if part.kind == "answer":
            assert part.layout is not None
            rows += [""] * part.has_gap
            rows += [
                "".join(text for text, _ in part.layout.spans(row))
                for row in range(len(part.layout))
            ]
    return rows


def whole(source: str) -> list[str]:
    stack = column()
    stack.add(Turn("q", cell_len, answer=source, state="done"))
    return rows_of(stack)


def streamed(source: str) -> list[str]:
    stack = column()
    turn = Turn("q", cell_len)
    stack.add(turn)
    stack.open(0)
    for char in source:
        turn.feed([Segment("text", char)], stack.look)
        stack.resized(0)
        rows_of(stack)
    turn.answer.finish()
    turn.arrange(stack.look)
    stack.resized(0)
    return rows_of(stack)


def test_an_example_streamed_by_the_character_has_the_rows_of_the_whole() -> None:
    for source, _ in commonmark_examples():
        assert streamed(source) == whole(source), source


def test_no_word_of_an_example_is_lost() -> None:
    lost = []
    for source, page in commonmark_examples():
        said = html.unescape(re.sub(r"<[^>]*>", " ", page))
        shown = re.sub(r"\s+", "", "".join(whole(source)))
        missing = [word for word in re.findall(r"[^\W_]+", said) if word not in shown]
        if missing:
            lost.append((source, missing, whole(source)))
    assert lost == []
