"""Ctrl+P: what can be done on the screen below, found by typing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from tui.core.screen.commands import Command, FoundCommand, find
from tui.core.screen.keymap import Place
from tui.core.screen.keys.choice import CHOICE_BACK, CHOICE_LIST_KEYS
from tui.core.text.glyphs import Glyphs
from tui.screens.dialog import Dialog
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.choice_list import ChoiceLine, ChoiceList
from tui.widgets.kit.fields import LineField
from tui.widgets.kit.rows import Row, Span, cut, spread
from tui.widgets.kit.rows_panel import RowsPanel

MAX_KEY_CELLS = 16
"""Of several keys that take more, the first one is shown."""
NARROW = 50
"""Below, the first key only."""


class PaletteField(LineField):
    """What is searched for. The keys of the list work here, in the order in which they come."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(CHOICE_LIST_KEYS, has_priority=False)

    def __init__(self, choices: ChoiceList) -> None:
        super().__init__(compact=True, placeholder="type what you want to do, or its key")
        self._choices = choices

    def action_choose(self, step: int) -> None:
        self._choices.action_choose(step)

    def action_choose_page(self, step: int) -> None:
        self._choices.action_choose_page(step)

    def action_take(self) -> None:
        self._choices.action_take()


class PaletteScreen(Dialog[str | None]):
    """A field and the commands that it finds; gives the action of the chosen one."""

    DEFAULT_CSS = """
    PaletteScreen > #palette-box {
        width: 78; max-width: 96%; height: 84%; max-height: 34;
        background: $raised; border: round $edge; padding: 0 1;
    }
    PaletteScreen #palette-title { height: 1; background: $raised; }
    PaletteScreen #palette-line { height: 2; }
    PaletteScreen #palette-sign { width: 2; color: $live; }
    PaletteScreen PaletteField {
        width: 1fr; height: 1; border: none; padding: 0; background: $raised; color: $foreground;
        &:focus { border: none; }
    }
    """
    AUTO_FOCUS = "PaletteField"
    BINDINGS: ClassVar[list[BindingType]] = bindings([CHOICE_BACK])
    HELP_PLACE: ClassVar[Place] = "choice"
    HINTS = (
        HintOf("run", "choice.take"),
        HintOf("choose", "choice.up", "choice.down"),
        HintOf("back", "choice.back"),
    )

    def __init__(self, commands: Sequence[Command], glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._commands = commands
        self._query = ""
        self._found = find("", commands)
        self._list = ChoiceList(self._lines, glyphs, id="palette-list")
        self._list.can_focus = False
        self._field = PaletteField(self._list)

    def compose(self) -> ComposeResult:
        with Vertical(id="palette-box"):
            yield RowsPanel(self._title, self._glyphs, id="palette-title")
            with Horizontal(id="palette-line"):
                yield Static(f"{self._glyphs.prompt} ", id="palette-sign", markup=False)
                yield self._field
            yield self._list
        yield from self.compose_keys()

    def on_mount(self) -> None:
        self.call_after_refresh(self.show_hints)

    def _title(self, width: int, _: int) -> list[Row]:
        """What this is, and how many commands were found."""
        count = f"{len(self._found)} of {len(self._commands)}"
        return [spread((("commands", "strong"),), ((count, "dim"),), width)]

    def _lines(self, width: int) -> list[ChoiceLine]:
        """Every line of the list; what has been typed by now counts."""
        self._search()
        return command_lines(self._found, width, self._glyphs, is_grouped=not self._query.strip())

    def _search(self) -> None:
        if self._field.value != self._query:
            self._query = self._field.value
            self._found = find(self._query, self._commands)
            self._list.chosen = 0

    @on(Input.Changed)
    def _typed(self) -> None:
        self._list.choose(0)
        self.query_one("#palette-title", RowsPanel).refresh_rows()

    @on(ChoiceList.Taken)
    def _take(self, event: ChoiceList.Taken) -> None:
        self.dismiss(self._found[event.number].command.action_id)


def command_lines(
    found: Sequence[FoundCommand], width: int, glyphs: Glyphs, *, is_grouped: bool
) -> list[ChoiceLine]:
    """One line for each command, its key at the right; in groups, below the title of each."""
    if not found:
        return [ChoiceLine((("no command has these letters", "dim"),))]
    lines: list[ChoiceLine] = []
    group = ""
    for number, one in enumerate(found):
        if is_grouped and one.command.group != group:
            group = one.command.group
            lines += [ChoiceLine(())] if lines else []
            lines.append(ChoiceLine(((group, "strong"),)))
        lines.append(ChoiceLine(_command_row(one, width - 2, glyphs), number))
    return lines


def _command_row(one: FoundCommand, width: int, glyphs: Glyphs) -> Row:
    keys = one.command.keys
    if width < NARROW or len(keys) > MAX_KEY_CELLS:
        keys = keys.split(", ")[0]
    right: Row = ((keys, "key"),)
    return spread(cut(_marked(one), width - len(keys) - 1, glyphs), right, width)


def _marked(one: FoundCommand) -> Row:
    """The text with the letters that were asked for."""
    spans: list[Span] = []
    for at, char in enumerate(one.command.text):
        role = "live" if at in one.matched else "text"
        if spans and spans[-1][1] == role:
            spans[-1] = (spans[-1][0] + char, role)
        else:
            spans.append((char, role))
    return tuple(spans)
