"""One answer in flight: deltas in, sanitised segments and numbers out. Numbers are final here.

A chunk counts as a token, and the first one ends the TTFT, if its delta carries any text at all,
also where that text is a part of a ``<think>`` tag or white space: the model spent a token on it.

How a turn ends (:data:`tui.core.types.TurnStatus`):

===========  ====================================================================================
complete     the server said that it finished, and some text or thinking came
empty        the server said that it finished, and nothing but white space came
stopped      the user stopped it, at whatever point
interrupted  something had arrived when the stream was cut, stalled or failed
refused      the server, or our check of its limits, did not accept the request
error        it failed before anything arrived
===========  ====================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from tui.core.text.sanitize import Sanitizer, clean_line
from tui.core.turn.estimate import message_tokens, token_weight
from tui.core.turn.gaps import GapSummary
from tui.core.turn.meter import ChunkMeaning, Meter, TurnStats
from tui.core.turn.result import TurnResult
from tui.core.turn.think import Reclassified, ThinkSplitter
from tui.core.types import (
    ArrivalClockName,
    ChatRequest,
    Delta,
    DoneDelta,
    FailureDelta,
    FinishDelta,
    Phase,
    Segment,
    SegmentKind,
    TextDelta,
    ThinkingDelta,
    TurnError,
    TurnStatus,
    UsageDelta,
)

REFUSAL_KINDS = frozenset(("validation", "busy"))
TRANSPORT_KINDS = frozenset(("cut", "stalled", "no_first_byte", "io"))
"""Failures of the line. After the server's finish they take nothing away from the answer."""
MAX_ERROR_CHARS = 400
MAX_PARTS = 1024


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
    ) -> None:
        self.request = request
        self.t0_ns = t0_ns
        self._meter = Meter(
            t0_ns,
            chunk_meaning,
            max_tokens=request.settings.max_tokens if request.settings.max_tokens > 0 else None,
            context_tokens=context_tokens,
            prompt_tokens=message_tokens(request.messages),
            is_prompt_new=all(message.role != "assistant" for message in request.messages),
        )
        self._lock = Lock()
        self._splitter = ThinkSplitter()
        self._text_gate = Sanitizer()
        self._thinking_gate = Sanitizer()
        self._parts: dict[SegmentKind, list[str]] = {"text": [], "thinking": []}
        self._pending: list[tuple[SegmentKind, list[str]]] = []
        self._is_reclassified = False
        self._is_marker_pending = False
        self._has_given_text = False
        self._n_reads = [0, 0]
        self._phase = Phase.WAITING
        self._status: TurnStatus | None = None
        self._error: TurnError | None = None
        self._finish_reason: str | None = None
        self._has_finish = False
        self._server_error: str | None = None

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
            if self._has_finish:
                self._complete(t_ns)
                return
            count = self._meter.tokens
            when = f"after {count} tokens" if count else "before the first token"
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

    # -- the reader ----------------------------------------------------------------------------

    @property
    def clock(self) -> ArrivalClockName:
        """Who stamped the tokens: ``kernel`` where it stamped every read, else ``read``."""
        n_late, n_exact = self._n_reads
        return "kernel" if n_exact and not n_late else "read"

    def take_pending(self) -> list[Segment]:
        """What is new since the last call, at most a segment for each change of kind.

        A :class:`~tui.core.turn.think.Reclassified`: all *text* taken before is thinking. It
        comes at most once in a turn, and then as the first segment.
        """
        with self._lock:
            segments: list[Segment] = []
            if self._is_marker_pending:
                segments.append(Reclassified())
                self._is_marker_pending = False
            segments.extend(Segment(kind, "".join(parts)) for kind, parts in self._pending)
            self._has_given_text = self._has_given_text or any(
                kind == "text" for kind, _ in self._pending
            )
            self._pending.clear()
            return segments

    @property
    def prompt(self) -> str:
        """The words of the user that this turn answers, as they were written."""
        messages = self.request.messages
        return next((m.content for m in reversed(messages) if m.role == "user"), "")

    @property
    def has_pending(self) -> bool:
        """Whether :meth:`take_pending` would return anything."""
        return bool(self._pending) or self._is_marker_pending

    @property
    def text(self) -> str:
        """The whole answer so far. Joins it: not for every frame."""
        return self._joined("text")

    @property
    def thinking(self) -> str:
        """The whole thinking so far, without white space at its end."""
        return self._joined("thinking").rstrip()

    @property
    def tokens(self) -> int:
        """Tokens so far, by the best count there is; see :class:`TurnStats` for its source."""
        with self._lock:
            return self._meter.tokens

    @property
    def stamps_ns(self) -> tuple[int, ...]:
        """When each chunk of text or thinking arrived, for a report."""
        with self._lock:
            return self._meter.stamps_ns

    @property
    def phase(self) -> Phase:
        return self._phase

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
        return self._finish_reason

    @property
    def server_error(self) -> str | None:
        """The server's message where it reported an error inside the stream, in one line."""
        return self._server_error

    @property
    def is_reclassified(self) -> bool:
        """A closing tag without an opening one has turned earlier text into thinking."""
        return self._is_reclassified

    def elapsed_s(self, now_ns: int) -> float:
        """Seconds from the request to now, or to the end."""
        return self.stats(now_ns).elapsed_s

    def stats(self, now_ns: int) -> TurnStats:
        """Every number as of ``now_ns``; microseconds of work, meant for 2-4 calls a second."""
        with self._lock:
            return self._meter.stats(now_ns, self._phase)

    def result(self, now_ns: int, server: str | None = None) -> TurnResult:
        """The finished turn. One that still runs counts as interrupted (error, if nothing came)."""
        stats = self.stats(now_ns)
        is_unknown = stats.tokens_source == "unknown"
        return TurnResult(
            text=self.text,
            thinking=self.thinking,
            model=clean_line(self.request.model),
            server=None if server is None else clean_line(server),
            status=self._status or ("interrupted" if stats.chunks else "error"),
            finish=self._finish_reason,
            ttft_ms=stats.ttft_ms,
            latency_ms=stats.latency_ms,
            tokens_out=None if is_unknown else stats.tokens,
            tokens_source=stats.tokens_source,
            decode_tps=stats.decode_tps,
            decode_source=stats.decode_source,
            prefill_ms=stats.prefill_ms,
            prefill_tps=stats.prefill_tps,
            prefill_source=stats.prefill_source,
            itl_ms=GapSummary(
                stats.itl_p50_ms, stats.itl_p90_ms, stats.itl_p99_ms, stats.itl_max_ms
            ),
            clock=self.clock,
            chunks=stats.chunks,
            error=self._error,
        )

    # -- inside, under the lock ----------------------------------------------------------------

    def _take(self, t_ns: int, delta: Delta) -> None:
        if isinstance(delta, TextDelta):
            if delta.text:
                self._take_text(t_ns, delta.text)
        elif isinstance(delta, ThinkingDelta):
            if delta.text:
                self._take_thinking(t_ns, delta.text)
        elif isinstance(delta, UsageDelta):
            self._meter.usage(delta)
        elif isinstance(delta, FinishDelta):
            self._has_finish = True
            if delta.reason is not None:
                self._finish_reason = clean_line(delta.reason, MAX_ERROR_CHARS)
        elif isinstance(delta, FailureDelta):
            message = clean_line(delta.message, MAX_ERROR_CHARS)
            self._server_error = message
            sentence = f"The server reported an error: {message}" if message else ""
            sentence = sentence or "The server reported an error without saying which."
            self._fail(t_ns, TurnError("server", sentence), None)
        elif isinstance(delta, DoneDelta):
            self._has_finish = True
            self._complete(t_ns)

    def _take_text(self, t_ns: int, raw: str) -> None:
        clean = self._text_gate.feed(raw)
        was_thinking = self._splitter.is_thinking
        segments = self._splitter.feed(clean)
        kind: SegmentKind | None = segments[-1].kind if segments else None
        if kind is None and (was_thinking or self._splitter.is_thinking):
            kind = "thinking"
        self._mark(t_ns, kind, clean)
        self._give(segments)

    def _take_thinking(self, t_ns: int, raw: str) -> None:
        clean = self._thinking_gate.feed(raw)
        self._splitter.note_thinking()
        self._mark(t_ns, "thinking", clean)
        if clean:
            self._give([Segment("thinking", clean)])

    def _mark(self, t_ns: int, kind: SegmentKind | None, clean: str) -> None:
        self._meter.mark(t_ns, kind, len(clean), token_weight(clean))
        self._phase = Phase.THINKING if kind == "thinking" else Phase.ANSWERING

    def _give(self, segments: list[Segment]) -> None:
        for segment in segments:
            if isinstance(segment, Reclassified):
                self._reclassify()
                continue
            parts = self._parts[segment.kind]
            parts.append(segment.text)
            if len(parts) > MAX_PARTS:  # a string for each token takes ten times its text's room
                parts[:] = ["".join(parts)]
            if self._pending and self._pending[-1][0] == segment.kind:
                self._pending[-1][1].append(segment.text)
            else:
                self._pending.append((segment.kind, [segment.text]))

    def _reclassify(self) -> None:
        """Text becomes thinking: what a reader has not taken yet, silently."""
        self._parts["thinking"].extend(self._parts["text"])
        self._parts["text"].clear()
        untaken = [part for _, parts in self._pending for part in parts]
        self._pending = [("thinking", untaken)] if untaken else []
        self._is_marker_pending = self._has_given_text
        self._is_reclassified = True
        self._meter.reclassify()

    def _complete(self, t_ns: int) -> None:
        self._flush()
        has_words = any(part.strip() for parts in self._parts.values() for part in parts)
        self._end(t_ns, Phase.DONE, "complete" if has_words else "empty")

    def _fail(self, t_ns: int, error: TurnError, is_refused: bool | None) -> None:
        if self._phase.is_over:
            return
        if self._has_finish and error.kind in TRANSPORT_KINDS:
            self._complete(t_ns)
            return
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
        self._flush()
        self._meter.end(t_ns)
        self._status = status
        self._phase = phase

    def _flush(self) -> None:
        """Gives out what the gate and the splitter held back."""
        thinking = self._thinking_gate.flush()
        if thinking:
            self._give([Segment("thinking", thinking)])
        self._give(self._splitter.feed(self._text_gate.flush()))
        self._give(self._splitter.flush())

    def _joined(self, kind: SegmentKind) -> str:
        with self._lock:
            parts = self._parts[kind]
            if len(parts) > 1:
                parts[:] = ["".join(parts)]
            return parts[0] if parts else ""
