"""Signals the progress and end of answers to a terminal that is not in focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.core.expect.wait_words import WORDS
from tui.core.screen.attention import Attention, done_words

if TYPE_CHECKING:
    from tui.app.backend import Backend
    from tui.core.turn.turn import Turn

SIGNAL_S = 1.0
"""How often :meth:`AnswerSignals.tell` is to be called."""


class AnswerSignals:
    """Called in the app's thread."""

    def __init__(self, attention: Attention, backend: Backend) -> None:
        self._attention = attention
        self._backend = backend
        self._told: Turn | None = None
        """The answer whose end was signalled."""

    def focus(self, has_focus: bool) -> None:
        """The terminal has got the focus, or lost it."""
        turn = self._backend.chat.turn
        if turn is not None and turn.phase.is_over:
            # Whoever looks away now has seen its end.
            self._told = turn
        self._attention.focus(has_focus)

    def tell(self) -> None:
        """Signals the answer's progress, or its end."""
        chat = self._backend.chat
        turn = chat.turn
        if turn is None or turn is self._told:
            return
        if turn.phase.is_over:
            self._told = turn
            self._attention.done(done_words(turn.model, turn.status))
        elif self._attention.needs_progress:
            view = chat.outlook(turn.stats(self._backend.clock_ns()))
            if view is not None:
                self._attention.show(view.share, WORDS[view.awaited])
