"""Keys of the screen of all boards."""

from __future__ import annotations

from tui.core.screen.keys.action import KeyAction

_ROWS = "from board to board"

FLEET_KEYS: tuple[KeyAction, ...] = (
    KeyAction("fleet.up", "up,k", "choose(-1)", "to the board above", _ROWS),
    KeyAction("fleet.down", "down,j", "choose(1)", "to the board below", _ROWS),
    KeyAction("fleet.open", "enter", "open", "the dashboard of this board"),
    KeyAction("fleet.back", "escape", "back", "one step back"),
)
"""Keys of the fleet (F10)."""
