"""Signals an answer's progress and end to a terminal that is not in focus.

Nothing is written while the terminal has the focus, as far as it reports that, and everything is
taken back at the end: progress, title.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tui.core.screen.terminal_signals import (
    NO_PROGRESS,
    POP_TITLE,
    PUSH_TITLE,
    Signal,
    notification,
    passed_on,
    tab_progress,
    window_title,
)
from tui.core.types import TurnStatus

NAME = "npulse"
STATUS_WORDS: dict[TurnStatus, str] = {
    "complete": "answered",
    "empty": "gave an empty answer",
    "stopped": "was stopped",
    "interrupted": "was interrupted",
    "refused": "refused the prompt",
    "error": "failed",
}


def done_words(model: str, status: TurnStatus | None) -> str:
    """``qwen3-4b answered``: how an answer ended."""
    return f"{model or 'the model'} {STATUS_WORDS[status or 'interrupted']}"


class Attention:
    """``write`` sends a sequence to the terminal. ``env`` are the variables of the process."""

    def __init__(
        self,
        signals: frozenset[Signal],
        write: Callable[[str], object],
        env: Mapping[str, str],
        *,
        has_focus: bool = True,
    ) -> None:
        self._signals = signals
        self._write = write
        self._env = env
        self._has_focus = has_focus
        self._progress = ""
        self._title = ""

    @property
    def is_wanted(self) -> bool:
        """Whether anything was asked for at all."""
        return bool(self._signals)

    @property
    def needs_progress(self) -> bool:
        """Whether :meth:`show` would write anything now."""
        return not self._has_focus and not self._signals.isdisjoint(("progress", "title"))

    def focus(self, has_focus: bool) -> None:
        """The terminal reports whether it has the focus."""
        self._has_focus = has_focus
        if has_focus:
            self.clear()

    def show(self, share: float | None, words: str) -> None:
        """An answer is under way: ``share`` of it is done (None: not known), ``words`` say what it
        does. Writes only what is new."""
        if self._has_focus:
            return
        if "progress" in self._signals:
            sequence = tab_progress(share)
            if sequence != self._progress:
                self._send(sequence)
                self._progress = sequence
        if "title" in self._signals:
            percent = "" if share is None else f"{share * 100:.0f} % "
            self._show_title(f"{percent}{words} - {NAME}")

    def done(self, words: str) -> None:
        """An answer is over; ``words`` say how."""
        self.clear_progress()
        if self._has_focus:
            return
        for kind in sorted(self._signals):
            sequence = notification(kind, NAME, words)
            if sequence:
                self._send(sequence)
        if "title" in self._signals:
            self._show_title(f"{words} - {NAME}")

    def clear(self) -> None:
        """Clears all signals."""
        self.clear_progress()
        if self._title:
            # Where there is no stack of titles, an empty one is better than an old one.
            self._send(window_title("") + POP_TITLE)
            self._title = ""

    def clear_progress(self) -> None:
        """Clears the progress in the tab."""
        if self._progress:
            self._send(NO_PROGRESS)
            self._progress = ""

    @property
    def undo(self) -> str:
        """Sequences that clear all signals, for an end that cannot call :meth:`clear`."""
        progress = passed_on(NO_PROGRESS, self._env) if self._progress else ""
        return progress + (window_title("") + POP_TITLE if self._title else "")

    def _show_title(self, text: str) -> None:
        if text == self._title:
            return
        self._send(("" if self._title else PUSH_TITLE) + window_title(text))
        self._title = text

    def _send(self, sequence: str) -> None:
        self._write(passed_on(sequence, self._env))
