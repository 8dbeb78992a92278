"""The keys of a transcript that has the focus."""

from __future__ import annotations

from textual.binding import Binding

BINDINGS = (
    Binding("up", "scroll_rows(-1)", "a row up", show=False),
    Binding("down", "scroll_rows(1)", "a row down", show=False),
    Binding("pageup", "scroll_pages(-1)", "a page up", show=False),
    Binding("pagedown,space", "scroll_pages(1)", "a page down", show=False),
    Binding("home", "show_row(0)", "to the beginning", show=False),
    Binding("end", "show_end", "to the end, and follow it", show=False),
    Binding("t", "toggle_thinking", "thinking", tooltip="open or fold the thinking"),
    Binding("r", "toggle_raw", "plain", tooltip="plain text or formatted Markdown"),
    Binding("left_square_bracket", "jump_turn(-1)", "to the turn before", show=False),
    Binding(
        "right_square_bracket",
        "jump_turn(1)",
        "next turn",
        tooltip="to the next turn",
        key_display="]",
    ),
    Binding("left_curly_bracket", "jump_code(-1)", "to the code block before", show=False),
    Binding(
        "right_curly_bracket",
        "jump_code(1)",
        "next code",
        tooltip="to the next code block",
        key_display="}",
    ),
    Binding("slash", "search", "search", tooltip="search", key_display="/"),
    Binding("n", "search_step(1)", "next match", show=False),
    Binding("N,upper_n", "search_step(-1)", "match before", show=False),
    Binding("shift+up", "select_rows(-1)", "select a row up", show=False),
    Binding("shift+down", "select_rows(1)", "select a row down", show=False),
    Binding("y", "copy", "copy", tooltip="copy the selection, or the answer"),
    Binding("c", "copy_code", "copy code", tooltip="copy the code block"),
)
"""Those with ``show`` are the commands that a line of keys names."""
