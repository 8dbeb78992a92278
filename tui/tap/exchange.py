"""One client request and its response, measured as they pass."""

from __future__ import annotations

from dataclasses import replace

from tui.core.kernel_clock import both_clocks_ns
from tui.core.text.sanitize import clean_line
from tui.core.turn.chunk_log import ChunkMeaning
from tui.core.turn.read_times import ReadTimes
from tui.core.turn.result import TurnResult, result_of
from tui.core.turn.turn import Turn
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import (
    ChatRequest,
    Delta,
    FinishDelta,
    NumberSource,
    Phase,
    TurnError,
    UsageDelta,
)
from tui.history.chunk_gaps import grouped_gaps
from tui.history.request_records import (
    ClientName,
    ClientRequest,
    RequestPhase,
    RequestStatus,
)
from tui.history.turn_json import numbers_of
from tui.servers import errors
from tui.servers.dialects.dialect import StreamDecoder
from tui.servers.exchange import TEXTS
from tui.tap.asked_request import AskedRequest, asked, decoder_of, format_of, plain_path
from tui.tap.content_decoder import ContentDecoder
from tui.tap.http1 import RequestHead, ResponseHead
from tui.tap.seen_server import NO_SETTINGS, SeenServer

MAX_REQUEST_BYTES = 8 << 20
"""Longer request bodies (with pictures) are not parsed; their prompt is unknown."""
MAX_ERROR_BYTES = 64 << 10
MAX_AGENT_CHARS = 80
MIN_QUEUE_MS = 5.0
TAP_ENDED = "npulse tap ended before the answer did."
_MEANINGS: dict[str, ChunkMeaning] = {"ollama": "token", "rkllm_chat": "character"}
"""Content of one chunk, for formats that only one kind of server uses."""
_WHOLE = ("complete", "empty", "refused")
_STREAMS = ("text/event-stream", "ndjson", "jsonl", "text/plain")


