"""Keys of the screen of the clients."""

from __future__ import annotations

from tui.core.screen.keys.action import PAGES, KeyAction
from tui.core.screen.keys.explain import EXPLAIN

_ROWS = "from request to request"

CLIENTS_KEYS: tuple[KeyAction, ...] = (
    KeyAction("clients.up", "up,k", "choose(-1)", "to the request above", _ROWS),
    KeyAction("clients.down", "down,j", "choose(1)", "to the request below", _ROWS),
    KeyAction("clients.page_up", "pageup", "page(-1)", "a page up", PAGES),
    KeyAction("clients.page_down", "pagedown", "page(1)", "a page down", PAGES),
    KeyAction("clients.home", "home", "newest", "to the newest request"),
    EXPLAIN,
    KeyAction("clients.back", "escape", "back", "one step back"),
)
"""Keys of the clients (F9)."""
