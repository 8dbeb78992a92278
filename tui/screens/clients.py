"""F9: requests of all clients of the server, and their speed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType

from tui.core.screen.headline import Headline
from tui.core.screen.keymap import Place
from tui.core.screen.keys.clients import CLIENTS_KEYS
from tui.core.screen.keys.table import closing
from tui.core.text.glyphs import Glyphs
from tui.history.clients_view import Clients, ClientsView
from tui.screens.page import Page
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.clients.rows import clients_rows, title_row
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.grounds import GroundedRows
from tui.widgets.kit.rows import Row
from tui.widgets.kit.rows_panel import RowsPanel

LOOK_S = 1.0


class ClientsPanel(GroundedRows, can_focus=True):
    """The screen's rows, as many as fit."""

    DEFAULT_CSS = "ClientsPanel { height: 1fr; }"

    def __init__(self, screen: ClientsScreen) -> None:
        super().__init__(screen.glyphs, id="panel")
        self._of = screen

    def build(self, width: int) -> Sequence[Row]:
        size = (width, self.size.height)
        now_ms = time.time_ns() // 1_000_000
        return clients_rows(self._of.view, self._of.chosen, size, now_ms, self._glyphs)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._of.action_choose(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._of.action_choose(-1)


class ClientsScreen(Page):
    """Reads the clients once a second while it is open, in a worker thread."""

    BINDINGS: ClassVar[list[BindingType]] = bindings([closing("clients"), *CLIENTS_KEYS])
    HELP_PLACE: ClassVar[Place] = "clients"
    HINTS = (
        HintOf("request", "clients.up", "clients.down"),
        HintOf("newest", "clients.home"),
        HintOf("explain", "explain"),
        HintOf("back", "clients.back"),
        HintOf("help", "help"),
    )

    def __init__(self, clients: Clients, headline: Callable[[], Headline], glyphs: Glyphs) -> None:
        super().__init__(headline, glyphs)
        self._clients = clients
        self.view = ClientsView(is_read=False)
        self.chosen = 0
        """The number of the chosen request among ``view.newest``."""
        self._is_looking = False

    def compose(self) -> ComposeResult:
        yield from self.compose_header()
        yield RowsPanel(lambda w, _: [title_row(self.view, w)], self.glyphs, id="title")
        yield ClientsPanel(self)
        yield from self.compose_keys()

    def on_mount(self) -> None:
        self.query_one(ClientsPanel).focus()
        self.set_interval(LOOK_S, self.look)
        self.call_later(self.look)

    async def look(self) -> None:
        """Reads and draws the present state; skipped while the last read runs."""
        if self._is_looking or self.is_covered:
            return
        self._is_looking = True
        try:
            view = await asyncio.to_thread(self._clients.look)
        finally:
            self._is_looking = False
        chosen = self._chosen_id
        self.view = view
        ids = [one.id for one in view.newest]
        if chosen in ids and self.chosen:
            self.chosen = ids.index(chosen)
        self.chosen = max(0, min(self.chosen, len(ids) - 1))
        if self.is_attached:
            self.draw_rows()

    @property
    def _chosen_id(self) -> int | None:
        newest = self.view.newest
        return newest[self.chosen].id if self.chosen < len(newest) else None

    def action_choose(self, step: int) -> None:
        self.chosen = max(0, min(self.chosen + step, len(self.view.newest) - 1))
        self.draw_rows()

    def action_page(self, step: int) -> None:
        self.action_choose(step * max(self.size.height // 2, 1))

    def action_newest(self) -> None:
        self.action_choose(-self.chosen)

    def action_explain(self) -> None:
        """The figures of the chosen request: as exact as they are known, and where from."""
        from tui.screens.explain import ExplainScreen
        from tui.widgets.clients.explained import request_figures

        newest = self.view.newest
        found = request_figures(newest[self.chosen]) if self.chosen < len(newest) else []
        self.app.push_screen(ExplainScreen("of the chosen request", found, self.glyphs))
