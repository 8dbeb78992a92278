"""The wrapper: any split gives the rows of the whole, rows fit, nothing is torn."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len, split_graphemes

from tests.core.text.cuts import split
from tui.core.text.display import display_text
from tui.core.text.sanitize import clean
from tui.core.text.wrap import Wrapper, grapheme_end

PIECES = [
    "a", "word", "verylongwordwithoutanyspace" * 3, " ", "  ", "    ", "\n", "\n\n", "\t", "-",
    "中", "文字", "。", "「", "」", "한국", "e\u0301", "\u0301", "\u200d", "\ufe0f", "❤", "❤\ufe0f",
    "👩\u200d👩\u200d👧", "👩", "🇩🇪", "🇩", "👍🏽", "\u0915\u094d\u0937", "\u200b", "\xad", "…",
    "\u0e01\u0e33", "|", "²", "\u1100\u1161", "x\u200dy",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=200).map(
    clean
)
widths = st.sampled_from([1, 2, 3, 5, 8, 13, 40, 72])


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(texts, st.lists(st.integers(0, 400), max_size=30), widths, st.booleans())
def test_any_split_gives_the_rows_of_the_whole(
    text: str, cuts: list[int], width: int, is_verbatim: bool
) -> None:
    whole = Wrapper(width, cell_len, is_verbatim=is_verbatim)
    whole.feed(text)
    parts = Wrapper(width, cell_len, is_verbatim=is_verbatim)
    shown: list[str] = [""]
    for piece in split(text, cuts):
        first = parts.feed(piece)
        assert parts.rows()[:first] == shown[:first]
        shown = parts.rows()
    assert parts.rows() == whole.rows()
    assert parts.text == whole.text == display_text(text, cell_len)


@settings(max_examples=300, deadline=None)
@given(texts, st.integers(0, 200), texts, widths)
def test_replacing_the_tail_gives_the_rows_of_the_whole(
    text: str, cut: int, tail: str, width: int
) -> None:
    text, tail = display_text(text, cell_len), display_text(tail, cell_len)
    cut = cut % (len(text) + 1)
    wrapper = Wrapper(width, cell_len)
    wrapper.extend(text)
    before = wrapper.rows()
    first = wrapper.replace(cut, tail)
    whole = Wrapper(width, cell_len)
    whole.extend(text[:cut] + tail)
    assert wrapper.rows() == whole.rows()
    assert wrapper.rows()[:first] == before[:first]
    wrapper.extend("more\nwords")
    whole.extend("more\nwords")
    assert wrapper.rows() == whole.rows()


@settings(max_examples=400, deadline=None)
@given(texts, widths, st.booleans())
def test_rows_fit_hold_everything_but_white_space_and_split_no_grapheme(
    text: str, width: int, is_verbatim: bool
) -> None:
    wrapper = Wrapper(width, cell_len, is_verbatim=is_verbatim)
    wrapper.feed(text)
    text = wrapper.text
    boundaries = set()
    position = 0
    while position < len(text):
        boundaries.add(position)
        position = grapheme_end(text, position, len(text))
    end = 0
    for index in range(len(wrapper)):
        start, row_end = wrapper.span(index)
        assert not text[end:start].strip(" \n"), "only white space lies between rows"
        assert start in boundaries or start == len(text)
        row = text[start:row_end]
        if cell_len(row) > width:
            assert grapheme_end(text, start, row_end) == row_end, "only a lone grapheme is wider"
        end = row_end
    assert not text[end:].strip(" \n")


@settings(max_examples=300, deadline=None)
@given(texts)
def test_width_of_a_line_is_the_sum_of_its_graphemes(text: str) -> None:
    for line in display_text(text, cell_len).split("\n"):
        _, total = split_graphemes(line)
        position, cells = 0, 0
        while position < len(line):
            end = grapheme_end(line, position, len(line))
            cells += cell_len(line[position:end])
            position = end
        assert cells == total == cell_len(line)


def test_words_stay_whole_and_spaces_hang() -> None:
    wrapper = Wrapper(10, cell_len)
    wrapper.feed("one two   three fourfivesixseven x")
    assert wrapper.rows() == ["one two", "three", "fourfivesi", "xseven x"]


def test_a_full_row_followed_by_spaces_keeps_no_blank_row() -> None:
    wrapper = Wrapper(5, cell_len)
    wrapper.feed("12345      678")
    assert wrapper.rows() == ["12345", "678"]


def test_chinese_breaks_anywhere_but_not_before_a_full_stop() -> None:
    wrapper = Wrapper(8, cell_len)
    wrapper.feed("内存带宽。是瓶颈")
    assert wrapper.rows() == ["内存带", "宽。是瓶", "颈"]


def test_tabs_reach_the_next_stop() -> None:
    wrapper = Wrapper(40, cell_len)
    wrapper.feed("a\tb\n中\tc\tlast")
    assert wrapper.rows() == ["a   b", "中  c   last"]


def test_a_late_variation_selector_is_measured() -> None:
    wrapper = Wrapper(4, cell_len)
    wrapper.feed("abc❤")
    assert wrapper.rows() == ["abc❤"]
    wrapper.feed("\ufe0f")
    assert wrapper.rows() == ["abc", "❤\ufe0f"]


def test_a_joiner_between_letters_is_dropped_and_between_emoji_kept() -> None:
    assert display_text("x\u200dy 👩\u200d⚕\ufe0f\u200d", cell_len) == "xy 👩\u200d⚕\ufe0f"
