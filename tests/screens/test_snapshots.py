"""Pictures of the screens, so that a change of what is drawn is seen in review.

``./dev test tests/screens/test_snapshots.py --update-snapshots`` takes them anew. Data, clock,
theme and size are prepared, so a picture depends on the code alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.app import App
from textual.screen import Screen
from textual.scrollbar import ScrollBar, ScrollBarRender

from tests.screens.bench.prepared import RUN, VIEW
from tests.screens.bench.prepared import Prepared as PreparedBench
from tests.screens.bench.prepared_results import PAST
from tests.screens.board.prepared import prepared
from tests.screens.board.shown import Shown
from tests.screens.headline import HEADLINE
from tests.screens.lab.prepared import PreparedLab
from tests.screens.opened import Opened
from tests.screens.prepared_chat import (
    dashboard,
    dashboard_at_work,
    dashboard_without_server,
    help_screen,
    models_screen,
    settings_screen,
)
from tests.screens.snapshot import assert_same
from tests.screens.timeline.made import timeline
from tui.core.text.glyphs import UNICODE
from tui.screens.bench.chooser import BenchScreen
from tui.screens.bench.compare import BenchCompareScreen
from tui.screens.bench.live import BenchLiveScreen
from tui.screens.bench.page import BenchData
from tui.screens.bench.result import BenchResultScreen
from tui.screens.lab.matrix import LabMatrixScreen
from tui.screens.lab.page import LabData
from tui.screens.timeline import TimelineData, TimelineScreen
from tui.timeline.source import TimelineSource
from tui.widgets.transcript.transcript import Transcript

PROMPT = ("w", "h", "y", "space", "b", "l", "u", "e", "question_mark", "enter")


def board(name: str) -> Callable[[], App[None]]:
    return lambda: Shown(prepared(name))


def alone(make: Callable[[], Screen[Any]]) -> Callable[[], App[None]]:
    return lambda: Opened(make)


def bench(*, is_running: bool = False) -> BenchData:
    view = replace(VIEW, run=RUN) if is_running else VIEW
    return BenchData(PreparedBench(view), lambda: HEADLINE)


def lab_matrix() -> LabMatrixScreen:
    return LabMatrixScreen(
        LabData(PreparedLab(), lambda: HEADLINE, lambda text, what: what), UNICODE
    )


def timeline_screen() -> TimelineScreen:
    # As one that runs it is read at once, and stands still: the answer is over.
    source = TimelineSource("why", timeline, is_live=True)
    return TimelineScreen(
        TimelineData(lambda: HEADLINE, lambda text, what: what, [source]), UNICODE
    )


SCREENS: dict[str, tuple[Callable[[], App[None]], tuple[str, ...]]] = {
    "bench-chooser": (alone(lambda: BenchScreen(bench(), UNICODE)), ()),
    "bench-compare": (
        alone(lambda: BenchCompareScreen(bench(), UNICODE, PAST[1].id, PAST[0].id)),
        (),
    ),
    "bench-live": (alone(lambda: BenchLiveScreen(bench(is_running=True), UNICODE)), ()),
    "bench-result": (alone(lambda: BenchResultScreen(bench(), UNICODE, PAST[0].id)), ()),
    "board": (board("whole"), ()),
    "board-no-driver": (board("no driver"), ()),
    "board-readings": (board("whole"), ("r",)),
    "dashboard-idle": (alone(dashboard), ()),
    "dashboard-no-server": (alone(dashboard_without_server), ()),
    "dashboard-streaming": (alone(dashboard_at_work), PROMPT),
    "help": (alone(help_screen), ()),
    "lab-matrix": (alone(lab_matrix), ("down",)),
    "models": (alone(models_screen), ("down",)),
    "ram-calculator": (board("whole"), ("c",)),
    "settings": (alone(settings_screen), ()),
    "timeline": (alone(timeline_screen), ()),
}
"""How each screen is opened: the app, and the keys that are pressed in it."""


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
@pytest.mark.parametrize("name", SCREENS)
async def test_the_screen_is_as_it_was(
    name: str, size: tuple[int, int], pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An app in ASCII draws the bars of the whole process its way.
    monkeypatch.setattr(ScrollBar, "renderer", ScrollBarRender)
    make, keys = SCREENS[name]
    app = make()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for transcript in app.screen.query(Transcript):
            # Before an answer runs its lexer is waited for, and its code has its colours at once.
            transcript._turn_list.mode.lexers.get("python")
        await pilot.press(*keys)
        await pilot.pause()
        columns, rows = size
        is_update = bool(pytestconfig.getoption("--update-snapshots"))
        await assert_same(f"{name}-{columns}x{rows}", pilot, is_update)
