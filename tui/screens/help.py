"""F1: every key, from the same table that binds them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import zip_longest
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.geometry import Size

from tui.core.screen.glossary import GLOSSARY
from tui.core.screen.keymap import Place, help_sections
from tui.core.screen.keys.forms import HELP_KEYS
from tui.core.text.glyphs import Glyphs
from tui.screens.dialog import Dialog
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Row, Rows, pad

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


class HelpScreen(Dialog[None]):
    """A list of keys and of what the figures mean."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(HELP_KEYS)
    HELP_PLACE: ClassVar[Place] = "help"
    HINTS = (HintOf("back", "help.back"),)

    def __init__(
        self, keymap: Mapping[str, str], version: str, glyphs: Glyphs, place: Place = "chat"
    ) -> None:
        super().__init__(glyphs)
        self._rows = HelpRows(keymap, version, glyphs, place)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help-box"):
            yield self._rows
        yield from self.compose_keys()


def help_rows(
    keymap: Mapping[str, str], version: str, place: Place = "chat", width: int = 74
) -> Sequence[Row]:
    """Title, the keys of every screen with those of ``place`` first, then the glossary."""
    rows: list[Row] = [(("npulse ", "live"), (version, "dim"))]
    for title, keys in help_sections(keymap, place):
        rows += [(), ((title, "strong"),), *_columns(keys, width)]
    return [*rows, (), (("words and figures", "strong"),), *_columns(GLOSSARY, width)]


def _columns(pairs: Sequence[tuple[str, str]], width: int) -> Iterator[Row]:
    """Keys at the left, words at the right; on a narrow screen the words stand below."""
    left = min(max(len(name) for name, _ in pairs) + 2, KEY_CELLS)
    if width - left < MIN_WORD_CELLS:
        for name, text in pairs:
            for line in textwrap.wrap(name, width):
                yield ((line, "key"),)
            for line in textwrap.wrap(text, max(width - 4, 8)):
                yield (("    ", "text"), (line, "text"))
        return
    for name, text in pairs:
        names = textwrap.wrap(name, left - 2)
        for head, line in zip_longest(names, textwrap.wrap(text, width - left), fillvalue=""):
            yield (*pad(((head, "key"),), left), (line, "text"))
