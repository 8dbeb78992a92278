"""F1: every key, from the same table that binds them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.geometry import Size
from textual.screen import ModalScreen

from tui.core.screen.glossary import GLOSSARY
from tui.core.screen.key_names import shown_keys
from tui.core.screen.keys import BENCH_KEYS, BOARD_KEYS, DASHBOARD_KEYS, FIXED_KEYS, KeyAction
from tui.core.text.glyphs import Glyphs
from tui.widgets.chat.key_bar import KeyBar, KeyHint
from tui.widgets.kit.rows import Row, Rows, pad

Place = Literal["chat", "board", "bench"]
"""Where help was asked for."""

KEY_CELLS = 24
MIN_WORD_CELLS = 24


class HelpRows(Rows):
    """The text of the help, folded to the width that there is."""

    def __init__(
        self, keymap: Mapping[str, str], version: str, glyphs: Glyphs, place: Place
    ) -> None:
        super().__init__(glyphs)
        self._build = partial(help_rows, keymap, version, place)

    def build(self, width: int) -> Sequence[Row]:
        return self._build(width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.build(width))


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
        Binding("escape,q", "app.pop_screen", "back", show=False),
        # Rebound with the key that opens it.
        Binding("f1", "app.pop_screen", "back", show=False, id="help"),
    ]

    def __init__(
        self, keymap: Mapping[str, str], version: str, glyphs: Glyphs, place: Place = "chat"
    ) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._rows = HelpRows(keymap, version, glyphs, place)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help-box"):
            yield self._rows
        yield KeyBar([KeyHint("Esc", "back", "app.pop_screen")], self._glyphs)

    def on_key_bar_chosen(self, event: KeyBar.Chosen) -> None:
        self.app.pop_screen()


def help_rows(
    keymap: Mapping[str, str], version: str, place: Place = "chat", width: int = 74
) -> Sequence[Row]:
    """Title, the keys of every screen with those of ``place`` first, then the glossary."""
    chat = [*FIXED_KEYS, *key_lines(DASHBOARD_KEYS, keymap)]
    board, bench = (shown_keys(keymap.get(name, "")) or name for name in ("board", "bench"))
    parts: dict[Place, tuple[str, Sequence[tuple[str, str]]]] = {
        "chat": ("chat", chat),
        "board": (f"the board ({board})", key_lines(BOARD_KEYS, keymap)),
        "bench": (f"benchmarks ({bench})", BENCH_KEYS),
    }
    rows: list[Row] = [(("npulse ", "live"), (version, "dim"))]
    for name in sorted(parts, key=lambda name: name != place):
        title, keys = parts[name]
        rows += [(), ((title, "strong"),), *_columns(keys, width)]
    return [*rows, (), (("words and figures", "strong"),), *_columns(GLOSSARY, width)]


def key_lines(keys: Sequence[KeyAction], keymap: Mapping[str, str]) -> list[tuple[str, str]]:
    """Keys and text of each action; neighbours with one text share a line, with a key of each."""
    lines: list[tuple[str, str]] = []
    for text, group in groupby(keys, key=attrgetter("text")):
        bound = [keymap.get(key.action_id, key.keys) for key in group]
        names = bound if len(bound) == 1 else [names.split(",")[0] for names in bound]
        lines.append((shown_keys(",".join(names)), text))
    return lines


def _columns(pairs: Sequence[tuple[str, str]], width: int) -> Iterator[Row]:
    """Keys at the left, words at the right; on a narrow screen the words stand below."""
    left = min(max(len(name) for name, _ in pairs) + 2, KEY_CELLS)
    is_narrow = width - left < MIN_WORD_CELLS
    indent = 4 if is_narrow else left
    for name, text in pairs:
        lines = textwrap.wrap(text, max(width - indent, 8))
        if is_narrow:
            yield ((name, "key"),)
        for number, line in enumerate(lines):
            head = "" if is_narrow or number else name
            yield (*pad(((head, "key"),), indent), (line, "text"))
