"""F10: all boards of the config, those with something wrong first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from tui.core.screen.fleet import BoardRow, FleetWatch
from tui.core.screen.headline import Headline
from tui.core.screen.keymap import Place
from tui.core.screen.keys.fleet import FLEET_KEYS
from tui.core.screen.keys.table import closing
from tui.core.text.glyphs import Glyphs
from tui.screens.page import Page
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.fleet.rows import fleet_rows, title_row
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.grounds import GroundedRows
from tui.widgets.kit.rows import Row
from tui.widgets.kit.rows_panel import RowsPanel

LOOK_S = 1.0


class FleetPanel(GroundedRows, can_focus=True):
    """One board per line."""

    DEFAULT_CSS = "FleetPanel { height: 1fr; }"

    def __init__(self, screen: FleetScreen) -> None:
        super().__init__(screen.glyphs, id="panel")
        self._of = screen

    def build(self, width: int) -> Sequence[Row]:
        size = (width, self.size.height)
        return fleet_rows(self._of.boards, self._of.chosen, size, self._glyphs)

    def on_click(self, event: events.Click) -> None:
        self._of.choose_line(event.y - 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._of.action_choose(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._of.action_choose(-1)


class FleetScreen(Page):
    """Reads the boards as long as it is open."""

    BINDINGS: ClassVar[list[BindingType]] = bindings([closing("fleet"), *FLEET_KEYS])
    HELP_PLACE: ClassVar[Place] = "fleet"
    HINTS = (
        HintOf("board", "fleet.up", "fleet.down"),
        HintOf("open", "fleet.open"),
        HintOf("back", "fleet.back"),
        HintOf("help", "help"),
    )

    @dataclass
    class Open(Message):
        """The dashboard of a board is wanted."""

        page: FleetScreen
        name: str

    def __init__(
        self,
        fleet: FleetWatch,
        headline: Callable[[], Headline],
        glyphs: Glyphs,
        work: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """``work``: what a benchmark of many boards has each of them do, in words; by name."""
        super().__init__(headline, glyphs)
        self._fleet = fleet
        self._work = work
        self.boards = self._rows()
        self.chosen = 0

    def compose(self) -> ComposeResult:
        yield from self.compose_header()
        yield RowsPanel(lambda w, _: [title_row(self.boards, w)], self.glyphs, id="title")
        yield FleetPanel(self)
        yield from self.compose_keys()

    def on_mount(self) -> None:
        self._fleet.start()
        self.query_one(FleetPanel).focus()
        self.set_interval(LOOK_S, self.look)

    def on_unmount(self) -> None:
        self.app.run_worker(self._fleet.close, thread=True, exit_on_error=False)

    def look(self) -> None:
        """Draws the present rows; the chosen board stays chosen where the order changes."""
        if self.is_covered:
            return
        name = self.boards[self.chosen].name if self.boards else ""
        self.boards = self._rows()
        names = [row.name for row in self.boards]
        if name in names:
            self.chosen = names.index(name)
        self.draw_rows()

    def _rows(self) -> tuple[BoardRow, ...]:
        work = self._work()
        return tuple(replace(row, work=work.get(row.name, "")) for row in self._fleet.rows())

    def choose_line(self, line: int) -> None:
        """The board in that line below the head; a second click opens it."""
        if 0 <= line < len(self.boards):
            if line == self.chosen:
                self.action_open()
            self.action_choose(line - self.chosen)

    def action_choose(self, step: int) -> None:
        self.chosen = max(0, min(self.chosen + step, len(self.boards) - 1))
        self.draw_rows()

    def action_open(self) -> None:
        if self.boards:
            self.post_message(self.Open(self, self.boards[self.chosen].name))
