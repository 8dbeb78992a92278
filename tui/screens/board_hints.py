"""The bottom line of the board screen: wide, narrow, and among the readings."""

from __future__ import annotations

from tui.widgets.chat.key_bar import KeyHint

WIDE_HINTS = (
    KeyHint("Esc", "back", "back"),
    KeyHint("+ -", "time", "zoom(1)"),
    KeyHint("Up Down", "finding", "choose(1)"),
    KeyHint("Enter", "open", "open"),
    KeyHint("y", "copy command", "copy"),
    KeyHint("r", "readings", "readings"),
    KeyHint("c", "what fits", "calculator"),
)
NARROW_HINTS = (
    KeyHint("Esc", "back", "back"),
    KeyHint("←→", "chart", "step(1)"),
    KeyHint("+-", "time", "zoom(1)"),
    KeyHint("Enter", "why", "open"),
    KeyHint("r", "readings", "readings"),
    KeyHint("c", "RAM", "calculator"),
    KeyHint("PgDn", "more", "page(1)"),
)

READING_HINTS = (
    KeyHint("Esc", "back", "back"),
    KeyHint("Up Down", "scroll", "choose(1)"),
    KeyHint("PgDn", "page", "page(1)"),
    KeyHint("r", "charts", "readings"),
    KeyHint("c", "what fits", "calculator"),
)
