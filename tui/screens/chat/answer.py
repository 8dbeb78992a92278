"""Draws the running answer: a frame when text has come, the figures at a slower rate."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from contextvars import copy_context
from time import monotonic
from typing import TYPE_CHECKING, Literal

from textual.timer import Timer

from tui.core.screen.chat import ANSWER_RUNS, FollowedTurn
from tui.core.screen.footer import footer_line, result_line, thinking_note
from tui.core.turn.think import Reclassified
from tui.core.types import Phase

if TYPE_CHECKING:
    from tui.core.screen.backend import ScreenBackend
    from tui.core.turn.turn import Turn
    from tui.core.turn.turn_stats import TurnStats
    from tui.screens.chat.elsewhere import ElsewhereWords
    from tui.screens.chat.figures import ChatFigures
    from tui.screens.chat.widgets import ChatWidgets
    from tui.widgets.transcript.turn_view import TurnView

NUMBERS_S = 1.0
"""How often the figures of a running answer are drawn: a person cannot read them faster."""

LOOK_S = 0.25
"""Time between two looks at what nobody tells of: a prompt that waits, an answer that another
npulse receives."""

SOONEST = 0.9
"""A frame may follow the one before it after this part of its time: what comes a frame's time apart
is then drawn as it comes, and falls no further behind."""

REST_S = 1.0
"""Time between two reads of text while painting is paused."""

NUMBER = re.compile(r"[0-9.]+")
END_STATES: Mapping[Phase, Literal["stopped", "error"]] = {
    Phase.STOPPED: "stopped",
    Phase.ERROR: "error",
}


class AnswerDrawing:
    """Draws the chat's running turn in the transcript; sleeps between two answers.

    ``on_end`` is called when the end of an answer was drawn.
    ``on_change`` is called when an answer begins and when it is over: other keys work then.
    """

    def __init__(
        self,
        backend: ScreenBackend,
        widgets: ChatWidgets,
        figures: ChatFigures,
        words: ElsewhereWords,
        frames_per_s: int,
        on_end: Callable[[Turn], object],
        on_change: Callable[[], None],
    ) -> None:
        self._backend = backend
        self._widgets = widgets
        self._figures = figures
        self._words = words
        self._frame_s = 1 / frames_per_s
        self._on_end = on_end
        self._on_change = on_change
        self._shown: Turn | None = None
        self._prompt = ""
        self._ahead: FollowedTurn | None = None
        """The answer that is shown in place of the prompt that waits for it."""
        self._waiting: TurnView | None = None
        """The waiting prompt."""
        self._warned: frozenset[str] = frozenset()
        self._looks: Timer | None = None
        self._next_frame: asyncio.TimerHandle | None = None
        self._drawn_s = 0.0
        """When text was drawn last, by ``time.monotonic``."""
        self._heard: Turn | None = None
        """The turn that tells when something has come."""
        self._is_told = False
        self._numbers: Timer | None = None
        self._is_resting = False

    def begin(self, prompt: str) -> None:
        """Show a prompt that was taken and start drawing what comes."""
        self._begin(prompt, self._backend.headline().model or "")

    def follow(self, followed: FollowedTurn) -> None:
        """Show the answer of another npulse, which the chat has as its last turn, as it grows."""
        self._begin(followed.prompt, followed.turn.model)
        self._widgets.transcript.past_turns.set_note(self._words.followed(followed))

    def _begin(self, prompt: str, model: str) -> None:
        self._widgets.transcript.begin(prompt, model=model)
        self._prompt, self._shown = prompt, None
        self._ahead = self._waiting = None
        if self._looks is None:
            self._start_timers()
        self._listen()
        self.draw_numbers()
        self._on_change()

    def take_back(self, prompt: str) -> None:
        """The prompt was not sent after all, and goes back to its line."""
        self._show_ahead(None)
        self._widgets.transcript.end("not sent", state="stopped", error=None, thinking_note="")
        self._stop_timers()
        self._widgets.message_bar.withdraw(ANSWER_RUNS)
        self._widgets.prompt.restore(prompt)

    def withdraw(self) -> None:
        """The prompt was not sent, and nothing of it stays here."""
        transcript = self._widgets.transcript
        transcript.end("", state="stopped", error=None, thinking_note="")
        transcript.past_turns.remove(transcript.turns[-1])
        self._stop_timers()
        self.draw_numbers()
        self._on_change()

    def forget(self) -> None:
        """The transcript has other turns now than the chat's last one."""
        self._shown = self._ahead = self._waiting = None

    def rest(self, is_resting: bool) -> None:
        """Painting was paused or resumed: while paused, text is read once a second and no figures
        are drawn.
        """
        self._is_resting = is_resting
        if self._looks is not None:
            self._stop_timers()
            self._start_timers()
            if not is_resting:
                self.draw_numbers()
                self.draw_frame()

    def _start_timers(self) -> None:
        screen = self._widgets.screen
        self._looks = screen.set_interval(REST_S if self._is_resting else LOOK_S, self._look)
        if not self._is_resting:
            self._numbers = screen.set_interval(NUMBERS_S, self.draw_numbers)

    def _stop_timers(self) -> None:
        for timer in (self._looks, self._numbers):
            if timer is not None:
                timer.stop()
        if self._next_frame is not None:
            self._next_frame.cancel()
        self._looks = self._numbers = self._next_frame = None

    @property
    def is_running(self) -> bool:
        """Whether an answer, or a prompt that waits, is being drawn."""
        return self._numbers is not None

    def _listen(self) -> None:
        """Have the running turn tell when something has come."""
        turn = self._backend.chat.turn
        if turn is None or turn is self._heard:
            return
        self._heard = turn
        # Not by way of Textual's messages, which cost more than the frame that they are for.
        loop, context = asyncio.get_running_loop(), copy_context()

        def tell() -> None:
            """In the thread that feeds the turn."""
            if not (self._is_told or loop.is_closed()):
                self._is_told = True
                loop.call_soon_threadsafe(self._draw_news, context=context)

        turn.call_on_news(tell, self._frame_s)

    def _draw_news(self) -> None:
        """Draw what has come now, or as soon as the next frame may be drawn."""
        self._is_told = False
        if self._looks is None or self._is_resting or self._next_frame is not None:
            return
        wait_s = self._drawn_s + SOONEST * self._frame_s - monotonic()
        if wait_s <= 0:
            self._draw_told()
        else:
            self._next_frame = asyncio.get_running_loop().call_later(wait_s, self._draw_told)

    def _draw_told(self) -> None:
        """A frame that no message of Textual's draws: an error in it ends the app all the same."""
        try:
            self.draw_frame()
        except Exception as error:  # noqa: BLE001  as Textual does for what it calls
            self._widgets.screen.app._handle_exception(error)

    def _look(self) -> None:
        """Draw what nobody told of, unless a frame is on its way."""
        if self._is_resting or not (self._is_told or self._next_frame):
            self.draw_frame()

    def draw_frame(self) -> None:
        """One frame: everything that arrived since the last one, at once."""
        self._next_frame = None
        self._listen()
        chat = self._backend.chat
        self._show_ahead(chat.ahead)
        if self._ahead is not None:
            self._draw_ahead(self._ahead)
        turn = chat.turn
        if turn is None or chat.waiting is not None:
            return
        if self._shown is not turn:
            self._widgets.transcript.live_turn.attach(turn)
        self._shown = turn
        is_over = turn.phase.is_over
        self._feed(turn)
        if is_over:
            self._end(turn)

    def draw_end(self) -> None:
        """The end of an answer that is over stands there before the next one begins."""
        turn = self._backend.chat.turn
        if self._looks is not None and turn is not None and turn.phase.is_over:
            self.draw_frame()

    def _show_ahead(self, ahead: FollowedTurn | None) -> None:
        """Put the answer that the prompt waits for in its place, or the prompt back into it."""
        if ahead is self._ahead:
            return
        transcript = self._widgets.transcript
        *before, last = transcript.turns
        if self._ahead is None:
            self._waiting = last
        self._ahead = ahead
        if ahead is None:
            transcript.past_turns.put_back([*before, self._waiting] if self._waiting else before)
            self._waiting = None
        else:
            transcript.past_turns.put_back(before)
            transcript.begin(ahead.prompt, model=ahead.turn.model)
            transcript.live_turn.attach(ahead.turn)
            transcript.past_turns.set_note(self._words.ahead(ahead, self._prompt))

    def _draw_ahead(self, ahead: FollowedTurn) -> None:
        is_over = ahead.turn.phase.is_over
        self._feed(ahead.turn)
        result = ahead.result
        if is_over and result is not None:
            error = None if result.error is None else result.error.sentence
            self._widgets.transcript.end(result_line(result), state=result.end_state, error=error)

    def _feed(self, turn: Turn) -> None:
        transcript = self._widgets.transcript
        segments = turn.take_pending()
        if segments and isinstance(segments[0], Reclassified):
            transcript.live_turn.reclassify()
            segments = segments[1:]
        if segments:
            self._drawn_s = monotonic()
            transcript.feed(segments)
            self._widgets.screen.paint(transcript)

    def _warn(self, stats: TurnStats | None) -> None:
        """Shows new problems of the running answer once, in the bottom line."""
        view = None if stats is None else self._figures.outlook(stats)
        warnings = () if view is None else view.warnings
        # Numbers in them change while it is the same warning.
        kinds = {NUMBER.sub("", words): words for words in warnings}
        new = [words for kind, words in kinds.items() if kind not in self._warned]
        self._warned = frozenset(kinds)
        if new:
            self._widgets.say(new[0], "warn")

    def _end(self, turn: Turn) -> None:
        self._stop_timers()
        stats = turn.stats(self._backend.clock_ns())
        error = None if turn.error is None else turn.error.sentence
        self._widgets.transcript.end(
            self._footer(turn),
            state=END_STATES.get(turn.phase, "done"),
            error=error,
            thinking_note=thinking_note(stats),
        )
        followed = self._backend.chat.followed
        if followed is not None:
            self._widgets.transcript.past_turns.set_note("")
        elif turn.error is not None:
            self._widgets.prompt.restore(turn.request.messages[-1].content)
        self._backend.chat.commit_turn()
        self._widgets.message_bar.withdraw(ANSWER_RUNS)
        if (note := self._backend.chat.take_note()) is not None:
            self._widgets.say(note)
        self.draw_numbers()
        self._on_end(turn)
        self._on_change()

    def _footer(self, turn: Turn) -> str:
        followed = self._backend.chat.followed
        if followed is not None and followed.result is not None:
            return result_line(followed.result)
        stats = turn.stats(self._backend.clock_ns())
        line = footer_line(stats, turn.status, turn.model or self._backend.headline().model)
        parts = [line, "" if turn.runtime is None else turn.runtime.line]
        if turn is self._backend.chat.turn:
            parts.append(self._backend.chat.remark or "")
        return "  ".join(filter(None, parts))

    def draw_late_numbers(self) -> None:
        """Draws numbers that come after the answer's end: the runtime's, exact counts."""
        turn = self._backend.chat.turn
        if turn is None or turn is not self._shown:
            return
        if not (turn.has_late_numbers or self._backend.chat.remark):
            return
        if turn.phase.is_over and not turn.has_pending:
            self._widgets.transcript.live_turn.set_footer(self._footer(turn))
            self._widgets.refresh_rows("speed")

    def draw_numbers(self) -> None:
        """The figures and the status row, at their own slow rate."""
        self._widgets.refresh_rows("speed", "strip", "header")
        live_turn = self._widgets.transcript.live_turn
        live_turn.set_status(self._figures.status())
        stats = self._figures.stats()
        self._warn(stats)
        if stats is not None and stats.thinking_tokens and stats.phase is Phase.ANSWERING:
            live_turn.set_thinking_note(thinking_note(stats))
