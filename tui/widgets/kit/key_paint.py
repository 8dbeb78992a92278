"""Paints the effect of a key at once instead of with the next frame."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from textual.events import Idle

from tui.widgets.kit.lean_app import LeanApp

if TYPE_CHECKING:
    from textual.screen import Screen

KEY_S = 0.05
"""What changes so soon after a key is its effect."""


def paint_effect_of_key(screen: Screen[Any], event: Idle) -> None:
    """Paint a screen that has nothing left to do, where a key came just before; Textual's own
    handler of ``event`` would wait for the next frame, and then is not called."""
    app = screen.app
    if not isinstance(app, LeanApp) or not 0 < monotonic() - app.pressed_at_s < KEY_S:
        return
    if screen._dirty_widgets and screen.is_current and not app._batch_count:
        # What is painted now may be the answer's next words, and the letter still on its way.
        if screen.focused is None or screen.focused in screen._dirty_widgets:
            app.pressed_at_s = 0.0
        event.prevent_default()
        screen._on_timer_update()
