"""The note below the prompt; a note about a server is shown once for each server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.core.turn.turn import Turn
    from tui.servers.connection_state import Server


class ChatNotes:
    """One sentence at a time; the newest stays."""

    def __init__(self) -> None:
        self._note: str | None = None
        self._flattening: set[str] = set()
        """Servers whose way with a conversation was told."""
        self._cumulative: set[str] = set()
        """Servers of which it was told that they send whole texts."""

    def take(self) -> str | None:
        """What is to be said, once."""
        note, self._note = self._note, None
        return note

    def say(self, note: str | None) -> None:
        """Say this at the next look."""
        self._note = note

    def asks(self, server: Server | None, *, has_past: bool) -> None:
        """A prompt goes to this server; ``has_past``: with something before it."""
        if server is None or server.url in self._flattening or not has_past:
            return
        self._flattening.add(server.url)
        from tui.servers.capabilities import flattening_note

        self._note = flattening_note(server.dialect)

    def ended(self, turn: Turn, server: Server | None) -> None:
        """An answer of this server is over."""
        if turn.is_cumulative and server is not None and server.url not in self._cumulative:
            self._cumulative.add(server.url)
            from tui.core.turn.turn_note import CUMULATIVE_NOTE

            self._note = CUMULATIVE_NOTE
