"""An app that writes only changed cells to the terminal."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App, ReturnType
from textual.events import Event, Key, Paste, Resize
from textual.screen import Screen

from tui.core.screen.colours import ColourDepth
from tui.widgets.kit.sgr import Sgr, color_system, depth_of
from tui.widgets.kit.terminal_cells import TerminalCells

if TYPE_CHECKING:
    from rich.console import RenderableType


SYNC_START, SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
ATOMIC_CHARS = 256
"""Shorter frames are read by the terminal at once, and need no synchronisation marks."""


class LeanApp(App[ReturnType], inherit_bindings=False):
    """Textual's app, which compares each update with what the terminal shows already.

    A driver that takes the terminal over anew calls ``cells.forget()`` first.
    """

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self.cells = TerminalCells()
        self._is_held = False
        self.pressed_at_s = 0.0
        """When the last key came, by ``time.monotonic``, until its effect was painted. Not named
        ``key_s``: Textual takes ``key_*`` for what to call with that key."""
        self.sgr = Sgr(depth_of(self.console))

    @property
    def colour_depth(self) -> ColourDepth:
        """How many colours are written."""
        return self.sgr.depth

    def set_colour_depth(self, depth: ColourDepth) -> None:
        """Write so many colours from the next update on. The themes are for the app to change."""
        if depth != self.sgr.depth:
            self.sgr = Sgr(depth)
            self.console._color_system = color_system(depth)
        self.no_color = depth == "none"

    async def on_event(self, event: Event) -> None:
        if isinstance(event, (Key, Paste)):
            self.pressed_at_s = monotonic()
        if isinstance(event, Resize):
            self.cells.resized(event.size)
        await super().on_event(event)

    def hold_painting(self, is_held: bool) -> None:
        """Paint nothing from now on, or again: then what has changed since is painted as one."""
        if is_held == self._is_held:
            return
        self._is_held = is_held
        if is_held:
            self._begin_batch()
        else:
            self._end_batch()
            for screen in (self.screen, *self._background_screens):
                screen.check_idle()

    def _write_frame(self, text: str) -> None:
        """In one piece: each write wakes the thread that writes."""
        if self._driver is not None:
            if self._sync_available and len(text) > ATOMIC_CHARS:
                text = f"{SYNC_START}{text}{SYNC_END}"
            self._driver.write(text)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Write an update of the screen."""
        is_written = self._running and not self._closed and not self._batch_count
        if (
            isinstance(renderable, (LayoutUpdate, ChopsUpdate))
            and is_written
            and not (self.is_headless or self.is_inline)
        ):
            text = self.cells.changes(renderable, self.size, self.sgr)
            place = self.screen.outer_size.clamp_offset(self.cursor_position)
            if text or place != self._previous_cursor_position:
                self._previous_cursor_position = place
                self._write_frame(text + self.cells.cursor_to(place.y, place.x))
            return
        super()._display(screen, renderable)
