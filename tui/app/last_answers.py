"""The last answers and conversations: from the history, and of this run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tui.core.screen.last_answers import LastAnswer
from tui.core.text.sanitize import clean_line

if TYPE_CHECKING:
    from tui.core.turn.turn import Turn
    from tui.core.turn.turn_stats import TurnStats
    from tui.history.browser import HistoryBrowser
    from tui.history.records import ConversationRow

MOST = 40
MAX_PROMPT_CHARS = 120
SAME_MS = 2_000
"""The same prompt asked within this time is the same answer: here and in the history."""


class LastAnswers:
    """Called in the app's thread, but for :meth:`read`, which waits for the disk."""

    def __init__(self, history: Callable[[], HistoryBrowser | None]) -> None:
        """``history`` gives None where nothing is kept."""
        self._history = history
        self._stored: list[LastAnswer] = []
        self._own: list[LastAnswer] = []
        """Answers of this process, newest first."""
        self._ended: Turn | None = None
        self.conversations: Sequence[ConversationRow] = ()

    @property
    def answers(self) -> Sequence[LastAnswer]:
        """The newest first."""
        return (*self._own, *self._stored)

    def read(self) -> tuple[list[LastAnswer], list[ConversationRow]]:
        """What is stored; empty where nothing can be read: the history screen says why."""
        history = self._history()
        if history is None or not history.is_there:
            return [], []
        from tui.history.failures import HistoryError

        try:
            return history.latest(MOST)
        except (HistoryError, OSError):
            return [], []

    def show(self, stored: tuple[list[LastAnswer], list[ConversationRow]]) -> None:
        """Takes what was read; answers of this process stay in front."""
        self._stored, self.conversations = stored
        self._own = [one for one in self._own if self.number_of(one) is None]

    def number_of(self, answer: LastAnswer) -> int | None:
        """Its id in the history; None where that was not read to have it."""
        if answer.number is not None or answer.asked_ms is None:
            return answer.number
        for one in self._stored:
            is_near = abs((one.asked_ms or 0) - answer.asked_ms) < SAME_MS
            if is_near and one.prompt == answer.prompt:
                return one.number
        return None

    def ended(self, turn: Turn, now_ns: int) -> None:
        """Adds a finished answer; one that failed before its first token is left out."""
        stats = turn.stats(now_ns)
        if turn is self._ended or not stats.tokens:
            return
        self._ended = turn
        asked_ms = time.time_ns() // 1_000_000 - round(stats.elapsed_s * 1000)
        self._own = [last_answer(turn, stats, asked_ms), *self._own][:MOST]


def last_answer(turn: Turn, stats: TurnStats, asked_ms: int | None) -> LastAnswer:
    """An answer that is over, with its numbers; ``asked_ms``: ms since 1970."""
    return LastAnswer(
        asked_ms=asked_ms,
        prompt=clean_line(turn.prompt[:MAX_PROMPT_CHARS]),
        model=turn.model or None,
        rate_tps=stats.decode_tps,
        is_estimated=stats.decode_source not in ("measured", "runtime"),
        status=turn.status,
    )
