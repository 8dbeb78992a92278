"""F6: what the connected server passes over is greyed out, with the reason in words."""

from __future__ import annotations

import pytest
from textual.widgets import Input, Static

from tests.screens.opened import Opened
from tests.screens.snapshot import picture
from tui.app.generation_rules import setting_notes, setting_problems
from tui.core.screen.setting_note import SettingNote
from tui.core.screen.setting_words import MEANINGS
from tui.core.text.glyphs import UNICODE
from tui.core.types import GenerationSettings
from tui.screens.settings import CHANGED, LOOPS_NOTE, NO_EFFECT, SettingsScreen
from tui.servers.connection_state import Server
from tui.servers.detect import KINDS


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (40, 24)])
@pytest.mark.parametrize("kind", ["rockchipllama", "orkllm", "rkllm-api-server", "ollama"])
async def test_ignored_settings_are_dim_and_the_reason_stands_below(
    kind: str, size: tuple[int, int]
) -> None:
    server = Server("http://127.0.0.1:1", KINDS[kind], KINDS[kind].name)

    def form() -> SettingsScreen:
        return SettingsScreen(
            GenerationSettings(),
            lambda settings: setting_problems(server, settings),
            setting_notes(server),
            UNICODE,
        )

    app = Opened(form)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        screen = app.screen
        said = " ".join(str(screen.query_one("#settings-notes", Static).content).split())
        dim = screen.query_one("#settings-notes", Static).styles.color
        for limit in server.dialect.limits:
            note = str(screen.query_one(f"#note-{limit.field}", Static).content)
            assert (note == NO_EFFECT) != limit.is_applied
            assert limit.is_applied or limit.note in said
            if limit.field != "is_thinking":
                field = screen.query_one(f"#{limit.field}", Input)
                assert (field.styles.color == dim) != limit.is_applied


def test_without_a_server_nothing_is_greyed_out() -> None:
    assert not any(note.is_ignored for note in setting_notes(None).values())


@pytest.mark.parametrize("size", [(40, 24), (60, 20), (80, 24)])
async def test_bounds_and_problems_are_whole_where_the_box_scrolls(size: tuple[int, int]) -> None:
    def form() -> SettingsScreen:
        return SettingsScreen(
            GenerationSettings(),
            lambda settings: setting_problems(None, settings),
            setting_notes(None),
            UNICODE,
        )

    app = Opened(form)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert "at least 1 " in picture(app.screen)
        assert LOOPS_NOTE in picture(app.screen)
        await pilot.press("end", *["backspace"] * 3, "9", "9")
        await pilot.pause()
        assert "temperature 99 is not accepted by" in picture(app.screen)
        await pilot.press("end", *["backspace"] * 2, "1")
        await pilot.pause()
        assert "not accepted" not in picture(app.screen)


async def test_the_meaning_of_the_field_stands_below_and_what_was_changed_is_marked() -> None:
    notes = {"top_k": SettingNote("any number", "not sent", is_ignored=True)}
    app = Opened(lambda: SettingsScreen(GenerationSettings(), lambda settings: (), notes, UNICODE))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert MEANINGS["temperature"] in picture(app.screen)
        assert "default 0.6" in picture(app.screen)
        assert marks(app) == set()
        await pilot.press("end", "1", "tab", "tab")
        await pilot.pause()
        assert f"{NO_EFFECT}: not sent" in " ".join(picture(app.screen).split())
        assert marks(app) == {"temperature"}
        await pilot.press("tab", "tab", "tab", "space", "tab", "space", "tab", "h")
        await pilot.pause()
        assert marks(app) == {"temperature", "is_thinking", "stops_loops", "system_prompt"}


def marks(app: Opened) -> set[str]:
    """The settings that are marked."""
    found = app.screen.query(".mark").results(Static)
    return {str(one.id).removeprefix("mark-") for one in found if str(one.content) == CHANGED}
