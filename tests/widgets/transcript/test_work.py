"""Text of any repetition, whole and in pieces: twice the text is not four times the work."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from rich.cells import cell_len

from tests.growth import grows_with_the_square
from tui.core.text.block import PlainSplitter
from tui.core.text.blocks import BlockSplitter, split_blocks
from tui.core.text.display import display_text
from tui.core.text.glyphs import UNICODE
from tui.core.text.sanitize import clean, clean_line, safe_file_name
from tui.core.text.wrap import Wrapper
from tui.widgets.transcript.code import is_for_lexers
from tui.widgets.transcript.layout import RenderMode
from tui.widgets.transcript.lexers import Lexers
from tui.widgets.transcript.parts import Part
from tui.widgets.transcript.search import Match, Search, offset_of_match, part_of_match
from tui.widgets.transcript.turn_view import TurnView

pytestmark = pytest.mark.slow

FULL = 16 << 10
FLOOR_NS = 50_000_000
PIECE_CHARS = 64
WIDTH = 72
UNITS = (
    *("-", "* ", "_ ", "|", ":-", "=", "[", "(", "*a", "`", "<", "!", "![", "1", "\t", " ", "#"),
    *("**a", "~~a", "](", "[a](", "&", "&#", "a|", "-|", "| - ", "- ", "1. ", "> ", "\\", "``a`"),
    *("- \n", "|\n", "```\n", "    a\n", "\n", " \n", "<!--", "* * * x\n", "|---|\n|a|\n", "a "),
    *("-" * 200 + " " * 50 + "x\n", "中", "\u0301", "\u200d", "\u1161", "\U0001f3fb", "\u0903"),
    *("\u0915\u094d", "\U0001f469\u200d", "\U0001f1e6", "\u0600", "\u1100", "\ud83d", "\x1b"),
)
MODE = RenderMode(WIDTH, cell_len, UNICODE, Lexers())


def _in_pieces(text: str, feed: Callable[[str], object]) -> None:
    for start in range(0, len(text), PIECE_CHARS):
        feed(text[start : start + PIECE_CHARS])


def _lay_out(text: str, *, is_plain: bool = False) -> None:
    splitter = PlainSplitter() if is_plain else BlockSplitter()
    splitter.feed(display_text(clean(text), cell_len))
    splitter.finish()
    for block in splitter.blocks:
        part = Part("answer", block, has_gap=False)
        part.estimate(WIDTH)
        part.lay_out(MODE)
        for row in range(len(part.layout or ())):
            assert part.layout is not None
            part.layout.row_span(row)


def _lay_out_table(text: str) -> None:
    line = text[: len(text) // 4].replace("\n", " ")
    rows = "".join(f"|{line[at : at + 4000]}\n" for at in range(0, len(line), 4000))
    _lay_out(f"|a|b|\n|-|-|\n{rows}")


def _search(text: str) -> None:
    turn = TurnView("q", cell_len, answer=text, state="done")
    turn.open(MODE)
    for pattern in (text[:1], text[: len(text) // 2]):
        search = Search(pattern)
        search.update([turn])
        if not search.matches:
            continue
        match = search.step(-1, Match(1, 0, 0))
        assert match is not None
        index = part_of_match(turn, match)
        if index is not None:
            turn.parts[index].lay_out(MODE)
            offset_of_match(search, turn, turn.parts[index], match)


READERS: dict[str, Callable[[str], object]] = {
    "clean": clean,
    "clean line": clean_line,
    "file name": safe_file_name,
    "display": lambda text: display_text(text, cell_len),
    "blocks": split_blocks,
    "blocks in pieces": lambda text: _in_pieces(text, BlockSplitter().feed),
    "plain in pieces": lambda text: _in_pieces(text, PlainSplitter().feed),
    "rows in pieces": lambda text: _in_pieces(clean(text), Wrapper(WIDTH, cell_len).feed),
    "rows of code": lambda text: Wrapper(WIDTH, cell_len, is_verbatim=True).feed(clean(text)),
    "layout": _lay_out,
    "plain layout": partial(_lay_out, is_plain=True),
    "table": _lay_out_table,
    "search": _search,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_twice_the_text_is_not_four_times_the_work(name: str) -> None:
    for unit in UNITS:
        text = (unit * FULL)[:FULL]
        assert not grows_with_the_square(READERS[name], text, FLOOR_NS), unit


@pytest.mark.parametrize(
    "unit", ["\u0915\u094d", "\u1161", "\U0001f3fb", "\u0903", "\U0001f469\u200d\U0001f469\u200d"]
)
def test_no_grapheme_is_wider_than_a_row(unit: str) -> None:
    wrapper = Wrapper(20, cell_len)
    wrapper.feed(clean(unit * 500))
    assert max(map(cell_len, wrapper.rows())) <= 20
    assert "".join(wrapper.rows()) == wrapper.text


def test_a_lexer_sees_little_of_data() -> None:
    assert is_for_lexers("\n".join(["x = 1" * 20] * 16))
    assert not is_for_lexers("a " * 1000)
    assert not is_for_lexers("\n".join(["x" * 400] * 32))
