"""A screen as a text file: what stands in its cells, and in which style."""

from __future__ import annotations

import string
import time
from itertools import chain
from pathlib import Path

from textual._context import visible_screen_stack
from textual.pilot import Pilot
from textual.screen import Screen

RENEW = "./dev test tests/screens/test_snapshots.py --update-snapshots"
FOLDER = Path(__file__).with_name("snapshots")
LIMIT_S = 20.0
LETTERS = string.ascii_letters + string.digits


def picture(screen: Screen[object]) -> str:
    """The cells, then a letter for the style of each cell, then what the letters mean."""
    letters: dict[str, str] = {}
    text_rows, style_rows = [], []
    visible_screen_stack.set(screen.app._background_screens)
    for strip in screen._compositor.render_strips():
        text, styles = "", ""
        for segment in strip:
            style = str(segment.style or "none").partition(" meta")[0]
            letter = letters.setdefault(style, LETTERS[len(letters) % len(LETTERS)])
            text += segment.text
            styles += letter * len(segment.text)
        text_rows.append(text.rstrip())
        style_rows.append(styles)
    legend = [f"{letter} {style}" for style, letter in letters.items()]
    return "\n".join(chain(text_rows, ["--"], style_rows, ["--"], legend)) + "\n"


async def assert_same(name: str, pilot: Pilot[None], is_update: bool) -> None:
    """The screen becomes as it is kept below that name; ``is_update`` keeps it as it is now."""
    path = FOLDER / f"{name}.txt"
    if is_update:
        await pilot.pause(0.5)
        FOLDER.mkdir(exist_ok=True)
        path.write_text(picture(pilot.app.screen), encoding="utf-8")
    assert path.exists(), f"no picture of {name}; {RENEW} takes it"
    kept = path.read_text(encoding="utf-8")
    end = time.monotonic() + LIMIT_S
    while picture(pilot.app.screen) != kept and time.monotonic() < end:
        await pilot.pause(0.05)
    now = picture(pilot.app.screen)
    assert now == kept, f"{name} has changed; meant? {RENEW}"
