"""Fields that take text: whatever is typed, pasted or set, only what a terminal may be shown."""

from __future__ import annotations

from dataclasses import replace

from textual import events
from textual.document._edit import Edit
from textual.widgets import Input, TextArea
from textual.widgets.text_area import EditResult

from tui.core.text.sanitize import clean


class LineField(Input):
    """One line of text. Its cursor does not blink: that would be a write twice a second."""

    cursor_blink = False

    def validate_value(self, value: str) -> str:
        """Called by Textual for every new value."""
        return clean(value, newlines=False)

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        lines = clean(event.text).splitlines()
        if lines:
            self.replace(lines[0], *self.selection)


class TextField(TextArea):
    """Several lines of text."""

    def edit(self, edit: Edit) -> EditResult:
        """Apply an edit with its text cleaned."""
        return super().edit(replace(edit, text=clean(edit.text)))

    def _set_document(self, text: str, language: str | None) -> None:
        super()._set_document(clean(text), language)