class Exchange:
    """Measures one request from its events, which come in order with ``perf_counter_ns`` times."""

    def __init__(self, client: ClientName, head: RequestHead, server: SeenServer) -> None:
        agent = clean_line(head.headers.get("user-agent", ""), MAX_AGENT_CHARS)
        self.client = replace(client, user_agent=agent or None)
        self.method = clean_line(head.method, 20)
        self.path = plain_path(head.target) if head.target else ""
        self.is_upgrade = "upgrade" in head.headers or head.method == "CONNECT"
        self.id = 0
        """Row id in the history; 0 before it is stored."""
        self.sent_ns = 0
        """When the whole request had arrived, or been forwarded if it had to wait; 0 before."""
        self.ended_ns = 0
        self.is_over = False
        self.turn: Turn | None = None
        """None before the request is complete, and if it asks for no answer."""
        self.queued_until_ns = 0
        """End of the answer that this request waited for."""
        self._told_queue_ms: float | None = None
        self._server = server
        self._may_ask = head.method == "POST" and format_of(self.path) is not None
        self._body = bytearray()
        self._request_content = ContentDecoder(head.headers.get("content-encoding", ""))
        self._is_body_too_long = False
        self._asked: AskedRequest | None = None
        self._decoder: StreamDecoder | None = None
        self._times = ReadTimes()
        self._content: ContentDecoder | None = None
        self._http_status: int | None = None
        self._content_type = ""
        self._is_streamed: bool | None = None
        self._error_body = bytearray()
        self._unread: str | None = None
        self._client_left_ns = 0
        self._chunks = 0
        self._chunks_when_left = 0
        self._is_told = False
        """Whether the server has reported the prompt's token count."""
        self.is_waiting = False
        """Whether an earlier answer is still running."""
        self.is_behind_orphan = False
        """Whether the server was still generating an answer whose client had left. Its end cannot
        be observed, so the queue time is unknown.
        """
        self.first_chunk_ns = 0
        self.last_chunk_ns = 0
        """Time of the last text; 0 before the first."""
        self.bytes_in = self.bytes_out = 0

    # -- the request ---------------------------------------------------------------------------

    @property
    def is_answer(self) -> bool:
        """Whether it asks for an answer or for embeddings; False until the request is complete."""
        return self._asked is not None

    @property
    def _is_embedding(self) -> bool:
        return self._asked is not None and self._asked.is_embedding

    @property
    def is_unread(self) -> bool:
        """Whether npulse cannot parse the request or its response."""
        return self._unread is not None

    def request_body(self, data: bytes) -> None:
        self.bytes_in += len(data)
        if not self._may_ask:
            return
        if len(self._body) + len(data) > MAX_REQUEST_BYTES:
            self._is_body_too_long = True
            return
        self._body += self._request_content.plain(data)

    def request_end(self, sent_ns: int) -> None:
        """The request is complete: its last byte arrived at that time, and was forwarded."""
        if self.sent_ns:
            return
        self.sent_ns = sent_ns
        if not self._may_ask:
            return
        body = b"" if self._is_body_too_long else bytes(self._body)
        self._body.clear()
        found = asked(self.path, body)
        if found is None:
            return
        self._asked = found
        meaning = _MEANINGS.get(found.format, self._server.dialect.chunk_meaning)
        self.turn = Turn(found.request, sent_ns, meaning, last_usage=self._server.last_usage)
        self.turn.sent(sent_ns)

    def flushed(self, t_ns: int) -> None:
        """The rest of the request, which the server's socket did not take at once, is forwarded
        now."""
        if self.turn is not None and self._http_status is None:
            self.sent_ns = t_ns
            self.turn.sent(t_ns)

    def waits(self) -> None:
        """The request waits for another answer."""
        self.is_waiting = True
        if self.turn is not None:
            self.turn.note_before_prefill("queue")

    # -- the answer ----------------------------------------------------------------------------

    def response_head(self, t_ns: int, head: ResponseHead) -> None:
        self.request_end(t_ns)  # a response may begin before the request is complete
        self._http_status = head.status
        self._content_type = head.headers.get("content-type", "").lower()
        if self._asked is None or self.turn is None:
            return
        self._content = ContentDecoder(head.headers.get("content-encoding", ""))
        self._told_queue_ms = _queue_ms(head.headers.get("x-queue-wait-seconds"))
        if 200 <= head.status < 300:
            self._decoder = decoder_of(self._asked, self._server.dialect)
            is_stream = any(word in self._content_type for word in _STREAMS)
            self._is_streamed = self._asked.is_streamed and is_stream
            self.turn.accepted(t_ns)

    def response_body(self, t_ns: int, data: bytes, *, is_kernel: bool) -> None:
        self.bytes_out += len(data)
        if self._content is None or self.turn is None:
            return
        plain = self._content.plain(data)
        if self._content.problem is not None:
            self._unread = self._content.problem
        if self._decoder is None:
            self._error_body += plain[: MAX_ERROR_BYTES - len(self._error_body)]
            return
        self.turn.note_clock(is_kernel=is_kernel)
        self._take(t_ns, self._decoder.feed(plain))

    def _take(self, t_ns: int, deltas: list[Delta]) -> None:
        assert self.turn is not None
        assert self._decoder is not None
        self._times.feed(self.turn, t_ns, deltas)
        count = sum(1 for delta in deltas if isinstance(delta, TEXTS) and delta.text)
        if count:
            self._chunks += count
            self.first_chunk_ns = self.first_chunk_ns or t_ns
            self.last_chunk_ns = t_ns
        self._is_told = self._is_told or any(
            isinstance(delta, UsageDelta) and delta.tokens_in is not None for delta in deltas
        )
        if self._decoder.nonsense is not None and self._unread is None:
            self._unread = f"the answer is {clean_line(self._decoder.nonsense, 160)}"

    # -- the end -------------------------------------------------------------------------------

    def client_left(self, t_ns: int) -> None:
        """The client closed its direction, or its connection broke."""
        if not self._client_left_ns:
            self._client_left_ns = t_ns
            self._chunks_when_left = self._chunks

    def not_read(self, why: str) -> None:
        """The rest of it cannot be parsed; ``why`` is a clause."""
        self._unread = self._unread or why

    def end(self, t_ns: int, *, is_cut: bool, cut_by: str = "") -> None:
        """The response ended. ``is_cut``: before it was complete; ``cut_by`` is the reason, a
        clause."""
        if self.is_over:
            return
        self.is_over = True
        self.ended_ns = t_ns
        turn = self.turn
        if turn is None:
            return
        status = self._http_status
        if self._decoder is not None:
            if not (is_cut and self._is_embedding):  # half a JSON document cannot be parsed
                self._take(t_ns, self._decoder.close())
            if not is_cut and self._server.dialect.is_finished_by_end:
                self._take(t_ns, [FinishDelta("end")])
            if is_cut and not turn.phase.is_over and turn.finish_reason is None:
                by_server = errors.cut(self._server.url, self._chunks, cut_by)
                turn.fail(t_ns, TurnError("cut", cut_by) if cut_by == TAP_ENDED else by_server)
            else:
                turn.end_of_stream(t_ns)
        elif status is not None:
            said = bytes(self._error_body).decode("utf-8", "replace")
            url = self._server.url + self.path
            error = errors.http_status(url, status, self._content_type, said)
            is_refused = 400 <= status < 500 or status in errors.BUSY_STATUSES
            turn.fail(t_ns, error, is_refused=is_refused)
        elif not turn.phase.is_over:
            turn.fail(t_ns, TurnError("cut", cut_by or _NO_ANSWER))

    # -- the record ----------------------------------------------------------------------------

    def record(self, now_ns: int, *, has_text: bool = False) -> ClientRequest:
        """The request's history record as of ``now_ns``. ``has_text``: with prompt and answer."""
        turn = self.turn or Turn(_NOTHING, self.sent_ns or now_ns)
        stats = turn.stats(now_ns)
        result = result_of(turn, now_ns, self._server.name, has_words=has_text)
        wall_ns, perf_ns = both_clocks_ns()
        wall_ms = (wall_ns - perf_ns) / 1e6
        queue_ms, queue_source = self._queue()
        model = turn.model
        made = ClientRequest(
            id=self.id,
            started_ms=round(wall_ms + (self.sent_ns or now_ns) / 1e6),
            ended_ms=round(wall_ms + self.ended_ns / 1e6) if self.is_over else None,
            client=self.client,
            method=self.method,
            path=self.path,
            origin=self._server.origin(model),
            status=self._status(result) if self.is_over else "running",
            phase=None if self.is_over else self._phase(stats.phase),
            is_streamed=self._is_streamed,
            http_status=self._http_status,
            tokens_in=(stats.prompt_tokens or None) if self._knows_prompt else None,
            tokens_in_source=_prompt_source(stats, is_known=self._knows_prompt),
            tokens_out=result.tokens_out,
            tokens_out_source=result.tokens_source,
            queue_ms=queue_ms,
            queue_source=queue_source,
            ttft_ms=result.ttft_ms,
            ttft_source=result.ttft_source,
            decode_tps=result.decode_tps if self.is_over else stats.rate_now_tps,
            decode_source=result.decode_source,
            note=self._note(result) if self.is_over else None,
            numbers={**numbers_of(result, stats), **self._more_numbers()},
            prompt=turn.prompt if has_text and self._asked is not None else None,
            answer=result.text if has_text else None,
        )
        made = self._with_prefill(made, stats)
        return made if self._is_streamed is not False else _as_whole(made)

    def _more_numbers(self) -> dict[str, object]:
        found: dict[str, object] = {"bytes_in": self.bytes_in, "bytes_out": self.bytes_out}
        if self._is_embedding:
            found["operation"] = "embeddings"
        elif self.is_over and self.turn is not None and self._is_streamed:
            found["chunk_gaps"] = grouped_gaps(self.turn.stamps_ns)
        return found

    @property
    def _knows_prompt(self) -> bool:
        """Whether the prompt was parsed, or the server reported its token count."""
        return self._asked is not None and (self._asked.is_read or self._is_told)

    @property
    def is_abandoned(self) -> bool:
        """Whether its client left before the answer was complete."""
        turn = self.turn
        return bool(self._client_left_ns) and turn is not None and turn.status not in _WHOLE

    def _queue(self) -> tuple[float | None, NumberSource]:
        if self._told_queue_ms is not None:
            return self._told_queue_ms, "runtime"
        if self.is_behind_orphan:
            return None, "unknown"
        waited_ms = (self.queued_until_ns - self.sent_ns) / 1e6
        return (waited_ms, "estimated") if waited_ms >= MIN_QUEUE_MS else (None, "unknown")

    def _with_prefill(self, made: ClientRequest, stats: TurnStats) -> ClientRequest:
        """Estimates the prefill of a prompt that was queued: TTFT minus queue time."""
        question = self._asked
        if made.ttft_ms is None or made.queue_ms is None or question is None:
            return made
        if made.numbers.get("prefill_ms") is not None or question.request.is_follow_up:
            return made
        left_ms = made.ttft_ms - made.queue_ms
        if left_ms < 1 or not stats.prompt_tokens:
            return made
        rate = round(stats.prompt_tokens * 1e3 / left_ms, 4)
        found = {"prefill_ms": left_ms, "prefill_tps": rate, "prefill_source": "estimated"}
        return replace(made, numbers={**made.numbers, **found})

    def _phase(self, phase: Phase) -> RequestPhase:
        if phase is Phase.THINKING or phase is Phase.ANSWERING:
            return "thinking" if phase is Phase.THINKING else "answering"
        return "queued" if self.is_waiting else "prefill"

    def _status(self, result: TurnResult) -> RequestStatus:
        if self.turn is None or (self._unread is not None and result.status != "complete"):
            return "unread"
        if self.is_abandoned:
            return "client gone"
        if result.status == "empty" and self._is_embedding:
            return "complete"
        return "interrupted" if result.status == "stopped" else result.status

    def _note(self, result: TurnResult) -> str | None:
        status = self._status(result)
        if status == "unread":
            return f"Not understood: {self._unread or 'not a request that npulse knows'}."
        if status == "client gone":
            return self._after_the_client()
        if result.error is not None:
            return result.error.sentence
        return None if self._is_embedding else result.note

    def _after_the_client(self) -> str:
        """A sentence on what the server did with the answer after its client had left."""
        before = self._chunks_when_left
        more = self._chunks - before
        when = f"after ~{before} tokens" if before else "before the first token"
        if more > 0:
            return f"The client left {when}; the server continued for at least ~{more} more."
        if self._server.name is None:
            return f"The client left {when}."
        if self._server.dialect.is_stopped_by_disconnect:
            return f"The client left {when}; {self._server.name} then stops."
        return f"The client left {when}; {self._server.name} continues such an answer to its end."


