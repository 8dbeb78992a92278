"""One answer in flight: deltas in, sanitised segments and numbers out. Numbers are final here.

A chunk counts as a token, and the first one ends the TTFT, if its delta carries any text at all,
also where that text is a part of a ``<think>`` tag or white space: the model spent a token on it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from threading import Lock

from tui.core.text.sanitize import clean_line
from tui.core.turn import finish
from tui.core.turn.answer_text import AnswerText, chars_limit
from tui.core.turn.chunk_log import ChunkMeaning
from tui.core.turn.chunk_words import ChunkEnds, ChunkWords
from tui.core.turn.estimate import TOKENS_PER_MESSAGE, message_tokens, token_weight
from tui.core.turn.finish_seen import FinishSeen
from tui.core.turn.last_usage import LastUsage
from tui.core.turn.meter import Meter
from tui.core.turn.runtime_numbers import RuntimeNumbers, with_runtime
from tui.core.turn.server_wait import ServerWait, continued
from tui.core.turn.turn_note import end_error, turn_note
from tui.core.turn.turn_piece import TurnMark, TurnPiece, piece_since
from tui.core.turn.turn_stats import TurnStats
from tui.core.turn.unread_events import UnreadEvents
from tui.core.types import (
    ArrivalClockName,
    ChatRequest,
    CleanText,
    CumulativeDelta,
    Delta,
    DoneDelta,
    FailureDelta,
    FinishDelta,
    ModelDelta,
    Phase,
    RefusalDelta,
    Segment,
    SegmentKind,
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
MAX_MODEL_CHARS = 120


class Turn:
    """One answer from the request to its end.

    One thread writes (``sent``, ``accepted``, ``feed``, ``fail``, ``stop``, ``end_of_stream``,
    ``note_lag``), another may read at any time. What arrives after the end is ignored.
    """

    def __init__(
        self,
        request: ChatRequest,
        t0_ns: int,
        chunk_meaning: ChunkMeaning = "token",
        context_tokens: int | None = None,
        last_usage: LastUsage | None = None,
    ) -> None:
        self.request = request
        self.t0_ns = t0_ns
        self.chunk_meaning = chunk_meaning
        self._runtime: RuntimeNumbers | None = None
        self._last_usage = last_usage
        self.is_usage_stale = False
        """The server reported the numbers of the answer before; they were dropped."""
        self._meter = Meter(
            t0_ns,
            chunk_meaning,
            max_tokens=request.settings.max_tokens if request.settings.max_tokens > 0 else None,
            context_tokens=context_tokens,
            prompt_tokens=message_tokens(request.messages),
            new_prompt_tokens=message_tokens(request.messages[-1:]),
            is_prompt_new=all(message.role != "assistant" for message in request.messages),
        )
        self._lock = Lock()
        self._words = AnswerText()
        self._chunk_words = ChunkWords()
        self._n_reads = [0, 0]
        self._phase = Phase.WAITING
        self._status: TurnStatus | None = None
        self._error: TurnError | None = None
        self._wait: ServerWait | None = None
        self._finish = FinishSeen()
        self._asked_model = request.model
        self._told_model = ""
        self._has_refusal = False
        self.is_cumulative = False
        """Every event of the stream held the whole text so far."""
        self.unread = UnreadEvents()
        """The events of the stream that could not be understood."""
        self._n_chars = 0
        self._max_chars = chars_limit(request.settings.max_tokens)

    # -- the writer ----------------------------------------------------------------------------

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

    # -- the reader ----------------------------------------------------------------------------

    @property
    def clock(self) -> ArrivalClockName:
        """Who stamped the tokens: ``kernel`` where it stamped every read, else ``read``."""
        n_late, n_exact = self._n_reads
        return "kernel" if n_exact and not n_late else "read"

    def take_pending(self) -> list[Segment]:
        """What is new since the last call: see :meth:`AnswerText.take_pending`."""
        with self._lock:
            return self._words.take_pending()

    @property
    def prompt(self) -> str:
        """The words of the user that this turn answers, as they were written."""
        return self.request.prompt

    @property
    def model(self) -> str:
        """The model that answers: what the server says in its stream, else the one it was asked
        for; sanitised, empty where neither is known."""
        return clean_line(self._told_model or self._asked_model, MAX_MODEL_CHARS)

    @property
    def has_pending(self) -> bool:
        """Whether :meth:`take_pending` would return anything."""
        return self._words.has_pending

    @property
    def n_chars(self) -> int:
        """How many characters came, before they were cleaned."""
        return self._n_chars

    def parts(self, kind: SegmentKind) -> Iterator[str]:
        """All segments of a kind so far, in pieces: for a text that must not be held twice. Blanks
        at the end of the thinking are none of it (:func:`without_end_blanks`)."""
        with self._lock:
            return self._words.parts(kind)

    def joined(self, kind: SegmentKind) -> CleanText:
        """All segments of a kind so far as one text. Joins it: not for every frame."""
        with self._lock:
            return self._words.joined(kind)

    @property
    def text(self) -> CleanText:
        """The whole answer so far. Joins it: not for every frame."""
        return self.joined("text")

    @property
    def thinking(self) -> str:
        """The whole thinking so far, without white space at its end."""
        return self.joined("thinking").rstrip()

    @property
    def stamps_ns(self) -> array[int]:
        """When each chunk of text or thinking arrived, for a report."""
        with self._lock:
            return self._meter.stamps_ns

    def piece_since(self, mark: TurnMark) -> TurnPiece:
        """What is new for a reader who has the answer up to that mark; only that is copied."""
        with self._lock:
            return piece_since(mark, self._words, self._meter, self._chunk_words)

    @property
    def chunk_ends(self) -> ChunkEnds:
        """Which words each chunk brought."""
        with self._lock:
            return self._chunk_words.ends()

    @property
    def phase(self) -> Phase:
        return self._phase

    @property
    def wait(self) -> ServerWait | None:
        """What the prompt waits for; None where the server has taken it, and at the end."""
        return self._wait if self._phase is Phase.WAITING else None

    @property
    def status(self) -> TurnStatus | None:
        """How it ended; None while it runs."""
        return self._status

    @property
    def error(self) -> TurnError | None:
        return self._error

    @property
    def finish_reason(self) -> str | None:
        """The server's own word for the end."""
        return self._finish.reason

    @property
    def response_id(self) -> str | None:
        """The server's own name of the answer, where its log has it."""
        return self._finish.response_id

    @property
    def note(self) -> str | None:
        """One sentence about an answer that did not fail and is not whole: one that reached the
        token limit, has no text, lost events, or came as whole texts."""
        unread = self.unread.note if self._error is None else ""
        has_thought = self._words.has_words("thinking")
        return turn_note(
            self._status,
            self._finish.reason,
            has_thought=has_thought,
            unread=unread,
            is_cumulative=self.is_cumulative,
        )

    @property
    def runtime(self) -> RuntimeNumbers | None:
        """The runtime's own numbers; None where nobody could read them."""
        return self._runtime

    @property
    def has_late_numbers(self) -> bool:
        """Whether numbers came after the end of the answer."""
        return self._runtime is not None or self._meter.is_counted

    @property
    def is_reclassified(self) -> bool:
        """A closing tag without an opening one has turned earlier text into thinking."""
        return self._words.is_reclassified

    def stats(self, now_ns: int) -> TurnStats:
        """Every number as of ``now_ns``; microseconds of work, meant for 2-4 calls a second."""
        with self._lock:
            stats = with_runtime(
                self._meter.stats(now_ns, self._phase),
                self._runtime,
                is_chunk_token=self.chunk_meaning == "token",
            )
            wait = self.wait
            return replace(
                stats,
                elapsed_s=stats.elapsed_s if wait is None else (now_ns - wait.since_ns) / 1e9,
                is_marked=stats.is_marked and self.clock != "kernel",
                is_at_limit=finish.is_limit(self._finish.reason) and self._phase is Phase.DONE,
                unread_events=self.unread.count,
            )

    # -- inside, under the lock ----------------------------------------------------------------

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
