"""The turns that are over: added, taken out, put back, and the lines below them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len

from tui.widgets.transcript.code_jump import CodeJump
from tui.widgets.transcript.painter import Painter
from tui.widgets.transcript.turn_list import TurnList
from tui.widgets.transcript.turn_view import TurnState, TurnView
from tui.widgets.transcript.viewport import Viewport


class PastTurns:
    """``unmark`` ends selection and search, whose rows are about to become others; ``fit_later``
    calls :meth:`Viewport.refit` soon, once for many turns."""

    def __init__(
        self,
        turn_list: TurnList,
        viewport: Viewport,
        painter: Painter,
        code_jump: CodeJump,
        *,
        unmark: Callable[[], None],
        fit_later: Callable[[], None],
    ) -> None:
        self._turn_list = turn_list
        self._viewport = viewport
        self._painter = painter
        self._code_jump = code_jump
        self._unmark = unmark
        self._fit_later = fit_later

    def add(
        self,
        prompt: str,
        thinking: str = "",
        answer: str = "",
        footer: str = "",
        state: TurnState = "done",
        error: str | None = None,
        *,
        label: str = "you",
        model: str = "",
        thinking_note: str = "",
    ) -> None:
        """A turn of a conversation that is opened again. It costs nothing until it is seen."""
        self._turn_list.add(
            TurnView(
                prompt,
                cell_len,
                label=label,
                model=model,
                thinking=thinking,
                answer=answer,
                state=state,
                footer=footer,
                error=error or "",
                thinking_note=thinking_note,
            )
        )
        self._fit_later()

    def set_note(self, text: str) -> None:
        """One line below the last turn, which stays there; it is no part of the conversation."""
        if self._turn_list.turns:
            turn = self._turn_list.turns[-1]
            turn.note = text
            self._viewport.rearrange(turn)

    def set_branch(self, turn: TurnView, words: str) -> None:
        """Which of several a turn is: in front of its numbers."""
        if turn.branch != words:
            turn.branch = words
            if turn.is_open:
                self._viewport.rearrange(turn)

    def remove(self, turn: TurnView) -> None:
        """Take a turn out that is over; what is in view stays where it can."""
        if turn.is_live or turn not in self._turn_list.turns:
            return
        self._unmark()
        self._code_jump.clear()
        self._turn_list.remove(turn)
        self._painter.forget_strips()
        self._viewport.refit()

    def put_back(self, turns: Sequence[TurnView]) -> None:
        """Show these turns, which :meth:`clear` gave, instead of all others."""
        self.clear()
        for turn in turns:
            # With its parts made anew: the width may be another one by now.
            turn.close()
            self._turn_list.add(turn)
        if turns:
            self._turn_list.open(len(turns) - 1)
        self._viewport.show_end()

    def clear(self) -> tuple[TurnView, ...]:
        """Forget all turns, also a live one. Returns them, for :meth:`put_back`."""
        turns = tuple(self._turn_list.turns)
        self._unmark()
        self._turn_list.clear()
        self._painter.forget_strips()
        self._code_jump.clear()
        self._viewport.show_end()
        return turns
