"""F1: every key, from the same table that binds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from tui.core.glyphs import Glyphs
from tui.core.keys import DASHBOARD_KEYS, FIXED_KEYS, KeyAction
from tui.widgets.key_bar import KeyBar, KeyHint
from tui.widgets.rows import Row, Rows, pad

SOURCES: tuple[tuple[str, str], ...] = (
    ("~", "an estimate: derived, not counted"),
    ("–", "not known; the reason stands beside it or in npulse board"),
    ("tok/s", "tokens after the first, by the time between first and last"),
    ("TTFT", "from sending the request to its first text, at the socket"),
    ("p50/p99", "gap between tokens: half, and 99 of 100, are shorter"),
    ("prefill", "prompt tokens by the time until the first text"),
)


class HelpScreen(ModalScreen[None]):
    """A list of keys and of what the figures mean."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen #help-box {
        width: 78; max-width: 96%; height: auto; max-height: 90%;
        background: $raised; padding: 1 2;
    }
    HelpScreen KeyBar { dock: bottom; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q", "app.pop_screen", "back", show=False)
    ]

    def __init__(self, keymap: Mapping[str, str], version: str, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._keymap = keymap
        self._version = version

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help-box"):
            rows = Rows(self._glyphs)
            rows.show(help_rows(self._keymap, self._version))
            yield rows
        yield KeyBar([KeyHint("Esc", "back", "app.pop_screen")], self._glyphs)

    def on_key_bar_chosen(self, event: KeyBar.Chosen) -> None:
        self.app.pop_screen()


def key_names(key: KeyAction, keymap: Mapping[str, str]) -> str:
    """The keys of an action as they are written, rebound or not."""
    keys = keymap.get(key.action_id, key.keys)
    return ", ".join(key_name(name.strip()) for name in keys.split(","))


def key_name(key: str) -> str:
    """``ctrl+shift+a`` as Ctrl+Shift+A, ``escape`` as Esc."""
    words = {"escape": "Esc", "ctrl": "Ctrl", "alt": "Alt", "shift": "Shift", "pageup": "PageUp"}
    return "+".join(
        words.get(part, part.upper() if len(part) <= 3 else part.capitalize())
        for part in key.split("+")
    )


def help_rows(keymap: Mapping[str, str], version: str) -> Sequence[Row]:
    """Title, keys, then what the figures mean."""
    rows: list[Row] = [(("npulse ", "live"), (version, "dim")), ()]
    for name, text in FIXED_KEYS:
        rows.append((*pad(((name, "key"),), 26), (text, "text")))
    rows += [
        (*pad(((key_names(key, keymap), "key"),), 26), (key.text, "text")) for key in DASHBOARD_KEYS
    ]
    rows += [(), (("figures", "strong"),)]
    rows += [(*pad(((name, "key"),), 26), (text, "text")) for name, text in SOURCES]
    return rows
