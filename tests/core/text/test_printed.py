"""What commands print: cells and not characters count, and colours add nothing but colours."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tui.core.text.printed import PLAIN, SGR, Cell, Paper, cells_of, cut, folded, table
from tui.core.text.printed_markdown import printed_markdown

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
COLOURS = Paper(None, has_colours=True)
TEXTS = st.text(alphabet="ab 中é\u0301-", max_size=12)
CELLS: st.SearchStrategy[Cell] = st.one_of(TEXTS, st.tuples(TEXTS, st.sampled_from([*SGR, "x"])))
ROWS = st.lists(st.lists(CELLS, max_size=4), max_size=5)


def test_columns_stand_below_each_other_by_cells() -> None:
    rows = [("中文", "1"), ("abc", "20"), ("e\u0301", "")]
    assert table(rows, right={1}) == ["中文   1", "abc   20", "e\u0301"]


def test_a_column_without_text_is_left_out() -> None:
    assert table([("a", "", "b"), ("c", "", "d")]) == ["a  b", "c  d"]
    assert table([]) == []


@given(rows=ROWS, width=st.integers(12, 40))
def test_colours_change_no_cell_and_no_line_ends_with_blanks(
    rows: list[list[Cell]], width: int
) -> None:
    cuts = 0 if any(rows) else None
    plain = table(rows, Paper(width), cuts=cuts)
    coloured = table(rows, Paper(width, has_colours=True), cuts=cuts)
    assert [ESCAPES.sub("", line) for line in coloured] == plain
    assert all(line.count("\x1b[0m") * 2 == line.count("\x1b[") for line in coloured)


@given(text=TEXTS, cells=st.integers(0, 14))
def test_what_is_cut_fits_and_says_so(text: str, cells: int) -> None:
    shown = cut(text, cells)
    assert cells_of(shown) <= cells
    assert shown == text or shown.endswith("…") or cells == 0


def test_only_the_column_that_may_be_cut_is() -> None:
    rows = [("a long title of a conversation", "npulse models load x"), ("b", "c")]
    lines = table(rows, Paper(40), cuts=0)
    assert lines[0].startswith("a long title of a…")
    assert lines[0].endswith("npulse models load x")
    assert cells_of(lines[0]) == 40
    assert table(rows, PLAIN, cuts=0)[0].startswith("a long title of a conversation  ")
    assert table(rows, Paper(20))[0].endswith("npulse models load x")


def test_long_texts_are_folded_at_words_below_where_they_begin() -> None:
    text = "one two three four five six seven --option-with-hyphens"
    lines = folded(text, Paper(40), " " * 10).split("\n")
    assert " ".join(line.strip() for line in lines) == text
    assert all(line.startswith(" " * 10) for line in lines[1:])
    assert max(map(len, lines)) <= 40
    assert folded(text, PLAIN, "  ") == text


def test_a_report_on_a_terminal_is_the_same_report() -> None:
    text = "# a\n\n> **w**\n\n| name | n |\n|---|---:|\n| a \\| b | 1 |\n| c | 200 |\n\nend\n"
    assert printed_markdown(text, PLAIN) == text
    lines = ESCAPES.sub("", printed_markdown(text, COLOURS)).split("\n")
    table_lines = [line for line in lines if line.startswith("|")]
    assert len({cells_of(line) for line in table_lines}) == 1
    assert table_lines[-1] == "| c      | 200 |"
    assert [re.sub(r"\s+|-+", "", line) for line in lines] == [
        re.sub(r"\s+|-+", "", line) for line in text.split("\n")
    ]


def test_a_table_that_is_too_wide_is_not_filled_up_with_blanks() -> None:
    text = f"# a\n\n| name | n |\n|---|---|\n| a | {'x' * 60} |\n| b | c |\n"
    shown = printed_markdown(text, Paper(40, has_colours=True))
    assert ESCAPES.sub("", shown).split("\n")[-2] == "| b    | c   |"


def test_columns_are_left_out_before_the_text_that_matters_is_cut() -> None:
    rows = [("1", "2 turns", "~200 tokens", "a title of a conversation that is long", "SIMULATED")]
    wide = table(rows, Paper(100), cuts=3, drops=(1, 2))[0]
    assert "2 turns" in wide
    assert "is long" in wide
    narrow = table(rows, Paper(54), cuts=3, drops=(1, 2))[0]
    assert cells_of(narrow) == 54
    assert "turns" not in narrow
    assert "tokens" in narrow
    least = table(rows, Paper(40), cuts=3, drops=(1, 2))[0]
    assert cells_of(least) == 40
    assert "tokens" not in least
    assert least.endswith("SIMULATED")
