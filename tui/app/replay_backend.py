"""Backend of a replay: chat and board of a recording.

Nothing is sent to anybody, and nothing is stored.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from tui.app.headline import short_name
from tui.app.last_answers import MOST, last_answer
from tui.board.advice.board_state import BoardView
from tui.board.readers.neighbours import Neighbour
from tui.core.board.board_facts import BoardFacts
from tui.core.board.history import BoardHistory, series_values
from tui.core.expect.outlook import Outlook
from tui.core.screen.chat import FollowedTurn, Waiting
from tui.core.screen.headline import Headline
from tui.core.screen.last_answers import LastAnswer
from tui.core.text.model_name import spoken_name
from tui.core.text.model_words import context_words, quantisation_words
from tui.core.text.sanitize import clean_line
from tui.core.turn.turn import Turn
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import ModelInfo, Phase
from tui.recording.lines import Request
from tui.recording.player import Asked, Happening, Player
from tui.recording.reading import Recording
from tui.recording.samples import Sample
from tui.timeline.live import LiveTimeline
from tui.timeline.record import Timeline

MIN_SPEED, MAX_SPEED = 0.1, 1000.0
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 20.0, 50.0, 100.0)
"""Speeds that the keys choose from."""
NO_PROMPT = "this is a replay: nothing is sent"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MAX_TIME_S = 32_503_680_000.0
"""The year 3000: a label beyond it is none."""


class ReplayChat:
    """The replayed answer; see :class:`tui.core.screen.chat.Chat`. Takes no prompt."""

    def __init__(self) -> None:
        self.turn: Turn | None = None
        self.is_end_drawn = True
        """Whether the end of ``turn`` was drawn, or there is none."""

    def begin(self, turn: Turn) -> None:
        """This answer is played from now on."""
        self.turn, self.is_end_drawn = turn, False

    @property
    def is_answering(self) -> bool:
        return self.turn is not None and not self.turn.phase.is_over

    @property
    def waiting(self) -> Waiting | None:
        turn = self.turn
        if turn is None or turn.phase is not Phase.WAITING or turn.wait is None:
            return None
        return Waiting(turn.prompt, turn.wait.reason, turn.wait.since_ns)

    followed: FollowedTurn | None = None
    ahead: FollowedTurn | None = None
    finishing_note: str | None = None
    was_busy = False
    has_old_conversation = False
    exchange_count = 0
    is_kept = False
    remark: str | None = None
    """What was said of it is not recorded."""

    def ask(self, prompt: str) -> str | None:
        return NO_PROMPT

    def take_note(self) -> str | None:
        return None

    def take_unsent(self) -> tuple[str, str] | None:
        return None

    def stop(self) -> str | None:
        return None

    def send_anyway(self) -> None:
        pass

    def take_last(self) -> str | None:
        return None

    def give_back_last(self) -> None:
        pass

    def commit_turn(self) -> None:
        self.is_end_drawn = True

    def clear(self) -> bool:
        return False

    def bring_back(self) -> bool:
        return False

    def stop_later(self, tokens: int | None = None) -> str | None:
        return None

    def outlook(self, stats: TurnStats) -> Outlook | None:
        return None


class ReplayBoard:
    """The recorded board samples, and facts derived from them."""

    load = None
    """What the runtime logs at the load of a model is not recorded."""

    def __init__(self) -> None:
        self.history = BoardHistory()
        # Samples that there are come with the answer, which takes a second or more.
        self.history.absence = "not recorded"
        self._view: BoardView | None = None

    @property
    def facts(self) -> BoardFacts | None:
        return None if self._view is None else self._view.facts

    def saw(self, sample: Sample, turn: Turn | None, model: ModelInfo | None, now_ns: int) -> None:
        """The next sample, as :class:`tui.app.board_monitor.BoardMonitor` takes it."""
        if self._view is None:
            self._view = BoardView()
        self.history.add(sample.snapshot)
        programs = [
            Neighbour(p.pid, clean_line(p.name), p.load_pct, p.cpu) for p in sample.programs
        ]
        self._view.saw(
            sample.snapshot,
            None if turn is None else turn.stats(now_ns),
            model,
            False,
            t0_ns=None if turn is None else turn.t0_ns,
            now_ns=now_ns,
            neighbours=programs,
        )


class ReplayBackend:
    """Plays a recording at ``speed`` times its own pace; the screen says how much time went by."""

    def __init__(self, recording: Recording, speed: float = 1.0) -> None:
        self._recording = recording
        self.speed = min(max(speed, MIN_SPEED), MAX_SPEED)
        self.restart()

    def restart(self) -> None:
        """Begin again."""
        self._player = Player(self._recording)
        self._request = self._recording.answers[0].request
        self.is_paused = False
        self.chat = ReplayChat()
        self.board = ReplayBoard()
        self._timeline: LiveTimeline | None = None
        self._played: deque[tuple[Turn, int | None]] = deque(maxlen=MOST)
        """The answers that were begun, each with its wall time in ms."""

    # Playing --------------------------------------------------------------------------------

    def advance(self, elapsed_s: float) -> Iterator[Happening]:
        """Plays the next ``elapsed_s`` seconds of real time."""
        target_ns = self._player.t_ns + round(elapsed_s * self.speed * 1e9)
        return self._player.play_until(target_ns)

    def step(self) -> Iterator[Happening]:
        """Everything up to the next token."""
        return self._player.step()

    def to_end_of_answer(self) -> Iterator[Happening]:
        """Everything up to the end of this answer."""
        return self._player.play_to_end_of_answer()

    def begin(self, asked: Asked) -> None:
        """The next answer begins."""
        request, turn = asked.request, asked.turn
        self._request = request
        self.chat.begin(turn)
        asked_ms = round(request.time * 1000) if 0 < request.time < MAX_TIME_S else None
        self._timeline = LiveTimeline(turn, asked_ms, is_simulated=request.is_simulated)
        self._played.append((turn, asked_ms))

    def saw(self, sample: Sample) -> None:
        """The next sample of the board."""
        self.board.saw(sample, self.chat.turn, self._model(), self.clock_ns())
        if self._timeline is not None:
            snapshot = sample.snapshot
            self._timeline.saw(snapshot.t_ns, series_values(snapshot))

    def timeline(self, turn: Turn) -> Timeline | None:
        """The answer that is played, in time; None of any other one."""
        followed = self._timeline
        if followed is None or followed.turn is not turn:
            return None
        return followed.timeline(self.clock_ns())

    @property
    def answers(self) -> Sequence[LastAnswer]:
        """The answers that were played to their ends, the last one first."""
        now_ns = self.clock_ns()
        return [
            last_answer(turn, stats, asked_ms)
            for turn, asked_ms in reversed(self._played)
            if turn.phase.is_over and (stats := turn.stats(now_ns)).tokens
        ]

    def change_speed(self, step: int) -> None:
        """The next faster speed, or the next slower one."""
        choices = SPEEDS if step > 0 else SPEEDS[::-1]
        beyond = (s for s in choices if (s > self.speed if step > 0 else s < self.speed))
        self.speed = next(beyond, self.speed)

    @property
    def is_end_drawn(self) -> bool:
        """Whether the end of the answer that was played last was drawn."""
        return self.chat.is_end_drawn

    @property
    def is_over(self) -> bool:
        """Whether everything was played."""
        return self._player.is_over

    # What to say ----------------------------------------------------------------------------

    @property
    def words(self) -> str:
        """``replay of 26 Nov, 14:05, 4x``: what stands on the screen all the time."""
        when = _day_and_time(self._request.time)
        of_when = f" of {when}" if when else ""
        return f"replay{of_when}, {self.speed:g}x"

    @property
    def state_words(self) -> str:
        """The state in words: playing, paused, ended."""
        if self.is_over:
            return "over"
        return "paused" if self.is_paused else ""

    def headline(self) -> Headline:
        """The top line as of the moment that is played."""
        model, request = self._model(), self._request
        snapshot, facts = self.board.history.latest, self.board.facts
        name = soc = driver = None
        temperature_c = None
        is_simulated = request.is_simulated
        if snapshot is not None:
            name, soc, driver = (
                short_name(snapshot.text(key)) for key in ("board.model", "board.soc", "npu.driver")
            )
            temperature_c = snapshot.number("soc.temp")
            is_simulated = is_simulated or snapshot.text("board.simulated") is not None
        return Headline(
            board=name,
            soc=soc,
            driver=driver,
            server_state="ready",
            server=clean_line(request.server) or None,
            model=None if model is None else short_name(spoken_name(clean_line(model.name))),
            no_model="model not known",
            is_model_loaded=True if model is None else model.is_loaded,
            quantisation=None if model is None else quantisation_words(model),
            context=None if model is None else context_words(model),
            temperature_c=temperature_c,
            time_of_day=self._time_of_day(),
            is_simulated=is_simulated,
            alert=None if facts is None else facts.alert,
            replay=f"{self.speed:g}x",
        )

    def _model(self) -> ModelInfo | None:
        about, turn = self._request.about, self.chat.turn
        if about is not None:
            return about
        name = self._request.model if turn is None else turn.model
        return ModelInfo(name) if name else None

    def _time_of_day(self) -> str:
        request, turn = self._request, self.chat.turn
        if not 0 < request.time < MAX_TIME_S or turn is None:
            return ""
        now_s = request.time + (self.clock_ns() - self._player.asked_ns) / 1e9
        return time.strftime("%H:%M:%S", time.localtime(now_s))

    def notice(self, keymap: Mapping[str, str]) -> Sequence[str]:
        """Nothing: the first answer begins at once."""
        return ()

    def connect(self, url: str) -> str | None:
        return NO_PROMPT

    def start_demo(self) -> str | None:
        return NO_PROMPT

    def clock_ns(self) -> int:
        """The clock of the replay."""
        return self._player.t_ns

    def earlier(self, request: Request) -> list[tuple[str, str]]:
        """What was said before this request: prompts, each with its answer."""
        said: list[tuple[str, str]] = []
        for message in request.messages[:-1]:
            if message.role == "user":
                said.append((message.content, ""))
            elif message.role == "assistant" and said:
                said[-1] = (said[-1][0], message.content)
        return said


def _day_and_time(time_s: float) -> str:
    """``26 Nov, 14:05``, of this machine's time zone; empty where it is not known."""
    if not math.isfinite(time_s) or not 0 < time_s < MAX_TIME_S:
        return ""
    at = time.localtime(time_s)
    return f"{at.tm_mday} {_MONTHS[at.tm_mon - 1]}, {at.tm_hour:02}:{at.tm_min:02}"
