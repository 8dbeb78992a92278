"""One answer in flight: deltas in, sanitised segments and numbers out. Numbers are final here.

A chunk counts as a token, and the first one ends the TTFT, if its delta carries any text at all,
also where that text is a part of a ``<think>`` tag or white space: the model spent a token on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tui.core.text.sanitize import clean_line
from tui.core.turn.estimate import TOKENS_PER_MESSAGE, token_weight
from tui.core.turn.runtime_numbers import RuntimeNumbers
from tui.core.turn.server_wait import continued
from tui.core.turn.turn_note import end_error
from tui.core.turn.turn_state import TurnState
from tui.core.types import (
    CumulativeDelta,
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
    TurnStatus,
    UnreadDelta,
    UsageDelta,
)

REFUSAL_KINDS = frozenset(("validation", "busy"))
TRANSPORT_KINDS = frozenset(("cut", "stalled", "no_first_byte", "io"))
"""Failures of the line. After the server's finish they take nothing away from the answer."""
MAX_ERROR_CHARS = 400


class Turn(TurnState):
    """One answer from the request to its end.

    One thread writes (``sent``, ``accepted``, ``feed``, ``fail``, ``stop``, ``end_of_stream``,
    ``note_lag``), another may read at any time. What arrives after the end is ignored.
    """

    def sent(self, t_ns: int) -> None:
        """The request was written now: all times count from here, not from when it was made.

        Whatever a prompt waits for before it is sent (a free server, a connection) is not the
        server's time. Without this call the times count from ``t0_ns``.
        """
        with self._lock:
            if self._phase is Phase.WAITING:
                self.t0_ns = t_ns
                self._meter.t0_ns = t_ns

    def accepted(self, t_ns: int) -> None:
        """The head of a 2xx response arrived."""
        with self._lock:
            if self._phase is Phase.WAITING:
                self._phase = Phase.PREFILL
                self._meter.accepted(t_ns)
                if self._wait is not None:
                    self._meter.queued_ns = max(self.t0_ns - self._wait.since_ns, 0)

    def feed(self, t_ns: int, deltas: Iterable[Delta]) -> None:
        """What a dialect made of the bytes that arrived at ``t_ns``."""
        with self._lock:
            for delta in deltas:
                if self._phase.is_over:
                    return
                self._take(t_ns, delta)

    def note_held(self, held: Sequence[tuple[int, Delta]]) -> None:
        """What the dialect holds back as of its last read, and when each piece came: it is text of
        this answer where a stop or a failure of the line ends it now."""
        with self._lock:
            self._held = held

    def fail(self, t_ns: int, error: TurnError, *, is_refused: bool | None = None) -> None:
        """The turn failed. ``is_refused`` tells a refusal from a failure where the kind does not.

        By default the kinds ``validation`` and ``busy`` are refusals. Once something has arrived,
        it is an interruption in any case.
        """
        with self._lock:
            self._fail(t_ns, error, is_refused)

    def stop(self, t_ns: int) -> None:
        """The user stopped it. What has arrived stays."""
        with self._lock:
            self._take_held()
            self._end(t_ns, Phase.STOPPED, "stopped")

    def end_of_stream(self, t_ns: int) -> None:
        """The body ended: as it should after a finish or an end marker, else it was cut."""
        with self._lock:
            if self._phase.is_over:
                return
            if self._finish.is_finished:
                self._complete(t_ns)
                return
            count = self._meter.tokens
            when = (
                f"after {count} token{'' if count == 1 else 's'}"
                if count
                else "before the first token"
            )
            sentence = f"The connection was cut {when}; the server did not finish the answer."
            self._fail(t_ns, TurnError("cut", sentence), None)

    def note_lag(self, lag_ms: float) -> None:
        """Our own loop was late by this much, so the times around it are less certain."""
        with self._lock:
            self._meter.note_lag(lag_ms)

    def note_clock(self, *, is_kernel: bool) -> None:
        """Who stamped the bytes that are fed next: the kernel on their arrival, or we after the
        read. Without this call it is the latter."""
        with self._lock:
            self._n_reads[is_kernel] += 1

    def note_before_prefill(self, part: TtftPart) -> None:
        """The server has to do this before it begins with the prompt: the TTFT includes it."""
        with self._lock:
            if self._meter.chunks == 0 and part not in self._meter.ttft_includes:
                self._meter.ttft_includes = (*self._meter.ttft_includes, part)

    def note_wait(self, t_ns: int, reason: str, *, is_sent: bool = False) -> None:
        """The server is busy and does not take the prompt yet. The first call begins the wait."""
        with self._lock:
            self._wait = continued(self._wait, t_ns, reason, is_sent=is_sent)

    def note_model(self, name: str) -> None:
        """The model that the server was asked for, where ``request`` leaves it open."""
        with self._lock:
            self._asked_model = name or self._asked_model

    def note_runtime(self, numbers: RuntimeNumbers) -> None:
        """What the runtime says about this answer, once it is over. The last word stays."""
        with self._lock:
            self._runtime = numbers

    def note_counted(self, tokens: int, prompt: Sequence[int]) -> None:
        """What the model's tokenizer counts in the answer, and in each message of the prompt."""
        with self._lock:
            self._meter.count(tokens, sum(prompt) + TOKENS_PER_MESSAGE * len(prompt))

    # -- inside, under the lock ----------------------------------------------------------------

    def _take_held(self) -> None:
        held, self._held = self._held, ()
        for t_ns, delta in held:
            if self._phase.is_over:
                return
            self._take(t_ns, delta)

    def _take(self, t_ns: int, delta: Delta) -> None:
        if isinstance(delta, TextDelta | ThinkingDelta | RefusalDelta):
            if delta.text:
                self._take_words(t_ns, delta)
        elif isinstance(delta, UsageDelta):
            self._meter.usage(delta)
            self._finish.note_usage(t_ns)
        elif isinstance(delta, FinishDelta):
            self._finish.take(t_ns, delta)
        elif isinstance(delta, ModelDelta):
            self._told_model = delta.name
        elif isinstance(delta, UnreadDelta):
            self.unread.take(delta)
        elif isinstance(delta, CumulativeDelta):
            self.is_cumulative = True
        elif isinstance(delta, FailureDelta):
            self._take_failure(t_ns, delta.message)
        elif isinstance(delta, DoneDelta):
            self._finish.end_mark(t_ns)
            self._complete(t_ns)

    def _take_failure(self, t_ns: int, said: str) -> None:
        message = clean_line(said, MAX_ERROR_CHARS)
        what = f": {message}" if message else " without saying which."
        self._fail(t_ns, TurnError("server", f"The server reported an error{what}"), None)

    def _take_words(self, t_ns: int, delta: TextDelta | ThinkingDelta | RefusalDelta) -> None:
        """More of the answer came: then a finish before it was none, and it may be too long."""
        raw = delta.text
        if isinstance(delta, ThinkingDelta):
            piece = self._words.take_thinking(raw)
        else:
            piece = self._words.take_text(raw)
            self._has_refusal = self._has_refusal or isinstance(delta, RefusalDelta)
        if piece.is_reclassified:
            self._meter.reclassify()
            self._chunk_words.reclassify()
        self._meter.mark(t_ns, piece.kind, len(piece.clean), token_weight(piece.clean))
        words = self._words
        self._chunk_words.packed.append(words.text.n_chars << 32 | words.thinking.n_chars)
        self._phase = Phase.THINKING if piece.kind == "thinking" else Phase.ANSWERING
        if self._finish.is_finished and raw.strip():
            self._finish.withdraw()
        self._n_chars += len(raw)
        if self._n_chars > self._max_chars:
            size = f"{self._max_chars:,} characters"
            sentence = f"The server sent more than {size} for one answer; what had come is kept."
            self._fail(t_ns, TurnError("protocol", sentence), None)

    def _complete(self, t_ns: int) -> None:
        self._words.flush()
        self._finish.is_finished = False
        error = end_error(
            self._finish.bad_reason,
            has_refusal=self._has_refusal,
            loss=self.unread.note if self.unread.has_loss else "",
        )
        if error is not None:
            self._fail(t_ns, error, None)
            return
        has_words = self._words.has_words("text")
        self._end(t_ns, Phase.DONE, "complete" if has_words else "empty")

    def _fail(self, t_ns: int, error: TurnError, is_refused: bool | None) -> None:
        if self._phase.is_over:
            return
        if error.kind in TRANSPORT_KINDS:
            self._take_held()
            if self._finish.is_finished:
                self._complete(t_ns)
                return
            if self.unread.count:
                sentence = f"{error.sentence} {self.unread.note}"
                error = TurnError(error.kind, clean_line(sentence, MAX_ERROR_CHARS))
        self._error = error
        if self._meter.chunks:
            self._end(t_ns, Phase.ERROR, "interrupted")
            return
        if is_refused is None:
            is_refused = error.kind in REFUSAL_KINDS
        self._end(t_ns, Phase.ERROR, "refused" if is_refused else "error")

    def _end(self, t_ns: int, phase: Phase, status: TurnStatus) -> None:
        if self._phase.is_over:
            return
        self._words.flush()
        if self._last_usage is not None:
            self.is_usage_stale = self._meter.check_usage(self._last_usage)
        end_ns = self._finish.end_ns
        self._meter.end(t_ns if end_ns is None else end_ns)
        self._status = status
        self._phase = phase
