"""Further data sources of the dashboard: timelines, last answers, conversations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.core.screen.last_answers import LastAnswer
    from tui.core.turn.turn import Turn
    from tui.history.records import ConversationRow
    from tui.timeline.record import Timeline


def _no_timeline(turn: Turn) -> None:
    return None


def _none() -> tuple[()]:
    return ()


@dataclass(frozen=True, slots=True)
class DashboardSources:
    """Each is called whenever something is drawn, and returns at once."""

    timeline: Callable[[Turn], Timeline | None] = _no_timeline
    """What is known of that answer in time; None where nobody follows it."""
    answers: Callable[[], Sequence[LastAnswer]] = _none
    """The last answers, the newest first."""
    conversations: Callable[[], Sequence[ConversationRow]] = _none
    """The last conversations, the newest first."""


NO_SOURCES = DashboardSources()
"""Sources of a dashboard that shows only its chat."""
