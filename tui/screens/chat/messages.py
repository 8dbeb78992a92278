"""Messages of the dashboard to the app; handlers are called ``on_dashboard_...``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tui.core.turn.turn import Turn


@dataclass
class BranchWanted(Message, namespace="dashboard"):
    """The branch beside this exchange is to be shown: the next (``step`` 1), or the one before
    (-1)."""

    exchange: int
    step: int


@dataclass
class AnswerEnded(Message, namespace="dashboard"):
    """An answer is a part of the conversation now."""

    turn: Turn
