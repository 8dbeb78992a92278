"""The moving picture holds each element once, and shows it in the frames that it belongs to."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

from rich.console import Console
from rich.text import Text

from tests.moving_svg import Frame, moving_svg

SVG = "{http://www.w3.org/2000/svg}"


def frame(words: str) -> Frame:
    console = Console(record=True, width=20, height=3, file=io.StringIO(), force_terminal=True)
    console.print(Text("stays", "bold red"))
    console.print(Text(words, "green"))
    return Frame(console.export_svg(title="x", clear=False), 0.5)


def test_what_stays_is_there_once_and_what_changes_has_its_times() -> None:
    frames = [frame(words) for words in ("one two", "three", "one two", "a < b")]
    whole = moving_svg(frames)
    groups = list(ET.fromstring(whole).iter(f"{SVG}g"))[1:]
    shown = {}
    for group in groups:
        animate = group.find(f"{SVG}animate")
        for text in group.iter(f"{SVG}text"):
            times = None if animate is None else (animate.get("values"), animate.get("keyTimes"))
            assert text.text is not None
            shown[text.text.replace("\xa0", " ")] = times
    assert shown == {
        "stays": None,
        "one two": ("visible;hidden;visible;hidden", "0;0.25;0.5;0.75"),
        "three": ("hidden;visible;hidden", "0;0.25;0.5"),
        "a < b": ("hidden;visible", "0;0.75"),
    }
    assert set(re.findall(r'dur="([^"]*)"', whole)) == {"2.00s"}
