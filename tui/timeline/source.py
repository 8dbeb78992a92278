"""Source of a timeline: the label of an answer, and a function that reads it when needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.timeline.record import Timeline

if TYPE_CHECKING:
    from tui.recording.reading import Recording


def _is_not_stored() -> None:
    return None


@dataclass(frozen=True, slots=True)
class TimelineSource:
    """``read`` gives the timeline and may block; of an answer that runs (``is_live``) it returns at
    once and is called in one thread, again and again. It raises ValueError with one sentence where
    there is no timeline."""

    label: str
    read: Callable[[], Timeline]
    is_live: bool = False
    answer_id: Callable[[], int | None] = _is_not_stored
    """Its number in the history, from where it can be played again; None is not there."""
    recording: Callable[[], Recording] | None = None
    """What is played again where it is not in the history: a request of a benchmark. May block;
    raises ValueError with one sentence."""
