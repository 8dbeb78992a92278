"""The timelines of the answers of this run, and those of the history, for the timeline screen."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from tui.core.board.history import series_values

if TYPE_CHECKING:
    from tui.core.board.reading import Snapshot
    from tui.core.turn.conversation import PastTurn
    from tui.core.turn.turn import Turn
    from tui.history.browser import HistoryBrowser
    from tui.timeline.live import LiveTimeline
    from tui.timeline.record import Timeline
    from tui.timeline.source import TimelineSource

MAX_KEPT = 8
"""Answers of this run whose timelines are held; others are read from the history."""
MAX_LABEL_CHARS = 60


class Timelines:
    """Follows every answer from its request on. Everything is called in the app's thread."""

    def __init__(self, history: Callable[[], HistoryBrowser]) -> None:
        self._history = history
        self._kept: deque[LiveTimeline] = deque(maxlen=MAX_KEPT)

    def asked(self, turn: Turn, *, is_simulated: bool) -> None:
        """This turn was asked now."""
        from tui.timeline.live import LiveTimeline

        created_ms = time.time_ns() // 1_000_000
        self._kept.append(LiveTimeline(turn, created_ms, is_simulated=is_simulated))

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """A sample of the board."""
        if self._kept and not self._kept[-1].is_over:
            self._kept[-1].saw(snapshot.t_ns, series_values(snapshot))

    def of(self, turn: Turn, now_ns: int) -> Timeline | None:
        """The timeline of the answer that was asked last; None of any other one."""
        if not self._kept or self._kept[-1].turn is not turn:
            return None
        return self._kept[-1].timeline(now_ns)

    def sources(
        self,
        past: Sequence[PastTurn],
        stored: Sequence[int | None],
        turn: Turn | None,
        answer_id_of: Callable[[Turn], int | None],
    ) -> list[TimelineSource]:
        """One for each answer of a conversation, in order; ``stored`` are their ids in the history,
        ``turn`` is the one that runs, or ran last; ``answer_id_of`` tells its id."""
        from tui.timeline.source import TimelineSource

        found: list[TimelineSource] = []
        for at, one in enumerate(past):
            label = _label(one.prompt)
            live = self._of(one)
            number = stored[at] if at < len(stored) else None
            if live is not None:
                found.append(TimelineSource(label, _reader(live), True, _constant(number)))
            elif number is not None:
                found.append(self._of_history(label, number))
            else:
                found.append(TimelineSource(label, _nothing))
        if turn is not None and self._kept and self._kept[-1].turn is turn:
            is_last = bool(past) and turn.phase.is_over and self._of(past[-1]) is self._kept[-1]
            if not is_last:
                reader = _reader(self._kept[-1])
                answer_id = partial(answer_id_of, turn)
                found.append(TimelineSource(_label(turn.prompt), reader, True, answer_id))
        return found

    def _of(self, past: PastTurn) -> LiveTimeline | None:
        """The timeline of a past answer of this run."""
        for live in reversed(self._kept):
            turn = live.turn
            if turn.phase.is_over and turn.prompt == past.prompt and turn.text == past.result.text:
                return live
        return None

    def _of_history(self, label: str, number: int) -> TimelineSource:
        from tui.timeline.source import TimelineSource

        return TimelineSource(
            _label(label), self.stored_reader(number), answer_id=_constant(number)
        )

    def stored(self, answers: Sequence[int], labels: Sequence[str]) -> list[TimelineSource]:
        """Answers of the history."""
        return [
            self._of_history(label, number) for number, label in zip(answers, labels, strict=True)
        ]

    def stored_reader(self, answer: int) -> Callable[[], Timeline]:
        """Reads the timeline of an answer of the history; raises ValueError with a sentence."""
        history = self._history()

        def read() -> Timeline:
            from tui.history.failures import HistoryError
            from tui.timeline.stored import stored_timeline

            try:
                trace = history.trace(answer)
            except HistoryError as error:
                raise ValueError(str(error)) from error
            return stored_timeline(
                trace.prompt, trace.answer, trace.times_ns, trace.samples, trace.ends
            )

        return read


def _reader(live: LiveTimeline) -> Callable[[], Timeline]:
    def read() -> Timeline:
        return live.timeline(time.perf_counter_ns())

    return read


def _constant(number: int | None) -> Callable[[], int | None]:
    return lambda: number


def _nothing() -> Timeline:
    raise ValueError("the times of this answer are not known: it is not in the history")


def _label(prompt: str) -> str:
    words = " ".join(prompt.split())
    return words if len(words) <= MAX_LABEL_CHARS else f"{words[: MAX_LABEL_CHARS - 1]}…"
