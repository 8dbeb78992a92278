"""No field shows what a terminal would obey, and there are no other fields."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual import events
from textual.app import App, ComposeResult

import tui
from tui.widgets.kit.fields import LineField, TextField

FOREIGN = "a\x9b2Jb\u202ec\x1b]0;title\x07d"
FORBIDDEN = set("\x1b\x07\x9b\u202e")


class Fields(App[None]):
    def compose(self) -> ComposeResult:
        yield LineField(FOREIGN, id="line")
        yield TextField(FOREIGN, id="text")


@pytest.mark.parametrize("way", ["set", "paste", "clipboard", "load"])
async def test_whatever_comes_in_is_clean(way: str) -> None:
    app = Fields()
    async with app.run_test() as pilot:
        line, text = app.query_one(LineField), app.query_one(TextField)
        if way == "paste":
            line.post_message(events.Paste(FOREIGN))
            text.post_message(events.Paste(FOREIGN))
        elif way == "clipboard":
            app._clipboard = FOREIGN
            line.action_paste()
            text.action_paste()
        elif way == "load":
            line.value = FOREIGN
            text.text = FOREIGN
        await pilot.pause()
        for value in (line.value, text.text):
            assert "d" in value
            assert not set(value) & FORBIDDEN


def test_no_other_field_of_textual_is_used() -> None:
    others = [
        path.name
        for path in Path(tui.__file__).parent.rglob("*.py")
        if path.name != "fields.py"
        and re.search(
            r"\b(?<!\.)(?:Input|TextArea|MaskedInput)\(|class \w+\((?:Input|TextArea)",
            path.read_text(encoding="utf-8"),
        )
    ]
    assert others == []
