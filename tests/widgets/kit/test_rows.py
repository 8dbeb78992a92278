"""Rows of spans: widths that never break a wide cell, and repainting only what changed."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from tui.core.text.glyphs import ASCII, UNICODE
from tui.widgets.kit.rows import (
    Row,
    Rows,
    _changed_cells,
    fit,
    in_glyphs,
    pad,
    row_width,
    spread,
)

TEXTS = st.text(alphabet="ab 漢字é🙂0━", max_size=12)
ROW = st.lists(st.tuples(TEXTS, st.sampled_from(["text", "dim"])), max_size=4).map(tuple)


@given(ROW, st.integers(0, 30))
def test_fit_never_exceeds_the_width(row: Row, width: int) -> None:
    assert row_width(fit(row, width)) <= width
    if row_width(row) <= width:
        assert row_width(fit(row, width)) == row_width(row)


@given(ROW, ROW, st.integers(1, 60))
def test_spread_fills_the_width_and_keeps_the_right(left: Row, right: Row, width: int) -> None:
    row = spread(left, right, width)
    assert row_width(row) <= width
    if row_width(right) < width:
        assert row_width(row) == width
        assert "".join(t for t, _ in row).endswith("".join(t for t, _ in right))


@given(ROW, ROW)
def test_every_changed_cell_is_repainted(before: Row, after: Row) -> None:
    x, cells = _changed_cells(before, after)

    def painted(row: Row) -> dict[int, tuple[str, str]]:
        at: dict[int, tuple[str, str]] = {}
        column = 0
        for text, role in row:
            for char in text:
                at[column] = (at.get(column, ("", ""))[0] + char, role)
                column += row_width(((char, role),))
        return at

    one, two = painted(before), painted(after)
    for column in set(one) | set(two):
        if one.get(column) != two.get(column):
            assert x <= column < x + cells


class Counter(App[None]):
    """One row whose number changes."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = Rows(UNICODE)

    def compose(self) -> ComposeResult:
        yield self.rows

    def get_theme_variable_defaults(self) -> dict[str, str]:
        names = ("soft", "dim", "live", "ok", "warn", "bad", "track", "rule", "raised")
        return dict.fromkeys(names, "#888888")


async def test_only_changed_cells_are_repainted() -> None:
    app = Counter()
    async with app.run_test(size=(40, 5)) as pilot:
        numbers: Sequence[int] = range(100, 110)
        for n in numbers:
            app.rows.show([pad((("tokens ", "dim"), (str(n), "text"), (" of 1024", "dim")), 40)])
            await pilot.pause()
        assert app.rows.painted_cells == len(numbers) - 1


def test_what_stands_at_the_right_edge_stays_there_in_ascii() -> None:
    row = spread((("left", "text"),), (("44 °C  ≤ 5…  12:34:56", "soft"),), 60)
    plain = in_glyphs(row, ASCII)
    assert row_width(plain) == row_width(row) == 60
    assert "".join(text for text, _ in plain).endswith("44 C  <= 5...  12:34:56")
    assert in_glyphs(row, UNICODE) is row
