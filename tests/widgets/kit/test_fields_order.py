"""Keys of one burst take effect in their order, whatever kind they are."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.containers import Vertical

from tests.idle import until_idle
from tui.widgets.kit.fields import LineField, TextField

BURSTS = [
    (("a", "b", "backspace", "c"), "ac"),
    (("b", "left", "a", "end", "c"), "abc"),
    (("x", "y", "home", "ctrl+k", "z"), "z"),
    (("a", "b", "home", "delete", "c"), "cb"),
    (("x", "backspace", "backspace", "3", "3"), "33"),
]


class Form(App[None]):
    """One of each, some containers deep: keys that a field does not take rise through them."""

    def compose(self) -> ComposeResult:
        with Vertical(), Vertical(), Vertical():
            yield LineField()
            yield TextField()


def pressed(app: App[None], keys: tuple[str, ...]) -> None:
    """As the driver does: all at once, nothing is waited for."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


@pytest.mark.parametrize(("keys", "text"), BURSTS)
@pytest.mark.parametrize("name", ["line", "text"])
async def test_a_burst_is_taken_in_order(name: str, keys: tuple[str, ...], text: str) -> None:
    app = Form()
    async with app.run_test() as pilot:
        line, area = app.query_one(LineField), app.query_one(TextField)
        (line if name == "line" else area).focus()
        await pilot.pause()
        pressed(app, keys)
        for _ in range(20):
            await until_idle()
        assert (line.value if name == "line" else area.text) == text
