"""A turn that reports its events to a recorder, so that they can be replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from tui.core.turn.runtime_numbers import RuntimeNumbers
from tui.core.turn.turn import Turn
from tui.core.types import (
    Delta,
    DoneDelta,
    FailureDelta,
    FinishDelta,
    ModelDelta,
    Phase,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    TtftPart,
    TurnError,
    UnreadDelta,
    UsageDelta,
)
from tui.recording.lines import (
    Accepted,
    BeforePrefill,
    Channel,
    ClockIs,
    Closed,
    Counted,
    EndMark,
    Event,
    Failed,
    Finish,
    Lag,
    ModelIs,
    PhaseBegins,
    Runtime,
    Sent,
    ServerError,
    Stopped,
    Token,
    Unread,
    Usage,
    Waiting,
)

Tell: TypeAlias = Callable[[int | None, Event], None]
"""Called with (time, event); the time is in ``perf_counter_ns``, None means now."""


class ToldTurn(Turn):
    """A :class:`Turn` that reports its events. Those before :meth:`tell_to` are kept until then."""

    def _prepare(self) -> None:
        self._early: list[tuple[int | None, Event]] = []
        self._tell: Tell | None = None
        self._told_phase = Phase.WAITING
        self._is_kernel_told: bool | None = None
        self._told_lag_ms = 0.0
        self._last_ns: int | None = None

    def tell_to(self, tell: Tell) -> None:
        """Sets the recorder. Must be called before another thread feeds the turn."""
        early, self._early = self._early, []
        self._tell = tell
        for t_ns, event in early:
            tell(t_ns, event)

    def _say(self, t_ns: int | None, event: Event) -> None:
        if self._tell is None:
            self._early.append((t_ns, event))
        else:
            self._tell(t_ns, event)

    def _say_phase(self, t_ns: int | None) -> None:
        if self.phase is not self._told_phase:
            self._told_phase = self.phase
            self._say(t_ns, PhaseBegins(phase=self.phase))

    # What drives a turn -----------------------------------------------------------------------

    def sent(self, t_ns: int) -> None:
        self._say(t_ns, Sent())
        super().sent(t_ns)

    def accepted(self, t_ns: int) -> None:
        self._say(t_ns, Accepted())
        super().accepted(t_ns)
        self._say_phase(t_ns)

    def feed(self, t_ns: int, deltas: Iterable[Delta]) -> None:
        for delta in deltas:
            if self.phase.is_over:
                return
            super().feed(t_ns, (delta,))
            self._say_delta(t_ns, delta)
            self._say_phase(t_ns)

    def fail(self, t_ns: int, error: TurnError, *, is_refused: bool | None = None) -> None:
        if not self.phase.is_over:
            event = Failed(error=error.kind, sentence=error.sentence, is_refused=is_refused)
            self._say(t_ns, event)
        super().fail(t_ns, error, is_refused=is_refused)
        self._say_phase(t_ns)

    def stop(self, t_ns: int) -> None:
        if not self.phase.is_over:
            self._say(t_ns, Stopped())
        super().stop(t_ns)
        self._say_phase(t_ns)

    def end_of_stream(self, t_ns: int) -> None:
        if not self.phase.is_over:
            self._say(t_ns, Closed())
        super().end_of_stream(t_ns)
        self._say_phase(t_ns)

    def note_lag(self, lag_ms: float) -> None:
        super().note_lag(lag_ms)
        if lag_ms > self._told_lag_ms:
            self._told_lag_ms = lag_ms
            self._say(None, Lag(lag_ms=round(lag_ms, 3)))

    def note_clock(self, *, is_kernel: bool) -> None:
        super().note_clock(is_kernel=is_kernel)
        if is_kernel is not self._is_kernel_told:
            self._is_kernel_told = is_kernel
            self._say(None, ClockIs(is_kernel=is_kernel))

    def note_before_prefill(self, part: TtftPart) -> None:
        super().note_before_prefill(part)
        self._say(None, BeforePrefill(part=part))

    def note_wait(self, t_ns: int, reason: str, *, is_sent: bool = False) -> None:
        before = self.wait
        super().note_wait(t_ns, reason, is_sent=is_sent)
        wait = self.wait
        if wait is not None and wait != before:
            waited_ms = max(t_ns - wait.since_ns, 0) / 1e6
            event = Waiting(reason=wait.reason, is_sent=is_sent, waited_ms=waited_ms)
            self._say(t_ns, event)

    def note_model(self, name: str) -> None:
        super().note_model(name)
        self._say(None, ModelIs(name=name, is_asked=True))

    def note_runtime(self, numbers: RuntimeNumbers) -> None:
        super().note_runtime(numbers)
        self._say(None, Runtime(numbers=numbers))

    def note_counted(self, tokens: int, prompt: Sequence[int]) -> None:
        super().note_counted(tokens, prompt)
        self._say(None, Counted(tokens=tokens, prompt=tuple(prompt)))

    def _say_delta(self, t_ns: int, delta: Delta) -> None:
        if isinstance(delta, TextDelta | ThinkingDelta | RefusalDelta):
            if delta.text:
                self._say(t_ns, self._token(t_ns, delta))
        elif isinstance(delta, UsageDelta):
            self._say(t_ns, Usage(usage=delta))
        elif isinstance(delta, FinishDelta):
            self._say(t_ns, Finish(reason=delta.reason, response_id=delta.response_id))
        elif isinstance(delta, ModelDelta):
            self._say(t_ns, ModelIs(name=delta.name))
        elif isinstance(delta, UnreadDelta):
            self._say(t_ns, Unread(text=delta.text, is_loss=delta.is_loss))
        elif isinstance(delta, FailureDelta):
            self._say(t_ns, ServerError(message=delta.message))
        elif isinstance(delta, DoneDelta):
            self._say(t_ns, EndMark())

    def _token(self, t_ns: int, delta: TextDelta | ThinkingDelta | RefusalDelta) -> Token:
        gap_ms = None if self._last_ns is None else round((t_ns - self._last_ns) / 1e6, 3)
        self._last_ns = t_ns
        channel: Channel = "thinking" if self.phase is Phase.THINKING else "answer"
        if isinstance(delta, RefusalDelta):
            channel = "refusal"
        elif isinstance(delta, ThinkingDelta):
            channel = "thinking"
        is_tagged = channel == "thinking" and isinstance(delta, TextDelta)
        return Token(channel=channel, text=delta.text, is_tagged=is_tagged, gap_ms=gap_ms)
