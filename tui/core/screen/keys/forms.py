"""Keys of the models screen, the settings and the help."""

from __future__ import annotations

from tui.core.screen.keys.action import KeyAction

_FOUND = "next, previous of what was found"

MODELS_KEYS: tuple[KeyAction, ...] = (
    KeyAction("models.up", "up,k", "choose(-1)", "to the model above", "choose a model"),
    KeyAction("models.down", "down,j", "choose(1)", "to the model below", "choose a model"),
    KeyAction("models.use", "enter", "use", "use the model for the next answers"),
    KeyAction("models.load", "l", "load", "load the model; a loaded one is unloaded first"),
    KeyAction("models.unload", "u", "unload", "unload the model"),
    KeyAction("models.back", "escape", "back", "one step back; a load continues"),
)
"""Keys of the models screen (F2)."""

TOGGLE_KEYS: tuple[KeyAction, ...] = (
    KeyAction("settings.flip", "space,enter", "flip", "thinking on or off"),
)
"""Work while a switch of the settings has the focus."""

SETTINGS_SAVE = KeyAction("settings.save", "ctrl+s", "save", "save the settings")
SETTINGS_BACK = KeyAction("settings.back", "escape", "back", "back; the settings stay as they were")
SETTINGS_KEYS = (SETTINGS_SAVE, SETTINGS_BACK)
"""Keys of the settings (F6), besides the usual ones of a form."""

HELP_KEYS: tuple[KeyAction, ...] = (
    KeyAction("help.search", "slash", "search", "search keys and words"),
    KeyAction("help.next", "n", "step(1)", "to the next that was found", _FOUND),
    KeyAction("help.previous", "N", "step(-1)", "to the one found before", _FOUND),
    KeyAction("help.back", "escape,q", "back", "out of a search; then out of the help"),
)
"""Keys of the help (F1)."""
