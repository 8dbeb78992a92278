"""Writes ``tui/app/terminal/outlines.json``, the rows that every start shows, from the app itself.

``python -m tests.app.terminal.outlines`` after a change of header, prompt, keys or themes.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.app.npulse import environment
from tui.app.start import build
from tui.app.terminal.known_frame import OUTLINES, frame_text
from tui.cli import dashboard_parser
from tui.core.screen.colours import ColourDepth
from tui.widgets.kit.terminal_cells import TerminalCells

THEMES = ("npulse-dark", "npulse-light", "npulse-high-contrast", "npulse-16")
DEPTHS: tuple[ColourDepth, ...] = ("truecolor", "256", "16")
WIDTHS = {"wide": 240, "narrow": 99}
HEIGHT = 30
BOTTOM_ROWS = 3
"""Rule, prompt, keys."""


async def outlines() -> dict[str, Any]:
    """Theme -> depth -> width -> the rows of a start without settings and without a server."""
    found: dict[str, Any] = {}
    for theme in THEMES:
        found[theme] = {depth: {} for depth in DEPTHS}
        for name, width in WIDTHS.items():
            for depth in DEPTHS:
                found[theme][depth][name] = await _outline(theme, depth, width)
    return found


async def _outline(theme: str, depth: ColourDepth, width: int) -> dict[str, Any]:
    run = build(dashboard_parser().parse_args(["--theme", theme, "--colors", depth]))
    with patch.object(type(run.app), "_start", lambda app: None):
        async with run.app.run_test(size=(width, HEIGHT)) as pilot:
            await pilot.pause()
            found = _rows(run.app)
    run.backend.close()
    return found


def _rows(app: Any) -> dict[str, Any]:
    update = app.screen._compositor.render_update(full=True)
    cells = TerminalCells()
    cells.changes(update, app.size, app.sgr)
    rows = json.loads(frame_text(cells.shown()))
    return {"top": rows[:1], "bottom": rows[-BOTTOM_ROWS:], "blank": rows[HEIGHT // 2][0][1]}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        env = {k: v for k, v in environment(Path(folder)).items() if v is not None}
        with patch.dict("os.environ", {**env, "LANG": "C.UTF-8", "TERM": "xterm-256color"}):
            found = asyncio.run(outlines())
    themes = ",\n".join(
        f"{json.dumps(theme)}:{json.dumps(depths, ensure_ascii=False, separators=(',', ':'))}"
        for theme, depths in found.items()
    )
    OUTLINES.write_text(f"{{\n{themes}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