_NO_ANSWER = "The connection ended before the answer began."
_NOTHING = ChatRequest("", (), NO_SETTINGS)


def _prompt_source(stats: TurnStats, *, is_known: bool) -> NumberSource:
    if not is_known or not stats.prompt_tokens:
        return "unknown"
    return "estimated" if stats.prompt_tokens == stats.prompt_estimate else "runtime"


def _queue_ms(seconds: str | None) -> float | None:
    """Queue time that the server reports in a header."""
    try:
        value = float(seconds or "")
    except ValueError:
        return None
    return value * 1e3 if 0 < value < 1e6 else None


def _as_whole(made: ClientRequest) -> ClientRequest:
    """The record of an answer that arrived in one piece. Token times are unknown, so only figures
    that the server reports are kept.
    """
    kept = {
        name: value
        for name, value in made.numbers.items()
        if name not in ("ttft_ms", "ttft_source", "ttfot_ms", "thinking_s", "itl_ms")
    }
    if kept.get("prefill_source") != "runtime":
        kept = {k: v for k, v in kept.items() if not k.startswith("prefill_")}
    is_told = made.decode_source == "runtime"
    if not is_told:
        kept = {k: v for k, v in kept.items() if not k.startswith("decode_")}
    return replace(
        made,
        ttft_ms=None,
        ttft_source="unknown",
        decode_tps=made.decode_tps if is_told else None,
        decode_source=made.decode_source if is_told else "unknown",
        numbers=kept,
    )
