"""What is written of many updates leaves the same on a terminal as writing all of each."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region, Size
from textual.strip import Strip

from tui.widgets.kit import pen
from tui.widgets.kit.sgr import Sgr
from tui.widgets.kit.terminal_cells import TerminalCells

WIDTH, HEIGHT = 12, 3
SIZE = Size(WIDTH, HEIGHT)
STYLES = (
    Style(),
    Style.parse("#ff0000"),
    Style.parse("#ff0000 on #000040"),
    Style.parse("bold #00ff00 on #000040"),
    Style.parse("underline"),
    Style.parse("reverse bold red on blue"),
    Style.parse("bright_red on bright_black"),
    Style.parse("color(200) on color(17)"),
    Style.parse("dim italic"),
)
PIECES = ("a", " ", "  ", "bcd", "é", "汉", "字字", "e\u0301", "│", "x y")

segments = st.lists(
    st.builds(lambda *of: Segment(*of), st.sampled_from(PIECES), st.sampled_from(STYLES)),
    max_size=14,
)
rows = segments.map(lambda some: Strip(some).adjust_cell_length(WIDTH, STYLES[2]))
screens = st.lists(rows, min_size=HEIGHT, max_size=HEIGHT)
spans = st.lists(
    st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), st.integers(1, WIDTH)).filter(
        lambda span: span[1] < span[2]
    ),
    max_size=4,
)


def whole(strips: list[Strip]) -> LayoutUpdate:
    return LayoutUpdate([[strip] for strip in strips], Region(0, 0, WIDTH, HEIGHT))


def part(strips: list[Strip], some: list[tuple[int, int, int]]) -> ChopsUpdate:
    return ChopsUpdate([{0: strip} for strip in strips], some, [[WIDTH]] * HEIGHT)


def shown(terminal: pyte.Screen) -> list[list[tuple[object, ...]]]:
    """Every cell as it is seen: a blank shows its background, and what is drawn over it."""
    cells = []
    for y in range(HEIGHT):
        row = []
        for x in range(WIDTH):
            cell = terminal.buffer[y][x]
            drawn = (cell.underscore, cell.reverse, cell.strikethrough)
            seen = (cell.fg, cell.bold, cell.italics) if cell.data != " " or any(drawn) else ()
            row.append((cell.data, cell.bg, *drawn, *seen))
        cells.append(row)
    return cells


def drawn(*texts: str) -> list[list[tuple[object, ...]]]:
    # A column more: pyte wraps before a mark that combines with the last character.
    terminal = pyte.Screen(WIDTH + 1, HEIGHT)
    stream = pyte.Stream(terminal)
    for text in texts:
        stream.feed(text)
    return shown(terminal)


def all_of(strips: list[Strip]) -> list[list[tuple[object, ...]]]:
    return drawn(TerminalCells().changes(whole(strips), SIZE, Sgr("truecolor")))


def plainly(strips: list[Strip]) -> list[list[tuple[object, ...]]]:
    """Drawn by Rich's own means, piece by piece."""
    text = ""
    for y, strip in enumerate(strips):
        text += f"\x1b[{y + 1};1H"
        for piece, style, _ in strip:
            text += Strip.render_style(style or Style(), piece, ColorSystem.TRUECOLOR)
    return drawn(text)


@given(screens)
def test_a_whole_screen_is_what_rich_would_draw(strips: list[Strip]) -> None:
    assert all_of(strips) == plainly(strips)


@pytest.mark.slow
@given(st.lists(screens, min_size=1, max_size=5))
def test_changes_leave_what_a_whole_screen_would(updates: list[list[Strip]]) -> None:
    cells = TerminalCells()
    texts = [cells.changes(whole(strips), SIZE, Sgr("truecolor")) for strips in updates]
    assert drawn(*texts) == plainly(updates[-1])
    assert cells.changes(whole(updates[-1]), SIZE, Sgr("truecolor")) == ""


@pytest.mark.slow
@given(screens, st.lists(st.tuples(screens, spans), max_size=4), screens)
def test_a_whole_screen_after_parts_of_others_is_right(
    first: list[Strip],
    parts: list[tuple[list[Strip], list[tuple[int, int, int]]]],
    last: list[Strip],
) -> None:
    cells = TerminalCells()
    updates: list[LayoutUpdate | ChopsUpdate] = [
        whole(first),
        *(part(strips, some) for strips, some in parts),
        whole(last),
    ]
    texts = [cells.changes(update, SIZE, Sgr("truecolor")) for update in updates]
    assert drawn(*texts) == plainly(last)


def test_a_lit_part_of_many_rows_sets_each_background_once() -> None:
    size = Size(WIDTH, 20)
    row = Strip([Segment("lit", Style.parse("red on #112233")), Segment("the rest ", STYLES[2])])
    update = LayoutUpdate([[row]] * 20, size.region)
    text = TerminalCells().changes(update, size, Sgr("truecolor"))
    assert text.count("48;2;") == 2


@given(st.lists(screens, min_size=1, max_size=5))
def test_any_order_leaves_what_a_whole_screen_would(updates: list[list[Strip]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pen, "_is_worth_sorting", lambda runs: True)
        cells = TerminalCells()
        texts = [cells.changes(whole(strips), SIZE, Sgr("truecolor")) for strips in updates]
    assert drawn(*texts) == plainly(updates[-1])


def test_only_the_cells_that_differ_are_written() -> None:
    cells = TerminalCells()
    one = [Strip([Segment("rate 3.13 ok", STYLES[2])]) for _ in range(HEIGHT)]
    two = [one[0], Strip([Segment("rate 3.19 ok", STYLES[2])]), one[2]]
    cells.changes(whole(one), SIZE, Sgr("truecolor"))
    text = cells.changes(whole(two), SIZE, Sgr("truecolor"))
    assert text == "\x1b[2;9H9"


def test_a_style_is_set_as_far_as_it_differs() -> None:
    row = Strip([Segment("ab", STYLES[2]), Segment("cd", STYLES[1]), Segment("ef", STYLES[3])])
    text = TerminalCells().changes(
        LayoutUpdate([[row]], Region(0, 0, 6, 1)), Size(6, 1), Sgr("truecolor")
    )
    assert text == (
        "\x1b[H\x1b[0;38;2;255;0;0;48;2;0;0;64mab\x1b[49mcd\x1b[1;38;2;0;255;0;48;2;0;0;64mef"
    )


def test_another_size_and_a_cleared_terminal_are_written_whole() -> None:
    cells = TerminalCells()
    strips = [Strip([Segment("abcdefghijkl")])] * HEIGHT
    first = cells.changes(whole(strips), SIZE, Sgr("truecolor"))
    cells.forget()
    assert cells.changes(whole(strips), SIZE, Sgr("truecolor")) == first
    assert cells.changes(whole(strips), Size(WIDTH, HEIGHT + 1), Sgr("truecolor")) == first
