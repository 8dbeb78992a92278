"""Plain OpenAI-compatible servers; also used for unrecognised servers.

Protocol: ``POST /v1/chat/completions`` with ``stream: true`` answers with server-sent events of
``{"choices": [{"delta": {"content"}, "finish_reason"}], "usage"}``, ended by ``data: [DONE]``.
Chunks as bare lines of JSON, without ``data:``, are taken as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from tui.core.turn.finish import is_finish, word_of
from tui.core.types import (
    ChatRequest,
    Delta,
    DoneDelta,
    FailureDelta,
    FinishDelta,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    UnreadDelta,
    UsageDelta,
)
from tui.servers.dialects import model_list
from tui.servers.dialects.chunk import (
    DONE,
    MAX_UNREAD_CHARS,
    error_of_choice,
    first_choice,
    has_text,
    holds_text,
    holds_text_below,
    is_end_kind,
    is_error,
    is_error_kind,
    is_error_text,
    json_values,
    model_of,
    without_error_word,
)
from tui.servers.dialects.delta_texts import deltas_of
from tui.servers.dialects.dialect import Answer, Dialect, Identity, Json, ModelRoutes
from tui.servers.dialects.error_text import body_message, html_message, quoted, readable_error
from tui.servers.dialects.limits import SettingLimit
from tui.servers.dialects.new_text import NewText
from tui.servers.dialects.sse import Event, SseParser
from tui.servers.dialects.usage import UsageCheck
from tui.servers.dialects.whole_body import WholeBody

NAME = "OpenAI-compatible"

LIMITS = (
    SettingLimit("temperature", 0.0, 2.0),
    SettingLimit("top_p", 0.0, 1.0),
    SettingLimit("top_k", is_applied=False, note="not sent: no field of this protocol"),
    SettingLimit("repeat_penalty", is_applied=False, note="not sent: no field of this protocol"),
    SettingLimit("max_tokens", 1),
    SettingLimit("is_thinking", is_applied=False, note="the server decides"),
)


def chat_body(request: ChatRequest) -> dict[str, Json]:
    """The fields that every such server knows; the model only where one was chosen."""
    settings = request.settings
    body: dict[str, Json] = {"model": request.model} if request.model else {}
    body["messages"] = [{"role": m.role, "content": m.content} for m in request.messages]
    body["stream"] = True
    body["stream_options"] = {"include_usage": True}
    body["temperature"] = settings.temperature
    body["top_p"] = settings.top_p
    body["max_tokens"] = settings.max_tokens
    return body


def body_without_usage(request: ChatRequest) -> dict[str, Json]:
    """The fields of servers that count tokens unasked and take ``top_k``."""
    settings = request.settings
    return {
        "model": request.model,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "stream": True,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "top_k": settings.top_k,
        "max_tokens": settings.max_tokens,
    }


Reported = Callable[[Mapping[str, Json]], UsageDelta | None]
"""A chunk of a stream -> the numbers that the server reports in it."""


class ChatDecoder:
    """One streamed answer. Also takes what some servers send instead: one JSON object, a page."""

    def __init__(
        self,
        request: ChatRequest,
        *,
        is_usage_counted: bool = True,
        is_model_told: bool = True,
        reported: Reported | None = None,
        has_pieces: bool = False,
    ) -> None:
        """``is_model_told`` is False for a server whose chunks hold the name that was asked for,
        whatever answers. ``reported`` reads a server's own numbers off a chunk; they replace its
        ``usage``. ``has_pieces``: its chunks are known to hold only what is new."""
        self._check = UsageCheck(request) if is_usage_counted and reported is None else None
        self._reported = reported
        self._numbers: UsageDelta | None = None
        self._is_model_wanted = is_model_told
        self._sse = SseParser()
        self._body: WholeBody | None = None
        self._new = NewText(has_pieces=has_pieces)
        self._n_reads = 0
        self._is_sniffed = False
        self._usage: Json = None
        self._timings: Json = None
        self._unread = ""
        self._n_readable = 0
        self._is_over = False
        self._nonsense: str | None = None

    @property
    def nonsense(self) -> str | None:
        return self._nonsense

    def feed(self, data: bytes) -> list[Delta]:
        self._n_reads += 1
        if self._is_over or self._nonsense:
            return []
        if not self._is_sniffed:
            data = data.lstrip(b" \t\r\n")
            if not data:
                return []
            self._is_sniffed = True
            if data[:1] in b"{<":
                self._body = WholeBody()
        if self._body is not None:
            self._body.feed(data)
            if self._body.is_too_long:
                self._nonsense = "an endless body that is not an event stream"
            if not self._body.is_lines:
                return []
            data, self._body = self._body.data, None
        return self._events(self._sse.feed(data))

    def held(self) -> list[Delta]:
        return self._new.held(self._n_reads)

    def close(self) -> list[Delta]:
        self._n_reads += 1
        if self._is_over or self._nonsense:
            return []
        if self._body is not None:
            return self._whole(self._body.text)
        deltas = self._events(self._sse.close())
        if not self._is_over:
            deltas += [*self._held_back(), *self._checked_usage()]
        self._is_over = True
        if self._unread and not self._n_readable and not self._nonsense:
            what = "lines of JSON in another format" if self._unread[:1] == "{" else "no JSON"
            self._nonsense = f"events that are {what}: {quoted(self._unread)}"
        return deltas

    def _events(self, events: list[Event]) -> list[Delta]:
        deltas: list[Delta] = []
        for event in events:
            if self._is_over:
                break
            deltas += self._event(event)
        if self._sse.broken and not self._is_over:
            self._nonsense = self._sse.broken
        return deltas

    def _event(self, event: Event) -> list[Delta]:
        data = event.data.strip()
        if event.is_stray and data[:6].lower() == "error:":
            # An error in a field of its own, beside ``data``.
            return self._failure(body_message(data[6:].strip(), "") or "")
        is_error_event = is_error_kind(event.kind)
        if is_error_event and not data:
            return self._failure("")
        values, rest = json_values(data)
        deltas: list[Delta] = []
        for value in values:
            if self._is_over:
                return deltas
            deltas += self._value(value, is_error_event)
        if not self._is_over and not rest and not has_text(deltas) and is_end_kind(event.kind):
            return [*deltas, *self._value(DONE, is_error_event=False)]
        if self._is_over or not rest:
            return deltas
        if is_error_event or is_error_text(rest):
            return deltas + self._failure(without_error_word(rest))
        return [*deltas, self._not_read(rest, is_loss=rest[:1] == "{")]

    def _value(self, value: Json, is_error_event: bool) -> list[Delta]:
        """What one JSON value of an event says."""
        if value == DONE:
            self._is_over = True
            return [*self._held_back(), *self._checked_usage(), DoneDelta()]
        if isinstance(value, str) and value.strip():
            if is_error_event or is_error_text(value):
                return self._failure(without_error_word(value))
            return [self._not_read(value, is_loss=False)]
        if isinstance(value, list):
            return self._values(value, is_error_event)
        if not isinstance(value, dict):
            self._n_readable += 1
            return []
        if is_error_event or is_error(value):
            self._n_readable += 1
            return self._failure(readable_error(error_of_choice(value) or value) or "")
        is_known = any(name in value for name in ("choices", "usage", "timings", "perf"))
        if not is_known:
            is_loss = holds_text(value)
            if not is_loss and not holds_text_below(value):
                return []
            return [self._not_read(json.dumps(value, ensure_ascii=False), is_loss=is_loss)]
        self._n_readable += 1
        return self._chunk(value)

    def _values(self, values: list[Json], is_error_event: bool) -> list[Delta]:
        """Several chunks in one list."""
        deltas: list[Delta] = []
        for value in values:
            if self._is_over:
                break
            if isinstance(value, list):
                text = json.dumps(value, ensure_ascii=False)
                deltas.append(self._not_read(text, is_loss=True))
            else:
                deltas += self._value(value, is_error_event)
        return deltas

    def _not_read(self, text: str, *, is_loss: bool) -> UnreadDelta:
        self._unread = self._unread or text[:MAX_UNREAD_CHARS]
        return UnreadDelta(text[:MAX_UNREAD_CHARS], is_loss)

    def _failure(self, message: str) -> list[Delta]:
        self._is_over = True
        return [*self._held_back(), FailureDelta(message)]

    def _chunk(self, chunk: dict[str, Json]) -> list[Delta]:
        model = model_of(chunk) if self._is_model_wanted else None
        if model is None:
            return self._content(chunk)
        self._is_model_wanted = False
        return [model, *self._content(chunk)]

    def _content(self, chunk: dict[str, Json]) -> list[Delta]:
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
        if isinstance(chunk.get("timings"), dict):
            self._timings = chunk["timings"]
        if self._reported is not None:
            self._numbers = self._reported(chunk) or self._numbers
        choice = first_choice(chunk.get("choices"))
        delta, message = choice.get("delta"), choice.get("message")
        reason = word_of(choice.get("finish_reason"))
        finish = FinishDelta(reason) if reason is not None and is_finish(reason) else None
        if isinstance(message, dict) and not isinstance(delta, dict):
            deltas = self._new.in_message(deltas_of(message))
        else:
            words = delta if isinstance(delta, dict) else {"content": choice.get("text") or delta}
            deltas = self._new.in_delta(deltas_of(words), self._n_reads, finish)
        self._count(deltas)
        return deltas if finish is None else [*deltas, finish]

    def _count(self, deltas: list[Delta]) -> None:
        if self._check is not None:
            for found in deltas:
                if isinstance(found, TextDelta | ThinkingDelta | RefusalDelta):
                    self._check.count(found.text, is_thinking=isinstance(found, ThinkingDelta))

    def _held_back(self) -> list[Delta]:
        """What was held back until it is known whether the texts of this server are whole."""
        deltas = self._new.at_end(self._n_reads)
        self._count(deltas)
        return deltas

    def _whole(self, text: str) -> list[Delta]:
        self._is_over = True
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            values, rest = json_values(text)
            if len(values) > 1:
                # Chunks without anything between them.
                self._is_over = False
                deltas = self._values(values, is_error_event=False)
                if rest and not self._is_over:
                    deltas.append(self._not_read(rest, is_loss=False))
                return deltas if self._is_over else [*deltas, *self._checked_usage()]
            is_page = text.lstrip()[:1] == "<"
            page = f"a web page ({html_message(text)})"
            self._nonsense = page if is_page else "a body that is no JSON and no event stream"
            return []
        if not isinstance(body, dict):
            self._nonsense = "a body that is not an answer"
            return []
        if is_error(body):
            return [FailureDelta(readable_error(body) or "")]
        deltas = self._chunk(body)
        if not isinstance(body.get("choices"), list):
            message = readable_error(body)
            self._nonsense = "an answer without choices" + (f": {message}" if message else "")
            return []
        return [*deltas, *self._checked_usage(), DoneDelta()]

    def _checked_usage(self) -> list[Delta]:
        usage, self._usage = self._usage, None
        timings, self._timings = self._timings, None
        numbers, self._numbers = self._numbers, None
        if numbers is not None:
            return [numbers]
        if self._check is None:
            return []
        found: list[Delta] = []
        if isinstance(usage, dict):
            checked = self._check.believed(usage)
            found += [] if checked is None else [checked]
        if isinstance(timings, dict):
            found += [self._check.timed(timings)]
        return found


def identify(answers: Mapping[str, Answer]) -> Identity | None:
    """Any server that lists models in the shape of ``GET /v1/models``."""
    answer = answers.get("/v1/models")
    if answer is None or not answer.is_ok or not isinstance(answer.json, dict):
        return None
    return Identity(NAME) if isinstance(answer.json.get("data"), list) else None


DIALECT = Dialect(
    name=NAME,
    identify=identify,
    chat_path="/v1/chat/completions",
    chat_body=chat_body,
    decoder=ChatDecoder,
    chunk_meaning="unknown",
    limits=LIMITS,
    is_stopped_by_disconnect=True,
    models=ModelRoutes(
        list_paths=("/v1/models",),
        parse_list=model_list.parse_models,
        why_no_load="this protocol has no route for it",
    ),
)
