"""Text that means harm, through every door of the transcript."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from tests.core.hostile import HOSTILE, raw_controls
from tests.widgets.transcript.screen import TranscriptApp
from tui.widgets.transcript.transcript import Transcript

OURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z$]|\x1b\]22;[a-z-]*\x07|\x1b[=>]")


def check_rows(view: Transcript) -> None:
    """Every row of the view is exactly as wide as the view and holds nothing to obey."""
    for y in range(view.size.height):
        strip = view.painter.line(y)
        assert raw_controls(strip.text, newlines=False) == []
        assert strip.cell_length == cell_len(strip.text) == view.size.width
        assert all(not style.link for _, style, _ in strip if style)
        view.render_line(y)


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
async def test_nothing_hostile_reaches_the_terminal(name: str) -> None:
    hostile = HOSTILE[name]
    app = TranscriptApp(is_emulated=True)
    async with app.run_test(size=(70, 20)) as pilot:
        view = app.transcript
        view.set_notice([hostile, [(hostile, "live")]])
        await pilot.pause()
        check_rows(view)
        view.begin(hostile, label=hostile, model="one")
        view.live_turn.set_status(hostile, "warn")
        check_rows(view)
        view.append(hostile + "more", "thinking")
        check_rows(view)
        for char in (hostile[:300], hostile):
            view.append(char)
        for before in ("# ", "- ", "> ", "| a | b |\n|---|---|\n| ", "```\n", "`", "**", "[x]("):
            view.append(f"\n\n{before}{hostile}")
            check_rows(view)
        view.end(hostile, state="error", error=hostile, thinking_note=hostile)
        await pilot.pause()
        check_rows(view)
        view.begin("q", model=hostile)
        view.end("f")
        for _ in range(4):
            view.toggle_thinking()
            view.toggle_raw()
            for _ in range(3):
                view.scroll_rows(-9)
                check_rows(view)
            view.show_end()
        view.search(hostile[:50])
        view.search_step(1)
        check_rows(view)
        await pilot.pause()
        for data in app.output:
            rest = OURS.sub("", data)
            assert raw_controls(rest) == [], name


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_text_is_the_same_however_it_arrives(name: str) -> None:
    hostile = HOSTILE[name][:2000]
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)):
        view = app.transcript
        rows: list[list[str]] = []
        for pieces in ([hostile], list(hostile)):
            view.clear()
            view.begin("q")
            for start in range(0, len(pieces), 9):
                view.append("".join(pieces[start : start + 9]))
            view.end("f")
            view.show_row(0)
            rows.append([view.painter.line(y).text for y in range(20)])
        assert rows[0] == rows[1]
