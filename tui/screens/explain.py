"""``?``: explains each figure of a screen by its value, source and formula."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from tui.core.screen.explanations import Explanation
from tui.core.screen.keymap import Place
from tui.core.screen.keys.explain import EXPLAIN, EXPLAINED_BACK
from tui.core.text.glyphs import Glyphs
from tui.screens.dialog import Dialog
from tui.widgets.chat.explained import explained_rows
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Row, Rows


class ExplainedRows(Rows):
    """What each figure is, folded to the width that there is."""

    def __init__(self, title: str, found: Sequence[Explanation], glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._title = title
        self._found = found

    def build(self, width: int) -> Sequence[Row]:
        head: Row = (("what the figures are", "strong"), (f"  {self._title}", "dim"))
        rows = explained_rows(self._found, width, self._glyphs)
        return [head, (), *(rows or [(("there is no figure yet", "dim"),)])]


class ExplainScreen(Dialog[None]):
    """The figures as they were when the key was pressed."""

    DEFAULT_CSS = """
    ExplainScreen > #explain-box { width: 110; }
    """
    AUTO_FOCUS = "#explain-box"
    BINDINGS: ClassVar[list[BindingType]] = bindings([EXPLAIN, EXPLAINED_BACK])
    HELP_PLACE: ClassVar[Place] = "help"
    HINTS = (HintOf("back", "explained.back"),)

    def __init__(self, title: str, found: Sequence[Explanation], glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._rows = ExplainedRows(title, found, glyphs)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="explain-box"):
            yield self._rows
        yield from self.compose_keys()

    def action_explain(self) -> None:
        """The key that opened it closes it."""
        self.action_back()
