"""The rows of a run on many boards fit, and say what each board does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.screens.bench.prepared import BOARDS_RUN
from tests.widgets.bench.test_rows import WIDTHS, words
from tui.bench.model.boards import Board, Projection
from tui.bench.model.screen import BoardNow, RunView
from tui.core.text.glyphs import UNICODE
from tui.widgets.bench.boards import board_rows, note_rows, projection_rows
from tui.widgets.bench.plan import plan_rows
from tui.widgets.kit.rows import row_width


@pytest.mark.parametrize("width", WIDTHS)
def test_rows_fit(width: int) -> None:
    many = replace(BOARDS_RUN, boards=BOARDS_RUN.boards * 7)
    for run in (BOARDS_RUN, many, RunView(is_of_boards=True)):
        for height in (1, 4, 9, 40):
            rows = board_rows(run.boards, width, height) + note_rows(run, width, height)
            assert all(row_width(row) <= width for row in rows)
        assert len(board_rows(many.boards, width, 9)) == 9


def test_each_board_has_its_request_or_its_reason() -> None:
    said = words(board_rows(BOARDS_RUN.boards, 120, 20))
    kitchen, cellar, reason, attic = said.splitlines()[2:]
    assert "works" in kitchen
    assert "n7  0:05" in kitchen
    assert "24" in kitchen
    assert "3.13" in kitchen
    assert "was lost" in cellar
    assert reason.strip() == "its connection was lost"
    assert attic.endswith("npulse is not installed there: pip install 'npulse[fleet]' on the board")
    # Where there is no room for the reasons, every board keeps its row.
    short = words(board_rows(BOARDS_RUN.boards, 80, 5)).splitlines()[2:]
    assert [line.split()[0] for line in short] == ["kitchen", "cellar", "attic"]
    assert "1 more boards" not in said
    # A command is folded rather than cut, where there is room.
    folded = words(board_rows(BOARDS_RUN.boards, 60, 20))
    assert "pip install" in folded
    assert folded.endswith("board")
    assert "2 more boards, 10 answered" in words(board_rows(BOARDS_RUN.boards, 80, 4))


def test_an_address_is_not_repeated_in_the_reason() -> None:
    board = Board(
        name="shed", address="ssh://shed", state="refused",
        sentence="ssh://shed was not reached: No route to host",
    )  # fmt: skip
    said = words(board_rows((BoardNow(board),), 80, 9))
    assert said.splitlines()[-1].split("  ")[-1].strip() == "No route to host"


def test_the_plan_names_the_board_that_is_asked() -> None:
    said = words(plan_rows(BOARDS_RUN, 38, 5, UNICODE)).splitlines()
    assert said[1].split() == ["now", "n7", "kitchen"]


def test_what_more_prompts_would_take_is_an_estimate() -> None:
    projections = [
        Projection(prompts=prompts, boards=boards, hours=prompts / 40 / boards)
        for prompts in (100, 5000)
        for boards in (1, 3)
    ]
    title, head, first, second = words(projection_rows(projections, 80)).splitlines()
    assert "expected" in title
    assert head.split() == ["prompts", "1", "board", "3", "boards"]
    assert first.split("~")[1].strip() == "2 h 30 min"
    assert second.startswith("    5,000")
    assert second.count("~") == 2
    assert projection_rows((), 80) == []
    assert all(row_width(row) <= 40 for row in projection_rows(projections, 40))


def test_the_newest_note_stands_at_the_bottom() -> None:
    rows = words(note_rows(BOARDS_RUN, 60, 3)).splitlines()
    assert rows[0].strip() == "notes"
    assert rows[-1].strip() == "cellar: its connection was lost"
