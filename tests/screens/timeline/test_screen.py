"""The timeline screen in several sizes: what stands where, and what its keys and the mouse do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.app.prepared_app import PreparedApp, appearance
from tests.screens.timeline.made import PROMPT, THROTTLED, S, sources, timeline, times_ms
from tests.waiting import until
from tests.widgets.rows_text import rows_text
from tui.core.text.glyphs import ASCII, UNICODE, Glyphs
from tui.screens.timeline import TimelineData, TimelineScreen
from tui.timeline.record import Timeline
from tui.widgets.kit.rows import Rows
from tui.widgets.timeline.canvas import TimelineCanvas


def text_of(rows: Rows) -> str:
    return rows_text(rows._rows)


def lit(screen: TimelineScreen, *grounds: str) -> str:
    """The words that stand on one of these grounds."""
    rows = screen.query_one("#words", Rows)._rows
    return "".join(part for row in rows for part, role in row if role.partition("/")[2] in grounds)


@asynccontextmanager
async def shown(
    tmp_path: Any, *found: Timeline, size: tuple[int, int] = (120, 40), glyphs: Glyphs = UNICODE
) -> AsyncIterator[tuple[Pilot[int], TimelineScreen]]:
    app = PreparedApp(appearance(tmp_path))
    copied: list[str] = []

    def copy(text: str, what: str) -> str:
        copied.append(text)
        return f"copied {what}"

    async with app.run_test(size=size) as pilot:
        data = TimelineData(app.prepared.headline, copy, sources(*found))
        screen = TimelineScreen(data, glyphs)
        screen.copied = copied  # type: ignore[attr-defined]
        await app.push_screen(screen)
        await until(lambda: screen.view is not None)
        await pilot.pause()
        yield pilot, screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
async def test_every_size_has_curves_phases_and_words(
    tmp_path: Any, size: tuple[int, int], glyphs: Glyphs
) -> None:
    async with shown(tmp_path, timeline(), size=size, glyphs=glyphs) as (_, screen):
        canvas = screen.query_one(TimelineCanvas)
        curves = text_of(canvas)
        assert all(len(line) <= size[0] for line in curves.split("\n"))
        assert "rate" in curves
        assert "NPU" in curves
        assert size[0] < 100 or "thinking" in curves
        assert "answer" in curves
        assert "throttled" in curves
        assert canvas.shown_charts >= (2 if size[0] == 80 else 5)
        assert PROMPT in text_of(screen.query_one("#title", Rows))
        # It begins at the first trouble, and says why.
        assert "throttled at 81" in text_of(screen.query_one("#cursor", Rows))
        assert text_of(screen.query_one("#words", Rows)).strip()


@pytest.mark.slow
async def test_the_crosshair_lights_the_token_at_its_place(tmp_path: Any) -> None:
    one = timeline()
    async with shown(tmp_path, one) as (pilot, screen):
        view = screen.view
        assert view is not None
        await pilot.press("home", "right")
        while view.chunk is None:
            await pilot.press("right")
        seen = []
        for number in range(len(one.chunks)):
            assert view.chunk == number
            words = lit(screen, "token")
            if one.words(number, number + 1).strip():
                assert words.strip() == one.words(number, number + 1).strip()
            seen.append(words)
            await pilot.press("right")
        await pilot.press("left")
        assert view.chunk == len(one.chunks) - 2


async def test_words_troubles_zoom_selection_and_copy(tmp_path: Any) -> None:
    one = timeline()
    async with shown(tmp_path, one) as (pilot, screen):
        view = screen.view
        assert view is not None
        await pilot.press("home", "t")
        begin_ns = times_ms(100)[THROTTLED.start] * 1_000_000
        assert begin_ns <= view.cursor_ns <= begin_ns + S
        await pilot.press("plus", "plus")
        low, high = view.bounds()
        assert high - low < (one.end_ns - one.start_ns) / 3
        assert low <= view.cursor_ns <= high
        await pilot.press("0", "v", "shift+right", "shift+right")
        assert view.selection is not None
        assert "tok/s" in text_of(screen.query_one("#cursor", Rows))
        await pilot.press("y")
        chunks = view.selection.chunks
        assert screen.copied == [one.words(chunks.start, chunks.stop)]  # type: ignore[attr-defined]
        await pilot.press("escape")
        assert not view.is_selecting
        assert pilot.app.screen is screen


async def test_a_click_on_a_word_shows_when_it_was_written(tmp_path: Any) -> None:
    one = timeline()
    async with shown(tmp_path, one) as (pilot, screen):
        await pilot.click("#words", offset=(14, 1))
        view = screen.view
        assert view is not None
        assert view.chunk is not None
        assert lit(screen, "token").strip()
        await pilot.click("#curves", offset=(40, 3))
        assert view.cursor_ns > 0


async def test_two_answers_on_one_axis(tmp_path: Any) -> None:
    async with shown(tmp_path, timeline(rate=2.0), timeline()) as (pilot, screen):
        view = screen.view
        assert view is not None
        await pilot.press("c")
        await until(lambda: view.other is not None)
        assert "compared with" in text_of(screen.query_one("#title", Rows))
        await pilot.press("a")
        assert view.unit == "token"
        await pilot.press("right", "plus", "a", "c")
        await pilot.pause()
        assert view.other is None
