"""The panel of the last answers as rows."""

from __future__ import annotations

import time

from tests.widgets.rows_text import row_text
from tui.core.screen.last_answers import LastAnswer
from tui.core.text.glyphs import UNICODE
from tui.widgets.chat.answers import answer_rows, short_time
from tui.widgets.kit.rows import row_width

NOON_S = time.mktime((2026, 11, 27, 12, 0, 0, 0, 0, -1))


def test_a_slow_answer_has_a_sign_and_every_row_fits() -> None:
    asked_ms = round(NOON_S * 1000)
    rates = (3.14, 3.19, 1.62, 3.16)
    found = [LastAnswer(asked_ms, "a long prompt " * 9, "m", rate, False) for rate in rates]
    rows = answer_rows(found, 41, 5, UNICODE, NOON_S + 60)
    assert [row_width(row) for row in rows] == [41, 41, 41, 41, 0]
    assert row_text(rows[0]).startswith("12:00 a long")
    assert row_text(rows[0]).endswith("…    3.14")
    assert row_text(rows[2]).endswith(" ! 1.62")


def test_an_answer_that_was_cut_short_is_not_told_as_whole() -> None:
    cut = LastAnswer(0, "why", "m", 3.1, False, status="interrupted")
    whole = LastAnswer(0, "why", "m", 3.1, False, status="complete")
    rows = answer_rows([cut, whole], 41, 2, UNICODE, NOON_S)
    assert "interrupted" in row_text(rows[0])
    assert row_text(rows[1]).split()[-2:] == ["why", "3.10"]


def test_a_slow_answer_that_was_stopped_has_its_sign_at_the_rate() -> None:
    found = [LastAnswer(0, "why", "m", rate, True, status="stopped") for rate in (1.62, 3.1, 3.1)]
    rows = answer_rows(found, 41, 3, UNICODE, NOON_S)
    assert row_text(rows[0]).endswith("stopped ! ~1.62")
    assert row_text(rows[1]).endswith("stopped  ~3.10")


def test_the_chosen_one_has_a_sign_before_its_time() -> None:
    asked_ms = round(NOON_S * 1000)
    found = [LastAnswer(asked_ms, prompt, "m", 7.0, False) for prompt in ("one", "two")]
    rows = answer_rows(found, 41, 2, UNICODE, NOON_S, chosen=1)
    assert row_text(rows[0]).startswith("  12:00 one ")
    assert row_text(rows[1]).startswith("▸ 12:00 two ")
    assert [row_width(row) for row in rows] == [41, 41]


def test_a_day_is_told_as_one_reads_it() -> None:
    assert short_time(NOON_S - 86_400, NOON_S) == "yest."
    assert short_time(NOON_S - 3 * 86_400, NOON_S) == "11-24"
    assert short_time(1e300, NOON_S) == "–"
