"""Bindings of a screen or widget, made from the table of keys."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding, BindingType

from tui.core.screen.keys.action import KeyAction


def bindings(keys: Iterable[KeyAction], *, has_priority: bool = True) -> list[BindingType]:
    """A binding for each action; its id is the name by which the app's keymap binds it anew.

    With priority it comes before what has the focus, and overtakes what was typed before it.
    """
    return [
        Binding(key.keys, key.action, key.text, id=key.action_id, show=False, priority=has_priority)
        for key in keys
    ]
