"""One fix as the screen shows it, from the question to the result; :mod:`tui.app.board_fixes` is
real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

FixStage = Literal["asking", "waiting", "working", "in force", "undone", "failed"]
"""asking: nothing is changed yet. waiting: confirmed, and the server is not free yet; nothing is
changed. in force: done, or done earlier, and can be undone."""


@dataclass(frozen=True, slots=True)
class FixView:
    """Everything that is shown of it; texts are clean.

    ``plan`` has exactly what is written, run and put back: a word and its text. ``notes`` are
    sentences. ``done`` of ``total`` answers are in while it works, ``rates`` says what they gave,
    ``waits_for`` is a clause: why the server is not free.
    ``result`` is the sentence of the comparison, or why it failed. ``needs_password``: sudo will
    ask in the terminal.
    """

    stage: FixStage
    title: str = ""
    found: str = ""
    plan: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    done: int = 0
    total: int = 0
    rates: str = ""
    waits_for: str = ""
    result: str = ""
    is_better: bool = False
    needs_password: bool = False
    has_card: bool = False


class BoardFixes(Protocol):
    """The fix that the screen shows. Every call but :meth:`take_root` returns at once.

    A Protocol, for what draws must not write files of the board.
    """

    def view(self) -> FixView: ...

    def take_root(self) -> str | None:
        """Start sudo, which asks in the terminal: it must be free. Returns None, or one sentence
        why there are no rights of root."""

    def confirm(self) -> None:
        """Yes: do it, and compare answers. While the server is waited for: do it at once, and
        compare nothing."""

    def stop(self) -> None:
        """End the wait or the comparison; everything is put back."""

    def undo(self) -> None:
        """Put back what was there before."""

    def write_card(self) -> str:
        """Write the result as a card. Returns where it is, or why not, as one sentence."""

    def leave(self) -> None:
        """The screen is closed: give back the rights of root."""
