"""Draws the cached frame while the framework loads."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import sys
from pathlib import Path

from tui import __version__
from tui.app.terminal.early_screen import EarlyScreen, has_foreground
from tui.app.terminal.known_frame import (
    FrameRows,
    Size,
    frame_file,
    frame_text,
    keep_frame,
    outline,
    read_frame,
    stamp_of,
)
from tui.core.screen.colours import ColourAnswer, choose_depth, is_to_be_asked
from tui.core.text.glyphs import choose
from tui.settings.folders import cache_folder, config_folder, state_folder

KEY = "api_key"
"""The option that is a secret."""
DEFAULT_THEME = "npulse-dark"
_PLAIN_URL = re.compile(r"http://[A-Za-z0-9.-]+(?::(?:[1-5]?\d{1,4}))?/?")
VARIABLES = (
    "TERM", "COLORTERM", "LANG", "LC_ALL", "LC_CTYPE", "PYTHONUTF8", "FORCE_COLOR", "TZ",
)  # fmt: skip
"""What changes the picture beside the variables of npulse and of the framework."""


class Launch:
    """The first frame of one start: drawn early where it is known, kept for the next one."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        columns, height = shutil.get_terminal_size()
        self._size: Size = columns, height
        self._theme = options.theme or _chosen_theme()
        self._depth = choose_depth(options.colors or "auto", os.environ).depth
        self._file = frame_file(cache_folder(), self._size, self._look())
        self.screen: EarlyScreen | None = None
        """The terminal while it is held; None where nothing was drawn."""
        self._known: FrameRows | None = None
        self._can_draw = has_foreground() and not os.environ.get("NO_COLOR")

    def draw_known(self) -> None:
        """Draw the frame of an earlier start like this one; where there was none, the outline, if
        nothing was given that could be a mistake."""
        if self._can_draw:
            self._known = read_frame(self._file, self._size)
            self._draw(self._known)
            if self._is_plain():
                self.draw_outline()

    def draw_outline(self) -> None:
        """Draw what every start has, unless a frame stands there, or the user's settings may have
        changed it. To be called when the options are known to be sound."""
        if not self._can_draw or self.screen is not None or not self._has_defaults():
            return
        self._draw(outline(self._theme, self._depth, self._size))

    @property
    def answer(self) -> ColourAnswer:
        """What the terminal has said of its colours by now."""
        return ColourAnswer() if self.screen is None else self.screen.answer

    def close(self) -> None:
        """Give the terminal back where nobody has taken it over."""
        if self.screen is not None:
            self.screen.leave()

    def keep(self, rows: FrameRows) -> None:
        """Keep the first frame that was drawn for the next start like this one."""
        if len(rows) != self._size[1] or not all(rows):
            return
        text = frame_text(rows)
        if self._known is None or frame_text(self._known) != text:
            with contextlib.suppress(OSError):  # the next start is drawn later, and no worse
                keep_frame(self._file, text)

    def _draw(self, rows: FrameRows | None) -> None:
        if rows is not None:
            is_asking = is_to_be_asked(self._options.colors or "auto", os.environ)
            screen = EarlyScreen(rows, self._size, is_asking=is_asking)
            self.screen = screen if screen.open() else None

    def _look(self) -> list[object]:
        """Cache key: everything that changes the first frame."""
        options, env = self._options, os.environ
        named = [
            name
            for name in sorted(env)
            if name.startswith(("NPULSE_", "TEXTUAL")) and name != "NPULSE_SERVER__API_KEY"
        ]
        files = [config_folder() / "config.toml", config_folder() / "themes"]
        if options.config is not None:
            files.append(Path(options.config).expanduser())
        return [
            __version__,
            self._theme,
            self._depth,
            sorted((name, repr(value)) for name, value in vars(options).items() if name != KEY),
            sys.stdout.encoding,
            [(name, env.get(name)) for name in (*VARIABLES, *named)],
            [stamp_of(path) for path in files],
        ]

    def _is_plain(self) -> bool:
        """Whether the options need no further check: a mistake is told without a screen."""
        options = self._options
        is_url = options.url is None or _PLAIN_URL.fullmatch(options.url) is not None
        is_root = options.root is None or Path(options.root).is_dir()
        return is_url and is_root

    def _has_defaults(self) -> bool:
        """Whether header, prompt and keys look as they come: no settings, or none of them there."""
        options = self._options
        if (
            options.config is not None
            or options.ascii
            or options.attach is not None
            or options.board
        ):
            return False
        if (config_folder() / "config.toml").exists():
            return False
        if any(name.startswith(("NPULSE_UI__", "NPULSE_KEYS__")) for name in os.environ):
            return False
        encoding, is_utf8_mode = sys.stdout.encoding or "", bool(sys.flags.utf8_mode)
        return not choose(os.environ, encoding, is_utf8_mode=is_utf8_mode).is_ascii


def _chosen_theme() -> str:
    """The theme that was chosen in the dashboard, without the checks that come later."""
    try:
        found = json.loads((state_folder() / "state.json").read_bytes())
        return str(found["choices"]["ui.theme"]["value"])
    except (OSError, ValueError, LookupError, TypeError):
        return DEFAULT_THEME
