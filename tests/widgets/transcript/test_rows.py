"""Blocks as rows: any split gives the rows of the whole, and no row is wider than its mode."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.core.text.cuts import split
from tests.core.text.test_blocks import LINES
from tests.widgets.transcript.answers import MIXED
from tui.core.text.block import PlainSplitter
from tui.core.text.blocks import BlockSplitter, split_blocks
from tui.core.text.display import display_text
from tui.core.text.glyphs import ASCII, UNICODE
from tui.core.text.sanitize import clean, is_forbidden
from tui.widgets.transcript.inline import inline_spans
from tui.widgets.transcript.layout import RenderMode, piece_end
from tui.widgets.transcript.lexers import Lexers
from tui.widgets.transcript.parts import Part
from tui.widgets.transcript.table import column_widths

LEXERS = Lexers()
WORDS = [
    "word", " ", " ", "**", "*", "`", "[", "](http://x.y)", "~~", "_", "\n", "\n\n", "中文", "- ",
    "e\u0301", "👩\u200d👩\u200d👧", "|", "&#27;[31m", "&amp;", "<b>", "\\", "!", "long" * 30,
    "x" * 90,
]  # fmt: skip
inline = st.lists(st.sampled_from(WORDS), max_size=150).map("".join)
blocky = st.lists(st.sampled_from(LINES), max_size=25).map("\n".join)
texts = inline | blocky | st.just(MIXED)
widths = st.sampled_from([8, 20, 33, 72, 120])


def mode(width: int) -> RenderMode:
    return RenderMode(width, cell_len, UNICODE, LEXERS)


class Growing:
    """Parts that grow with their blocks, as a turn keeps them."""

    def __init__(self, width: int, splitter: BlockSplitter | PlainSplitter) -> None:
        self.mode = mode(width)
        self.splitter = splitter
        self.parts: list[Part] = []

    def feed(self, text: str) -> None:
        self._take(self.splitter.feed(text))

    def finish(self) -> None:
        self._take(self.splitter.finish())

    def _take(self, first: int) -> None:
        blocks = self.splitter.blocks
        del self.parts[len(blocks) :]
        for index in range(first, len(blocks)):
            if index >= len(self.parts) or self.parts[index].block is not blocks[index]:
                self.parts[index : index + 1] = [
                    Part("answer", blocks[index], has_gap=blocks[index].has_gap)
                ]
            self.parts[index].is_exact = False
            self.parts[index].lay_out(self.mode)

    def rows(self) -> list[object]:
        out: list[object] = []
        for part in self.parts:
            assert part.layout is not None
            for row in range(len(part.layout)):
                spans = part.layout.spans(row)
                out.append([(char, role) for text, role in spans for char in text])
            out.append((part.rows, part.layout.text))
        return out

    def texts(self) -> list[str]:
        return [
            "".join(text for text, _ in part.layout.spans(row))
            for part in self.parts
            if part.layout is not None
            for row in range(len(part.layout))
        ]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(texts, st.lists(st.integers(0, 2000), max_size=40), widths)
def test_any_split_gives_the_rows_of_the_whole(text: str, cuts: list[int], width: int) -> None:
    text = display_text(clean(text), cell_len)
    parts = Growing(width, BlockSplitter())
    for piece in split(text, cuts):
        parts.feed(piece)
    parts.finish()
    whole = Growing(width, BlockSplitter())
    whole.feed(text)
    whole.finish()
    assert parts.rows() == whole.rows()


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(texts, st.lists(st.integers(0, 2000), max_size=40), widths)
def test_any_split_of_plain_text_gives_the_rows_of_the_whole(
    text: str, cuts: list[int], width: int
) -> None:
    text = display_text(clean(text), cell_len)
    parts = Growing(width, PlainSplitter())
    for piece in split(text, cuts):
        parts.feed(piece)
    whole = Growing(width, PlainSplitter())
    whole.feed(text)
    assert parts.rows() == whole.rows()


@settings(max_examples=300, deadline=None)
@given(texts, st.sampled_from([20, 33, 72, 120]))
def test_rows_fit_their_room_and_hold_no_control_code(text: str, width: int) -> None:
    rows = Growing(width, BlockSplitter())
    rows.feed(display_text(clean(text), cell_len))
    rows.finish()
    for row in rows.texts():
        assert not any(is_forbidden(char) or char in "\n\t" for char in row)
        assert cell_len(row) <= width


@settings(max_examples=300, deadline=None)
@given(texts, widths)
def test_rows_know_their_place_in_the_text(text: str, width: int) -> None:
    rows = Growing(width, BlockSplitter())
    rows.feed(display_text(clean(text), cell_len))
    rows.finish()
    for part in rows.parts:
        layout = part.layout
        assert layout is not None
        last = 0
        for row in range(len(layout)):
            start, end = layout.row_span(row)
            assert last <= start <= end
            last = start
            shown = "".join(piece for piece, _ in layout.spans(row))
            if layout.text:
                assert shown[layout.prefix_cells(row) :].startswith(layout.text[start:end])


def test_entities_cannot_bring_control_codes_back() -> None:
    spans = inline_spans("&#27;[31mred &#x9b;2J &#8238;abc &amp; <x>", "text", cell_len)
    text = "".join(piece for piece, _ in spans)
    assert not any(is_forbidden(char) for char in text)
    assert "& <x>" in text


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("**a** *b* `c` ~~d~~", "a b c d"),
        ("[text](http://x.y/z)", "text (http://x.y/z)"),
        ("[http://x.y](http://x.y)", "http://x.y"),
        ("<http://x.y>", "http://x.y"),
        ("![alt](pic.png)", "alt (pic.png)"),
        ("[bad](javascript:alert)", "[bad](javascript:alert)"),
        ("a\nb", "a\nb"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("snake_case_name", "snake_case_name"),
        ("unclosed **bold", "unclosed **bold"),
    ],
)
def test_inline_marks(source: str, shown: str) -> None:
    assert "".join(piece for piece, _ in inline_spans(source, "text", cell_len)) == shown


def test_a_long_paragraph_is_not_cut_inside_of_bold() -> None:
    text = "x " * 190 + "**" + "bold " * 10 + "** " + "y " * 300
    cut = piece_end(text)
    assert text[:cut].endswith("** ")


def test_a_paragraph_of_any_length_is_formatted_the_same_everywhere() -> None:
    text = "some **bold** and `code` words with [a link](http://x.y) " * 60
    rows = Growing(72, BlockSplitter())
    for piece in split(text, list(range(0, 4000, 7))):
        rows.feed(piece)
    rows.finish()
    shown = " ".join(row.strip() for row in rows.texts())
    assert "**" not in shown
    assert "`" not in shown
    assert shown.count("a link (http://x.y)") + shown.count("a link") >= 60


def test_columns_of_a_table_give_way_where_they_are_widest() -> None:
    table = split_blocks("| a | b | c |\n|-|-|-|\n| " + "x" * 60 + " | " + "y" * 30 + " | z |\n")[0]
    wide = column_widths(table, mode(60), 60)
    assert wide[2] == 2
    assert abs(wide[0] - wide[1]) <= 1
    assert sum(wide) == 56
    narrow = column_widths(table, mode(20), 20)
    assert sum(narrow) <= 16
    assert min(narrow) >= 2


def test_a_wide_table_wraps_in_its_cells() -> None:
    rows = Growing(30, BlockSplitter())
    rows.feed("| name | what it is |\n|---|---|\n| qwen | a model that reads every weight |\n")
    rows.finish()
    assert all(cell_len(row) <= 30 for row in rows.texts())
    assert rows.texts()[2].startswith("qwen  a model")


def test_a_table_with_too_many_columns_is_shown_as_it_came() -> None:
    rows = Growing(30, BlockSplitter())
    rows.feed("|" + "a|" * 20 + "\n|" + "-|" * 20 + "\n|" + "b|" * 20 + "\n")
    rows.finish()
    assert "".join(rows.texts()).count("b|") == 20


def test_a_line_break_in_a_cell() -> None:
    rows = Growing(30, BlockSplitter())
    rows.feed("| a | b |\n|---|---|\n| one<br>two | three |\n")
    rows.finish()
    assert [row.split() for row in rows.texts()[2:]] == [["one", "three"], ["two"]]


def test_code_keeps_its_blanks_and_shows_its_language() -> None:
    rows = Growing(40, BlockSplitter())
    rows.feed("```py\nif x:\n    y = 1\n\n    z\n```\n")
    rows.finish()
    assert rows.texts() == ["py", "▏if x:", "▏    y = 1", "▏", "▏    z"]


def test_code_is_coloured_by_its_language() -> None:
    rows = Growing(40, BlockSplitter())
    rows.feed("```python\n# note\ndef f(): return 'x'\n```\n")
    rows.finish()
    layout = rows.parts[0].layout
    assert layout is not None
    roles = {role for row in range(3) for _, role in layout.spans(row)}
    assert {"code code-comment", "code code-keyword", "code code-string"} <= roles


def test_an_unknown_language_is_plain() -> None:
    rows = Growing(40, BlockSplitter())
    rows.feed("```" + "nolanguage\nx = 1\n```\n```../../etc/passwd\nx\n```")
    rows.finish()
    assert "▏x = 1" in rows.texts()


def test_ascii_marks() -> None:
    part = Part("answer", split_blocks("- a")[0], has_gap=False)
    part.lay_out(RenderMode(40, cell_len, ASCII, LEXERS))
    assert part.layout is not None
    assert "".join(piece for piece, _ in part.layout.spans(0)).isascii()
