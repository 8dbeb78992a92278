"""Keys of the lists that open over a screen: the command palette and the themes."""

from __future__ import annotations

from tui.core.screen.keys.action import PAGES, KeyAction

_CHOOSE = "choose in the list"

CHOICE_LIST_KEYS: tuple[KeyAction, ...] = (
    KeyAction("choice.up", "up", "choose(-1)", "to the line above", _CHOOSE),
    KeyAction("choice.down", "down", "choose(1)", "to the line below", _CHOOSE),
    KeyAction("choice.page_up", "pageup", "choose_page(-1)", "a page up", PAGES),
    KeyAction("choice.page_down", "pagedown", "choose_page(1)", "a page down", PAGES),
    KeyAction("choice.take", "enter", "take", "run the command, keep the theme"),
)
"""Work where the list has the focus, or the field above it: they never overtake what is typed."""

CHOICE_BACK = KeyAction("choice.back", "escape", "back", "back; nothing is run or changed")

CHOICE_KEYS = (*CHOICE_LIST_KEYS, CHOICE_BACK)
