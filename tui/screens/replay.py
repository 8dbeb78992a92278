"""A recorded answer plays again in the dashboard."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, Protocol

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from tui.core.screen.backend import ScreenBackend
from tui.core.screen.keymap import Place
from tui.core.screen.keys.chat import FOCUS_KEYS
from tui.core.screen.keys.history import REPLAY_KEYS
from tui.core.screen.keys.table import REPLAY_CHAT_KEYS
from tui.core.screen.last_answers import LastAnswer
from tui.core.text.glyphs import Glyphs
from tui.core.turn.turn import Turn
from tui.recording.lines import Request
from tui.recording.player import Asked, Happening
from tui.recording.samples import Sample
from tui.screens.chat.sources import DashboardSources
from tui.screens.dashboard import Dashboard
from tui.timeline.record import Timeline
from tui.widgets.chat.key_bar import HintOf, key_hints
from tui.widgets.chat.prompt import Prompt
from tui.widgets.chat.replay_line import ReplayLine
from tui.widgets.chat.search_line import SearchLine
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.opaque_screen import OpaqueScreen

NO_FIX = "this is a replay: its board is not here to be fixed"
TICK_S = 1 / 30
MAX_TICK_S = 0.5
"""A tick that comes later than this was held up: the answer does not jump for it."""

HINTS: tuple[HintOf, ...] = (
    HintOf("pause", "replay.pause"),
    HintOf("next token", "replay.step"),
    HintOf("faster", "replay.faster"),
    HintOf("slower", "replay.slower"),
    HintOf("to the end", "replay.end"),
    HintOf("again", "replay.again"),
    HintOf("board", "board"),
    HintOf("search", "transcript.search"),
    HintOf("help", "help"),
    HintOf("leave", "replay.back"),
)


class ReplayBackend(ScreenBackend, Protocol):
    """What plays; :class:`tui.app.replay_backend.ReplayBackend` is real."""

    is_paused: bool

    @property
    def words(self) -> str: ...

    @property
    def state_words(self) -> str: ...

    @property
    def is_over(self) -> bool: ...

    @property
    def is_end_drawn(self) -> bool:
        """Whether the end of the answer that was played last stands in the transcript."""

    def advance(self, elapsed_s: float) -> Iterable[Happening]: ...

    def step(self) -> Iterable[Happening]: ...

    def to_end_of_answer(self) -> Iterable[Happening]: ...

    def begin(self, asked: Asked) -> None: ...

    def saw(self, sample: Sample) -> None: ...

    def change_speed(self, step: int) -> None: ...

    def timeline(self, turn: Turn) -> Timeline | None: ...

    @property
    def answers(self) -> Sequence[LastAnswer]: ...

    def earlier(self, request: Request) -> Sequence[tuple[str, str]]: ...

    def restart(self) -> None: ...


class ReplayScreen(Dashboard, OpaqueScreen, inherit_bindings=False):
    """The dashboard without a prompt: in its row stands which replay this is, and how far it is.

    ``leave`` is what Esc does at the end; None takes the screen away.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings([*REPLAY_CHAT_KEYS, *REPLAY_KEYS]),
        *bindings(FOCUS_KEYS, has_priority=False),
    ]
    HELP_PLACE: ClassVar[Place] = "replay"
    AUTO_FOCUS = "#transcript"

    DEFAULT_CSS = """
    ReplayScreen Prompt { width: 0; max-height: 1; }
    ReplayScreen.-broad #conversations { display: none; }
    ReplayScreen ReplayLine { width: 1fr; height: 1; }
    """

    def __init__(
        self,
        backend: ReplayBackend,
        glyphs: Glyphs,
        keymap: Mapping[str, str],
        copy: Callable[[str, str], str],
        frames_per_s: int = 15,
        leave: Callable[[], None] | None = None,
    ) -> None:
        sources = DashboardSources(backend.timeline, lambda: backend.answers)
        super().__init__(backend, glyphs, keymap, copy, frames_per_s, sources)
        self._replay = backend
        self._leave = leave
        self._ticks: Timer | None = None
        self._last_s = 0.0
        self._has_begun = False

    def compose_prompt(self) -> ComposeResult:
        yield Static(f" {self._glyphs.prompt} ", id="prompt-mark", markup=False)
        # No prompt is taken, but the parts of the dashboard have one to speak to.
        prompt = Prompt(placeholder="", id="prompt")
        prompt.disabled = True
        yield prompt
        yield SearchLine(self._search.close, id="search")
        yield ReplayLine(self._replay_words, self._glyphs, id="replay")

    def _replay_words(self) -> tuple[str, str, str]:
        turn, replay = self._replay.chat.turn, self._replay
        tokens = 0 if turn is None else turn.stats(replay.clock_ns()).chunks
        return replay.words, replay.state_words, f"token {tokens}" if tokens else ""

    def on_mount(self) -> None:
        self._last_s = time.monotonic()
        self._ticks = self.set_interval(TICK_S, self._tick)

    # Playing ---------------------------------------------------------------------------------

    def _tick(self) -> None:
        now_s, last_s = time.monotonic(), self._last_s
        self._last_s = now_s
        if not self._replay.is_paused:
            self._do(self._replay.advance(min(now_s - last_s, MAX_TICK_S)))

    def _do(self, happenings: Iterable[Happening]) -> None:
        has_sample = False
        for happening in happenings:
            if isinstance(happening, Asked):
                self._begin(happening)
            elif isinstance(happening, Sample):
                self._replay.saw(happening)
                has_sample = True
        if has_sample:
            self.show_board()
        if self._replay.is_over:
            self._draw_end()
        elif (turn := self._replay.chat.turn) is not None:
            turn.tell_news()
        self._show_line()

    def _begin(self, asked: Asked) -> None:
        self._draw_end()
        self._replay.begin(asked)
        if not self._has_begun:
            self._has_begun = True
            for prompt, answer in self._replay.earlier(asked.request):
                self._parts.transcript.past_turns.add(prompt, answer=answer)
        self.conversation.begin_turn(asked.turn.prompt)

    def _draw_end(self) -> None:
        """The end of an answer stands there before the next one begins, however fast it goes."""
        if not self._replay.is_end_drawn:
            self._answer.draw_frame()

    def _answer_ended(self, turn: Turn) -> None:
        # The app is not told: its own conversation has no answer more.
        self.show_latest()

    def _show_line(self) -> None:
        self.query_one(ReplayLine).refresh_rows()

    # Keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a pattern is typed, letters are letters."""
        is_letter = action in ("pause", "step", "speed", "to_end", "again")
        return not (is_letter and self._search.is_open)

    def action_pause(self) -> None:
        self._replay.is_paused = not self._replay.is_paused
        self._show_line()

    def action_step(self) -> None:
        self._replay.is_paused = True
        self._do(self._replay.step())

    def action_speed(self, step: int) -> None:
        self._replay.change_speed(step)
        self._parts.refresh_rows("header")
        self._show_line()

    def action_to_end(self) -> None:
        self._do(self._replay.to_end_of_answer())

    def action_again(self) -> None:
        if not self._replay.is_end_drawn:
            # The transcript is cleared of whole turns only.
            self.action_to_end()
            self._draw_end()
        self._replay.restart()
        self._parts.transcript.clear()
        self._answer.forget()
        self._has_begun = False
        self.show_latest()
        self._show_line()

    def action_board(self) -> None:
        from tui.screens.board import BoardScreen

        self.app.push_screen(
            BoardScreen(self._replay, self._copying.put, self._glyphs, no_fix=NO_FIX)
        )

    def action_leave(self) -> None:
        """One step back: the line of a search, what is marked, the replay."""
        if self._search.is_open:
            self._search.give_up()
            return
        if self._parts.transcript.is_searching:
            self._parts.transcript.search("")
            return
        if self._leave is not None:
            self._leave()
        else:
            self.app.pop_screen()

    # What the dashboard does otherwise ---------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Nothing would be lost by leaving."""
        return False

    def show_server(self) -> None:
        """There is none."""

    def set_focus(
        self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False
    ) -> None:
        """What goes back to the prompt elsewhere goes back to the transcript here."""
        wanted = self._parts.transcript if isinstance(widget, Prompt) else widget
        super().set_focus(wanted, scroll_visible, from_app_focus)

    def _show_hints(self, focused: Widget | None) -> None:
        self._parts.message_bar.set_hints(key_hints(self, HINTS))

    def _take_text(self, text: str) -> None:
        if self._search.is_open:
            self._search.take_text(text)
