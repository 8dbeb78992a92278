"""A panel of the dashboard over the whole screen."""

from __future__ import annotations

import pytest
from textual.app import App
from textual.pilot import Pilot

from tests.screens.opened import Opened
from tests.screens.prepared_chat import dashboard, dashboard_at_work
from tests.screens.snapshot import picture
from tui.core.screen.explanations import PANELS, reading_explanations, speed_explanations
from tui.core.screen.glossary import GLOSSARY
from tui.screens.dashboard import Dashboard
from tui.screens.panel import PanelScreen
from tui.widgets.chat.prompt import Prompt
from tui.widgets.chat.speed import SpeedPanel

WORDS = {
    "speed": ("TTFT", "measured by npulse at the socket", "time to first token"),
    "npu": ("NPU load", "/sys/kernel/debug/rknpu/load", "rknpu_ondemand"),
    "memory": ("RAM", "free", "pressure"),
    "board": ("DDR", "heat", "/sys/class/devfreq/dmc/cur_freq"),
    "answers": ("answers", "none yet"),
}


async def shown(pilot: Pilot[None]) -> str:
    await pilot.pause()
    await pilot.pause()
    return picture(pilot.app.screen).partition("\n--\n")[0]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 10)], ids=["wide", "usual", "least"])
async def test_each_panel_opens_by_its_key_and_the_same_key_goes_back(
    size: tuple[int, int],
) -> None:
    app: App[None] = Opened(dashboard_at_work)
    async with app.run_test(size=size) as pilot:
        await pilot.press("h", "i", "enter")
        for number, name in enumerate(PANELS, 1):
            await pilot.press(f"alt+{number}")
            text = await shown(pilot)
            screen = app.screen
            assert isinstance(screen, PanelScreen)
            assert screen.panel == name
            if size == (120, 40):
                assert [word for word in WORDS[name] if word not in text] == []
        await pilot.press("alt+5")
        assert isinstance(app.screen, Dashboard)
        await pilot.press("alt+1", "escape")
        assert isinstance(app.screen, Dashboard)


async def test_a_number_is_text_in_the_prompt() -> None:
    app: App[None] = Opened(dashboard)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("1", "2")
        assert app.screen.query_one(Prompt).whole_text == "12"


async def test_a_click_on_a_panel_opens_it() -> None:
    app: App[None] = Opened(dashboard)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "Alt+1" in await shown(pilot)
        await pilot.click(SpeedPanel, (5, 1))
        await pilot.pause()
        assert isinstance(app.screen, PanelScreen)


def test_a_formula_is_one_of_the_glossary() -> None:
    screen = dashboard_at_work()
    backend = screen._backend
    backend.chat.ask("why")
    turn = backend.chat.turn
    assert turn is not None
    found = speed_explanations(turn.stats(backend.clock_ns()))
    for name in PANELS:
        found += reading_explanations(name, backend.board.history.latest)
    meanings = {meaning for _, meaning in GLOSSARY}
    assert {one.formula for one in found} - {""} <= meanings
    assert {"tok/s", "TTFT", "prefill", "governor", "pressure"} <= {one.name for one in found}
    assert all(one.source for one in found)
