"""Keys that enlarge the panels of the dashboard, and those of an enlarged panel."""

from __future__ import annotations

from tui.core.screen.keys.action import KeyAction

_ENLARGE = "enlarge a panel: speed, NPU, memory, board, answers"

PANEL_KEYS: tuple[KeyAction, ...] = (
    KeyAction("panel.speed", "alt+1", "panel('speed')", "enlarge the panel of the rate", _ENLARGE),
    KeyAction("panel.npu", "alt+2", "panel('npu')", "enlarge the panel of the NPU", _ENLARGE),
    KeyAction("panel.memory", "alt+3", "panel('memory')", "enlarge the panel of the RAM", _ENLARGE),
    KeyAction("panel.board", "alt+4", "panel('board')", "enlarge the panel of the board", _ENLARGE),
    KeyAction("panel.answers", "alt+5", "panel('answers')", "list the last answers", _ENLARGE),
)
"""Work on the dashboard, and on an enlarged panel: there the key of its own goes back."""

_MOVE = "scroll, or from answer to answer"

PANEL_SCREEN_KEYS: tuple[KeyAction, ...] = (
    *PANEL_KEYS,
    KeyAction("panel.up", "up,k", "move(-1)", "a row up", _MOVE),
    KeyAction("panel.down", "down,j", "move(1)", "a row down", _MOVE),
    KeyAction("panel.open", "enter", "open", "the timeline of the chosen answer"),
    KeyAction("panel.back", "escape", "back", "back to the chat"),
)
"""Work on an enlarged panel."""
