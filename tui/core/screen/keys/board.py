"""Keys of the board screen and the RAM calculator."""

from __future__ import annotations

from tui.core.screen.keys.action import PAGES, KeyAction
from tui.core.screen.keys.explain import EXPLAIN

BOARD_KEYS: tuple[KeyAction, ...] = (
    KeyAction(
        "board.cursor_before",
        "left",
        "point(-1)",
        "the crosshair to an earlier moment",
        "crosshair: every curve at one moment",
    ),
    KeyAction(
        "board.cursor_next",
        "right",
        "point(1)",
        "the crosshair to a later moment",
        "crosshair: every curve at one moment",
    ),
    KeyAction(
        "board.cursor_far_before",
        "shift+left",
        "point(-10)",
        "the crosshair ten columns back",
        "crosshair by ten columns",
    ),
    KeyAction(
        "board.cursor_far_next",
        "shift+right",
        "point(10)",
        "the crosshair ten columns forward",
        "crosshair by ten columns",
    ),
    KeyAction(
        "board.chart_before",
        "h",
        "step(-1)",
        "the previous chart",
        "another chart, where one is shown",
    ),
    KeyAction(
        "board.chart_next",
        "l",
        "step(1)",
        "the next chart",
        "another chart, where one is shown",
    ),
    KeyAction("board.zoom_in", "plus,equals_sign", "zoom(1)", "less time", "less or more time"),
    KeyAction("board.zoom_out", "minus", "zoom(-1)", "more time", "less or more time"),
    KeyAction("board.up", "up,k", "choose(-1)", "to the finding above", "from finding to finding"),
    KeyAction(
        "board.down", "down,j", "choose(1)", "to the finding below", "from finding to finding"
    ),
    KeyAction("board.open", "enter,space", "open", "open the finding: what was read, and its fix"),
    KeyAction("board.copy", "y", "copy", "copy its command"),
    KeyAction("board.fix", "f", "fix", "fix it: asks, changes it, and compares answers"),
    KeyAction("board.readings", "r", "readings", "every reading with its source; again: charts"),
    KeyAction("board.calculator", "c", "calculator", "what fits into RAM"),
    KeyAction("board.page_up", "pageup", "page(-1)", "a page up", PAGES),
    KeyAction("board.page_down", "pagedown", "page(1)", "a page down", PAGES),
    EXPLAIN,
    KeyAction("board.back", "escape", "back", "one step back"),
)
"""Keys of the board screen (F5)."""

RAM_FIELD_KEYS: tuple[KeyAction, ...] = (
    KeyAction(
        "ram.next",
        "tab,down",
        "app.focus_next",
        "to the next field",
        "from field to field",
    ),
    KeyAction(
        "ram.prev",
        "shift+tab,up",
        "app.focus_previous",
        "to the previous field",
        "from field to field",
    ),
)
"""Between the fields of the RAM calculator."""

RAM_KEYS: tuple[KeyAction, ...] = (
    KeyAction("ram.page_up", "pageup", "page(-1)", "a page up", PAGES),
    KeyAction("ram.page_down", "pagedown", "page(1)", "a page down", PAGES),
    KeyAction("ram.back", "escape", "back", "back to the board"),
)
"""Keys of the RAM calculator."""

FIX_KEYS: tuple[KeyAction, ...] = (
    KeyAction("fix.confirm", "y", "confirm", "yes: change it, then compare answers"),
    KeyAction("fix.undo", "u", "undo", "put back what was there before"),
    KeyAction("fix.card", "c", "card", "the result as a card for an issue or a forum"),
    KeyAction("fix.page_up", "pageup", "page(-1)", "a page up", PAGES),
    KeyAction("fix.page_down", "pagedown", "page(1)", "a page down", PAGES),
    KeyAction("fix.back", "escape", "back", "back to the board; a comparison is stopped first"),
)
"""Keys of a fix of the board."""
