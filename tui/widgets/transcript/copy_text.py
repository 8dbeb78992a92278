"""Texts to copy: the selection, the answer in view, a block of code."""

from __future__ import annotations

from textual.selection import Selection

from tui.widgets.transcript.code_jump import CodeJump
from tui.widgets.transcript.row_text import selected_text
from tui.widgets.transcript.turn_list import TurnList
from tui.widgets.transcript.viewport import Viewport


class CopyText:
    """Texts of a column as they came; nothing in view moves while they are looked up."""

    def __init__(self, turn_list: TurnList, viewport: Viewport, code_jump: CodeJump) -> None:
        self._turn_list = turn_list
        self._viewport = viewport
        self._code_jump = code_jump

    def selected(self, selection: Selection | None) -> str:
        """What is selected, without gutter; empty without a selection."""
        if selection is None:
            return ""
        with self._viewport.holding():
            return selected_text(self._turn_list, selection)

    @property
    def answer(self) -> str:
        """The answer of the turn in view."""
        turn = self._viewport.turn_in_view
        return "" if turn is None else turn.answer.text

    @property
    def last_answer(self) -> str:
        """The last answer, also while it streams."""
        turns = reversed(self._turn_list.turns)
        return next((turn.answer.text for turn in turns if turn.answer.has_text), "")

    @property
    def code(self) -> str:
        """The block of code jumped to last, or else the last one that begins above the end of the
        view; with its tabs."""
        return self._code_jump.text
