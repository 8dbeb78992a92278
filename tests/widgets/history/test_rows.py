"""One line of F4: what it says of numbers, dates and the end of the newest answer."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from rich.cells import cell_len

from tui.core.text.glyphs import UNICODE
from tui.history.records import ConversationRow
from tui.widgets.history.rows import entry_row, shown_time

NOW_MS = int(time.time() * 1000)
ROW = ConversationRow(
    id=1,
    uid="u",
    title="a title",
    created_ms=NOW_MS,
    updated_ms=NOW_MS,
    model="m",
    turns=2,
    tokens=120,
    decode_tps=3.14,
    first_line="a title",
)


def line(row: ConversationRow, width: int = 80) -> str:
    cells = entry_row(row, width, UNICODE, is_chosen=False, is_marked=False)
    return "".join(text for text, _ in cells)


def test_an_estimate_carries_its_mark() -> None:
    assert "  120    3.14  a title" in line(ROW)
    rough = replace(ROW, is_tokens_estimated=True, is_decode_estimated=True)
    assert " ~120   ~3.14  a title" in line(rough)
    assert "–       –  a title" in line(
        replace(rough, tokens=0, decode_tps=None, is_decode_estimated=False)
    )


@pytest.mark.parametrize(("status", "word"), [("stopped", "stopped"), ("error", "failed")])
def test_an_answer_that_is_not_whole_is_told(status: str, word: str) -> None:
    assert word in line(replace(ROW, status=status))  # type: ignore[arg-type]
    assert line(replace(ROW, status="complete")).rstrip().endswith("a title")
    assert "running" in line(replace(ROW, is_running=True, status="running"))


def test_a_date_of_another_year_has_its_year_at_any_width() -> None:
    old_ms = 1_700_000_000_000
    assert shown_time(old_ms, has_year=False).startswith("2023-11-1")
    assert len(shown_time(old_ms, has_year=False)) == len(shown_time(NOW_MS, has_year=False))
    assert line(replace(ROW, updated_ms=10**20)).count("–") >= 1


def test_what_does_not_fit_is_cut_with_a_sign_and_the_edge_stays_free() -> None:
    long = replace(ROW, title="a long title " * 9)
    assert line(long).endswith("…")
    assert cell_len(line(long)) == 79
    running = line(replace(long, is_running=True))
    assert running.endswith("…  running")
    assert cell_len(running) == 79
