"""What the dashboard tells the app around it: handlers are called ``on_dashboard_...``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tui.core.turn.turn import Turn


class BranchWanted(Message, namespace="dashboard"):
    """The branch beside this exchange is to be shown: the next (``step`` 1), or the one before
    (-1)."""

    def __init__(self, exchange: int, step: int) -> None:
        super().__init__()
        self.exchange, self.step = exchange, step


class AnswerEnded(Message, namespace="dashboard"):
    """An answer is a part of the conversation now."""

    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self.turn = turn
