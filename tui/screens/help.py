"""F1: every key, from the same table that binds them, and what the words and figures mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.geometry import Region, Size
from textual.widgets import Input, Static

from tui.core.screen.keymap import Place
from tui.core.screen.keys.forms import HELP_KEYS
from tui.core.text.glyphs import Glyphs
from tui.screens.dialog import Dialog
from tui.screens.help_text import HelpText
from tui.widgets.chat.key_bar import HintOf, KeyHint, key_hints
from tui.widgets.chat.message_line import MessageBar
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.fields import LineField
from tui.widgets.kit.grounds import GroundedRows
from tui.widgets.kit.rows import Row


class HelpRows(GroundedRows):
    """The text of the help at the width that there is, and what was found in it."""

    def __init__(self, text: HelpText, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._text = text
        self.found: list[int] = []
        """The entries that were searched for."""
        self.at = 0
        """Which of them is looked at."""

    def search(self, words: str) -> None:
        """Look at the first entry with these words; none without any."""
        self.found, self.at = self._text.find(words), 0
        self.refresh_rows()

    def step(self, by: int) -> None:
        """Look at the next entry that was found, after the last one at the first."""
        if self.found:
            self.at = (self.at + by) % len(self.found)
            self.refresh_rows()

    @property
    def row(self) -> int | None:
        """The row in which the entry that is looked at begins."""
        if not self.found:
            return None
        return self._text.lay_out(self.size.width).row_of[self.found[self.at]]

    def build(self, width: int) -> Sequence[Row]:
        grounds = dict.fromkeys(self.found, "selected")
        if self.found:
            grounds[self.found[self.at]] = "found"
        return self._text.lay_out(width, grounds).rows

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.build(width))


class HelpScreen(Dialog[None]):
    """Keys and words; one key searches in both."""

    DEFAULT_CSS = """
    HelpScreen > #help-box { width: 132; }
    HelpScreen #help-line { dock: bottom; height: 1; display: none; background: $raised; }
    HelpScreen #help-sign { width: 2; color: $live; }
    HelpScreen #help-count { width: auto; color: $soft; padding: 0 1; }
    HelpScreen #help-field {
        width: 1fr; height: 1; border: none; padding: 0; background: $raised; color: $foreground;
        &:focus { border: none; }
    }
    """
    AUTO_FOCUS = "#help-box"
    # None comes before the field, where their letters are typed.
    BINDINGS: ClassVar[list[BindingType]] = bindings(HELP_KEYS, has_priority=False)
    HELP_PLACE: ClassVar[Place] = "help"
    HINTS = (HintOf("search", "help.search"), HintOf("back", "help.back"))
    FOUND_HINTS = (
        HintOf("next", "help.next"),
        HintOf("before", "help.previous"),
        HintOf("search anew", "help.search"),
        HintOf("end of the search", "help.back"),
    )

    def __init__(
        self, keymap: Mapping[str, str], version: str, glyphs: Glyphs, place: Place = "chat"
    ) -> None:
        super().__init__(glyphs)
        self._rows = HelpRows(HelpText(keymap, version, place), glyphs)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help-box"):
            yield self._rows
            with Horizontal(id="help-line"):
                yield Static("/ ", id="help-sign", markup=False)
                yield LineField(compact=True, id="help-field", placeholder="a key or a word")
                yield Static("", id="help-count", markup=False)
        yield from self.compose_keys()

    # Searching ------------------------------------------------------------------------------

    @property
    def _field(self) -> LineField:
        return self.query_one("#help-field", LineField)

    @property
    def is_searching(self) -> bool:
        """Whether the line of the search is open."""
        return bool(self.query_one("#help-line").display)

    def action_search(self) -> None:
        """Type what to search for."""
        self.query_one("#help-line").display = True
        self._field.value = ""
        self._field.focus()
        enter = KeyHint("Enter", "to the matches", "focused.submit")
        back = key_hints(self, [HintOf("end of the search", "help.back")], is_typing=True)
        self.query_one(MessageBar).set_hints([enter, *back])

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._rows.search(event.value)
        self._show_found()

    @on(Input.Submitted)
    def _entered(self) -> None:
        """The keys go from match to match now."""
        if self._rows.found:
            self.set_focus(self.query_one("#help-box"))
            self.show_hints(self.FOUND_HINTS)
        elif not self._field.value:
            self._leave_search()

    def action_step(self, by: int) -> None:
        """The next of what was found, or the one before."""
        self._rows.step(by)
        self._show_found()

    def _show_found(self) -> None:
        rows, words = self._rows, self._field.value.strip()
        count = f"{rows.at + 1} of {len(rows.found)}" if rows.found else "not found"
        self.query_one("#help-count", Static).update(count if words else "")
        if rows.row is not None:
            box = self.query_one("#help-box", VerticalScroll)
            place = Region(0, rows.row, 1, 4)
            box.scroll_to_region(place, animate=False, center=True)

    def _leave_search(self) -> None:
        self.query_one("#help-line").display = False
        self._field.value = ""
        self._rows.search("")
        self.set_focus(self.query_one("#help-box"))
        self.show_hints()

    def action_back(self) -> None:
        """Out of the search, then out of the help."""
        if self.is_searching:
            self._leave_search()
        else:
            self.dismiss(None)

    def action_leave(self) -> None:
        """Out of the help with the key that opened it, also out of a search."""
        self.dismiss(None)
