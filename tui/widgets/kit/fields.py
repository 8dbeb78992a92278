"""Text fields whose content is sanitised, however it is entered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.color import Color
from textual.document._edit import Edit
from textual.geometry import Size
from textual.reactive import Reactive
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, TextArea
from textual.widgets.text_area import EditResult

from tui.core.text.sanitize import clean


def bound_to(field: Widget, key: str) -> Sequence[Binding]:
    """What ``field`` itself binds to a key now."""
    bindings = field._bindings.copy()
    bindings.apply_keymap(field.app._keymap)
    return bindings.key_to_bindings.get(key, ())


async def take_at_once(field: Widget, event: events.Key) -> None:
    """Act on a key that ``field`` binds, such as Backspace, before its next key.

    Textual lets it rise to the app and come back as an action. Text typed right after it is
    inserted meanwhile, and the key then deletes that text.
    """
    for binding in bound_to(field, event.key):
        if not binding.priority and await field.app.run_action(binding.action, field):
            event.stop()
            event.prevent_default()
            return


UNDERLINED = Style(underline=True)


def outlined(strip: Strip, field: Widget) -> Strip:
    """A row of a field; underlined where the theme has sixteen colours or none, since the field's
    ground is then that of its surroundings."""
    is_plain = Color.parse(field.app.theme_variables["background"]).ansi is not None
    if not is_plain:
        return strip
    return strip.extend_cell_length(field.size.width).apply_style(UNDERLINED)


class LineField(Input):
    """One line of text. Its cursor does not blink: that would be a write twice a second."""

    # The library's own are the terminal's two, which are no colours of a theme of sixteen.
    DEFAULT_CSS = "LineField { &:ansi { background: $background; color: $foreground; } }"
    cursor_blink = False
    # The library lays the whole screen out for each letter. The field keeps its size; where that
    # follows the text, the field asks for a layout itself.
    virtual_size = Reactive(Size(0, 0))

    def validate_value(self, value: str) -> str:
        """Called by Textual for every new value."""
        return clean(value, newlines=False)

    def render_line(self, y: int) -> Strip:
        return outlined(super().render_line(y), self)

    async def _on_key(self, event: events.Key) -> None:
        # Textual calls the one of the base class after it, unless the key was taken.
        await take_at_once(self, event)

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        lines = clean(event.text).splitlines()
        if lines:
            self.replace(lines[0], *self.selection)


class TextField(TextArea):
    """Several lines of text."""

    async def _on_key(self, event: events.Key) -> None:
        # Textual calls the one of the base class after it, unless the key was taken.
        await take_at_once(self, event)

    def edit(self, edit: Edit) -> EditResult:
        """Apply an edit with its text cleaned."""
        return super().edit(replace(edit, text=clean(edit.text)))

    def _set_document(self, text: str, language: str | None) -> None:
        super()._set_document(clean(text), language)
