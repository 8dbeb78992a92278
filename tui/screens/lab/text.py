"""The text of a prompt set, checked as it is saved."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.core.screen.keys.lab import SET_TEXT_KEYS
from tui.core.text.glyphs import Glyphs
from tui.screens.lab.page import LabData, LabPage
from tui.widgets.bench.parts import folded
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.fields import TextField
from tui.widgets.kit.rows import Row
from tui.widgets.kit.rows_panel import RowsPanel

MAX_PROBLEM_ROWS = 4


class LabTextScreen(LabPage):
    """A text field and, below it, one sentence for each mistake."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(SET_TEXT_KEYS)
    HINTS = (
        HintOf("check and save", "set.save"),
        HintOf("back", "set.back"),
        HintOf("help", "help"),
    )
    AUTO_FOCUS = "#text"
    DEFAULT_CSS = """
    LabTextScreen #title { height: 1; margin-top: 1; }
    LabTextScreen #text { height: 1fr; border: none; background: $background; }
    LabTextScreen #problems { height: 4; }
    """

    def __init__(self, data: LabData, glyphs: Glyphs, name: str) -> None:
        super().__init__(data, glyphs)
        self._set_name = name
        self._saved = ""
        self._problems: tuple[str, ...] = ()
        self._is_drop_asked = False

    def compose(self) -> ComposeResult:
        yield from self.compose_header()
        yield RowsPanel(self._title, self.glyphs, id="title")
        field = TextField(id="text", classes="ruled", show_line_numbers=True)
        field.cursor_blink = False
        yield field
        yield RowsPanel(self._mistakes, self.glyphs, id="problems", classes="ruled")
        yield from self.compose_keys()

    def on_mount(self) -> None:
        async def run() -> None:
            text = await self.ask(lambda: self.session.text_of(self._set_name))
            field = self.query_one(TextField)
            field.load_text(text or "")
            self._saved = field.text
            self.pull()

        self.run_worker(run(), group="read", exclusive=True)

    def _title(self, width: int, _: int) -> list[Row]:
        return [((f" {self._set_name}.toml", "strong"),)]

    def _mistakes(self, width: int, _: int) -> list[Row]:
        rows: list[Row] = [
            ((f" {line}", "warn"),)
            for sentence in self._problems
            for line in folded(sentence, width - 2)
        ]
        return rows[:MAX_PROBLEM_ROWS] or [((" mistakes in the set are listed here", "dim"),)]

    async def action_save(self) -> None:
        text = self.query_one(TextField).text
        self._problems = (
            await self.ask(lambda: self.session.problems_in(self._set_name, text)) or ()
        )
        refusal = await self.ask(lambda: self.session.save(self._set_name, text))
        if refusal is not None:
            self.say(refusal, "warn")
        else:
            self._saved = text
            count = len(self._problems)
            words = f"saved with {count} mistake{'s' if count > 1 else ''}" if count else "saved"
            self.say(words, "warn" if count else "soft")
        self.pull()

    def action_back(self) -> None:
        """What is not saved is dropped only when it was asked for twice."""
        if self.query_one(TextField).text != self._saved and not self._is_drop_asked:
            self._is_drop_asked = True
            keys = f"{self.key('set.save')} saves, {self.key('set.back')} again drops the changes"
            self.say(f"not saved: {keys}", "warn")
            return
        super().action_back()

    def on_text_area_changed(self) -> None:
        self._is_drop_asked = False
