"""A text on a screen takes its keys from the table: one that is written by hand lies once the key
is bound anew."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TUI = Path(__file__).resolve().parents[3] / "tui"
ROOMS = ("app", "screens", "widgets", "core/screen", "bench/session", "lab", "timeline", "history")
KEY = re.compile(
    r"\b(?:(?:Ctrl|Alt|Shift)\+\w|F(?:[1-9]|1[0-2])\b|(?:Esc|Enter|Tab|PageUp|PageDown|End)\b)"
    r"|(?:^|[;,:] )[a-zA-Z] (?:again|brings|goes|opens|puts|resumes|shows|starts|stops)\b"
)
FIXED = {
    # Keys of a text field, which cannot be bound.
    ("core/screen/keys/chat.py", "End"),
    ("widgets/transcript/painter.py", "End"),
    ("screens/help.py", "Enter"),
    ("screens/history/list.py", "Enter"),
    ("screens/lab/judge.py", "a note for the next verdict; Enter keeps it"),
    # How a key is written.
    ("core/screen/key_names.py", "Esc"),
    ("core/screen/key_names.py", "PageUp"),
    ("core/screen/key_names.py", "PageDown"),
    ("widgets/chat/key_bar.py", "PageDown"),
}


def texts(path: Path) -> Iterator[str]:
    """Every text of a file but for its docstrings."""
    tree = ast.parse(path.read_text())
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


def test_no_text_names_a_key_by_hand() -> None:
    found = {
        (str(path.relative_to(TUI)), text)
        for room in ROOMS
        for path in (TUI / room).rglob("*.py")
        for text in texts(path)
        if KEY.search(text)
    }
    assert found == FIXED
