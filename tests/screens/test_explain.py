"""``?`` on board, clients and results: every main figure with its source and formula."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.prepared_app import PreparedApp, appearance
from tests.screens.bench.prepared_results import PAST
from tests.waiting import until
from tests.widgets.rows_text import rows_text
from tui.screens.bench.page import BenchPage
from tui.screens.bench.result import BenchResultScreen
from tui.screens.explain import ExplainedRows, ExplainScreen

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("app.board", ("DDR clock", "Hz", "the width of its bus")),
        ("app.clients", ("TTFT", "at the tap", "sending the request")),
        ("app.bench", ("decode", "median of", "tN - t1", "MDC")),
    ],
)
async def test_the_figures_of_a_screen_are_explained(
    place: str, told: tuple[str, ...], tmp_path: Path
) -> None:
    app = PreparedApp(appearance(tmp_path))
    async with app.run_test(size=(110, 40)) as pilot:
        await app.run_action(place, app.screen)
        await until(lambda: app.screen is not app.dashboard)
        below = app.screen
        if isinstance(below, BenchPage):
            below.post_message(below.OpenResult(below, PAST[0].id))
            await until(lambda: isinstance(app.screen, BenchResultScreen))
            below = app.screen
        await pilot.pause()
        await pilot.press("question_mark")
        await until(lambda: isinstance(app.screen, ExplainScreen))

        def missing() -> list[str]:
            rows = app.screen.query_one(ExplainedRows).build(100)
            text = rows_text(rows)
            return [word for word in told if word not in text]

        await until(lambda: not missing(), shown=missing)
        await pilot.press("question_mark")
        await until(lambda: app.screen is below)
