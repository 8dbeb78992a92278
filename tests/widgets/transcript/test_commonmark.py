"""CommonMark's own examples, streamed: the rows of the whole, with every word of the page."""

from __future__ import annotations

import html
import re

from rich.cells import cell_len

from tests.core.text.published import commonmark_examples
from tui.core.text.glyphs import UNICODE
from tui.core.types import CleanText, Segment
from tui.widgets.transcript.layout import RenderMode
from tui.widgets.transcript.lexers import Lexers
from tui.widgets.transcript.turn_list import TurnList
from tui.widgets.transcript.turn_view import TurnView


def column() -> TurnList:
    return TurnList(RenderMode(60, cell_len, UNICODE, Lexers()))


def rows_of(turn_list: TurnList) -> list[str]:
    turn = turn_list.open(0)
    rows = []
    for index, part in enumerate(turn.parts):
        turn_list.lay_out(0, index)
        if part.kind == "answer":
            assert part.layout is not None
            rows += [""] * part.has_gap
            rows += [
                "".join(text for text, _ in part.layout.spans(row))
                for row in range(len(part.layout))
            ]
    return rows


def whole(source: str) -> list[str]:
    turn_list = column()
    turn_list.add(TurnView("q", cell_len, answer=source, state="done"))
    return rows_of(turn_list)


def streamed(source: str) -> list[str]:
    turn_list = column()
    turn = TurnView("q", cell_len)
    turn_list.add(turn)
    turn_list.open(0)
    for char in source:
        turn.feed([Segment("text", CleanText(char))], turn_list.mode)
        turn_list.resized(0)
        rows_of(turn_list)
    turn.answer.finish()
    turn.arrange(turn_list.mode)
    turn_list.resized(0)
    return rows_of(turn_list)


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
