"""Replays recorded answers: feeds a turn with the recorded events at their recorded times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tui.core.turn.last_usage import LastUsage
from tui.core.turn.turn import Turn
from tui.core.types import (
    ChatRequest,
    Delta,
    DoneDelta,
    FailureDelta,
    FinishDelta,
    Message,
    ModelDelta,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    TurnError,
    UnreadDelta,
)
from tui.recording.lines import (
    Accepted,
    BeforePrefill,
    Board,
    ClockIs,
    Closed,
    Counted,
    EndMark,
    Event,
    Failed,
    Finish,
    Lag,
    ModelIs,
    RecordedMessage,
    Request,
    Runtime,
    Sent,
    ServerError,
    Stopped,
    Token,
    Unread,
    Usage,
    Waiting,
)
from tui.recording.reading import RecordedAnswer, Recording
from tui.recording.samples import Sample, SampleReader

START_NS = 1_000_000_000_000
"""Start of the file on the replay clock, in ns; not 0, which can mean "no time"."""
MAX_IDLE_NS = 2_000_000_000
"""Pauses between two answers are shortened to this."""
_FILLER = "······· "


@dataclass(frozen=True, slots=True)
class Asked:
    """A recorded answer begins: its turn and its request."""

    turn: Turn
    request: Request


Happening: TypeAlias = Asked | Sample | Event
"""A replayed item; its event has already been fed to the turn."""


def filler(n_chars: int) -> str:
    """A placeholder of this length for a text that was left out."""
    return (_FILLER * (n_chars // len(_FILLER) + 1))[:n_chars]


def turn_of(request: Request, t_ns: int, last_usage: LastUsage | None = None) -> Turn:
    """A new turn for this request."""
    messages = tuple(Message(message.role, _content(message)) for message in request.messages)
    return Turn(
        ChatRequest(request.model, messages, request.settings),
        t_ns,
        request.chunk_meaning,
        request.context_tokens,
        last_usage,
    )


def _content(message: RecordedMessage) -> str:
    return message.content or filler(message.chars)


def give(turn: Turn, event: Event, t_ns: int) -> None:
    """Feeds an event to a turn, at ``t_ns`` of its clock."""
    delta = _delta(event)
    if delta is not None:
        turn.feed(t_ns, (delta,))
    elif isinstance(event, Waiting):
        is_first = turn.wait is None
        since_ns = t_ns - round(event.waited_ms * 1e6) if is_first else t_ns
        turn.note_wait(since_ns, event.reason, is_sent=event.is_sent)
    elif isinstance(event, Failed):
        error = TurnError(event.error, event.sentence)
        turn.fail(t_ns, error, is_refused=event.is_refused)
    elif isinstance(event, ClockIs):
        turn.note_clock(is_kernel=event.is_kernel)
    elif isinstance(event, Lag):
        turn.note_lag(event.lag_ms)
    elif isinstance(event, BeforePrefill):
        turn.note_before_prefill(event.part)
    elif isinstance(event, ModelIs):
        turn.note_model(event.name)
    elif isinstance(event, Runtime):
        turn.note_runtime(event.numbers)
    elif isinstance(event, Counted):
        turn.note_counted(event.tokens, event.prompt)
    else:
        _move(turn, event, t_ns)


def _move(turn: Turn, event: Event, t_ns: int) -> None:
    moves: dict[type, Callable[[int], None]] = {
        Sent: turn.sent,
        Accepted: turn.accepted,
        Closed: turn.end_of_stream,
        Stopped: turn.stop,
    }
    move = moves.get(type(event))
    if move is not None:
        move(t_ns)


def _delta(event: Event) -> Delta | None:
    """The event as a stream delta; None for other events."""
    if isinstance(event, Token):
        return _text_delta(event)
    if isinstance(event, Usage):
        return event.usage
    if isinstance(event, Finish):
        return FinishDelta(event.reason, event.response_id)
    if isinstance(event, ModelIs):
        return None if event.is_asked else ModelDelta(event.name)
    if isinstance(event, Unread):
        return UnreadDelta(event.text, event.is_loss)
    if isinstance(event, ServerError):
        return FailureDelta(event.message)
    return DoneDelta() if isinstance(event, EndMark) else None


def _text_delta(token: Token) -> Delta:
    if token.channel == "refusal":
        return RefusalDelta(token.text or filler(token.chars))
    if not token.text and token.chars:
        words = filler(token.chars)
        return ThinkingDelta(words) if token.channel == "thinking" else TextDelta(words)
    is_own_channel = token.channel == "thinking" and not token.is_tagged
    return ThinkingDelta(token.text) if is_own_channel else TextDelta(token.text)


class Player:
    """Plays the answers of a recording up to a given time. Not thread-safe.

    ``t_ns`` is the replay clock. It only advances in the ``play_...`` methods and :meth:`step`.
    """

    def __init__(self, recording: Recording) -> None:
        self._answers = recording.answers
        self._last_usage = LastUsage()
        self._items = list(self._all_items())
        self._next = 0
        self._turn: Turn | None = None
        self._samples = SampleReader()
        self.asked_ns = START_NS
        """Time of the present answer's request, in ns on the replay clock."""
        self.t_ns = self._items[0][0] if self._items else START_NS
        begin = next((t for t, what in self._items if isinstance(what, Request)), None)
        if begin is not None:
            self.t_ns = begin

    def _all_items(self) -> Iterator[tuple[int, Request | Event | RecordedAnswer]]:
        """All events with their times; answers at their end."""
        last_ns = 0
        for answer in self._answers:
            for board in answer.before:
                yield START_NS + board.t_ns, board
            last_ns = max(last_ns, START_NS + answer.request.t_ns)
            yield last_ns, answer.request
            for event in answer.events:
                last_ns = max(last_ns, START_NS + event.t_ns)
                yield last_ns, event
            yield last_ns, answer

    @property
    def turn(self) -> Turn | None:
        """The present or last answer; None before the first."""
        return self._turn

    @property
    def is_over(self) -> bool:
        """Whether everything was played."""
        return self._next >= len(self._items)

    @property
    def next_ns(self) -> int | None:
        """Time of the next event; None at the end."""
        return None if self.is_over else self._items[self._next][0]

    def play_until(self, t_ns: int) -> Iterator[Happening]:
        """Plays all events up to this time and yields them."""
        while not self.is_over and self._items[self._next][0] <= t_ns:
            yield from self._do_next()
        if not self.is_over:
            self.t_ns = max(self.t_ns, t_ns)
            self._skip_idle()

    def step(self) -> Iterator[Happening]:
        """Plays up to the next token, or the end of the answer."""
        while not self.is_over:
            _, what = self._items[self._next]
            yield from self._do_next()
            if isinstance(what, Token | RecordedAnswer):
                return

    def play_to_end_of_answer(self) -> Iterator[Happening]:
        """Plays to the end of the answer, and the board samples after it."""
        while not self.is_over:
            _, what = self._items[self._next]
            yield from self._do_next()
            if isinstance(what, RecordedAnswer):
                return

    def _skip_idle(self) -> None:
        """Shortens the pause between two answers."""
        next_ns = self.next_ns
        is_idle = self._turn is None or self._turn.phase.is_over
        if is_idle and next_ns is not None and next_ns - self.t_ns > MAX_IDLE_NS:
            self.t_ns = next_ns - MAX_IDLE_NS

    def _do_next(self) -> Iterator[Happening]:
        t_ns, what = self._items[self._next]
        self._next += 1
        self.t_ns = max(self.t_ns, t_ns)
        if isinstance(what, Request):
            self._turn = turn_of(what, t_ns, self._last_usage)
            self.asked_ns = t_ns
            yield Asked(self._turn, what)
        elif isinstance(what, RecordedAnswer):
            self._end(what, t_ns)
        elif isinstance(what, Board):
            yield self._samples.read(what, t_ns)
        elif self._turn is not None:
            give(self._turn, what, t_ns)
            yield what

    def _end(self, answer: RecordedAnswer, t_ns: int) -> None:
        """Marks an answer as interrupted if the recording stops before its end."""
        if self._turn is not None and not self._turn.phase.is_over:
            sentence = f"The recording stops after token {answer.tokens}, before the answer ends."
            self._turn.fail(t_ns, TurnError("cut", sentence))
