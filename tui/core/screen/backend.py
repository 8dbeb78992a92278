"""Protocols of the application for the dashboard and the board screen; implemented in
:mod:`tui.app.backend`.

These are Protocols, for the import contracts keep clients, readers of the board and settings out of
what draws. Every call returns at once, and everything is called in the app's thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from tui.core.board.history import BoardHistory
from tui.core.screen.chat import Chat
from tui.core.screen.headline import Headline

if TYPE_CHECKING:
    from tui.core.board.board_facts import BoardFacts
    from tui.core.board.load_facts import LoadFacts


class Board(Protocol):
    """The board: recent history and derived facts."""

    @property
    def history(self) -> BoardHistory:
        """The snapshots of the last minutes."""

    @property
    def facts(self) -> BoardFacts | None:
        """What follows from them; None before the first snapshot."""

    @property
    def load(self) -> LoadFacts | None:
        """What the runtime logged when it loaded the model; None where nobody could read it."""


class ScreenBackend(Protocol):
    """The parts of the application that these screens show, and what stands at their top."""

    @property
    def chat(self) -> Chat: ...

    @property
    def board(self) -> Board: ...

    def headline(self) -> Headline:
        """The top line as of now."""

    def notice(self, keymap: Mapping[str, str]) -> Sequence[str]:
        """Lines for an empty transcript: what was looked for, and what to type. ``keymap`` has the
        keys of each action."""

    def connect(self, url: str) -> str | None:
        """Use the server at this address from now on. Returns None, or one sentence why not."""

    def start_demo(self) -> str | None:
        """Start the simulated board, where no server answers. Returns None, or why not."""

    def clock_ns(self) -> int:
        """``perf_counter_ns``, by which answers and snapshots are stamped."""
