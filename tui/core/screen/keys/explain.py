"""The key that explains the figures of a screen."""

from __future__ import annotations

from tui.core.screen.keys.action import KeyAction

EXPLAIN = KeyAction(
    "explain", "question_mark", "explain", "what the figures are: value, source, formula"
)
"""Works on the board, on the clients and on the results of a benchmark; once more: back."""
EXPLAINED_BACK = KeyAction("explained.back", "escape,q", "back", "back to the figures")
