"""Plain OpenAI-compatible servers: also what an unrecognised server is taken for.

Protocol: ``POST /v1/chat/completions`` with ``stream: true`` answers with server-sent events of
``{"choices": [{"delta": {"content"}, "finish_reason"}], "usage"}``, ended by ``data: [DONE]``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from tui.core.types import (
    ChatRequest,
    Delta,
    DoneDelta,
    FailureDelta,
    FinishDelta,
    ModelInfo,
    TextDelta,
    ThinkingDelta,
)
from tui.servers.dialects.dialect import Answer, Dialect, Identity, Json, ModelRoutes
from tui.servers.dialects.error_text import html_message, readable_error
from tui.servers.dialects.limits import SettingLimit
from tui.servers.dialects.names import context_in_name, quantisation_in_name
from tui.servers.dialects.sse import Event, SseParser
from tui.servers.dialects.usage import UsageCheck

MAX_BODY_CHARS = 8 << 20
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


class ChatDecoder:
    """One streamed answer. Also takes what some servers send instead: one JSON object, a page."""

    def __init__(self, request: ChatRequest, *, is_usage_counted: bool = True) -> None:
        self._check = UsageCheck(request) if is_usage_counted else None
        self._sse = SseParser()
        self._body: _WholeBody | None = None
        self._is_sniffed = False
        self._usage: Json = None
        self._n_unreadable = 0
        self._n_readable = 0
        self._is_over = False
        self._nonsense: str | None = None

    @property
    def nonsense(self) -> str | None:
        return self._nonsense

    def feed(self, data: bytes) -> list[Delta]:
        if self._is_over or self._nonsense:
            return []
        if not self._is_sniffed:
            data = data.lstrip(b" \t\r\n")
            if not data:
                return []
            self._is_sniffed = True
            if data[:1] in b"{<":
                self._body = _WholeBody()
        if self._body is not None:
            self._body.feed(data)
            if self._body.is_too_long:
                self._nonsense = "an endless body that is no event stream"
            return []
        return self._events(self._sse.feed(data))

    def close(self) -> list[Delta]:
        if self._is_over or self._nonsense:
            return []
        if self._body is not None:
            return self._whole(self._body.text)
        deltas = self._events(self._sse.close())
        if not self._is_over:
            deltas += self._checked_usage()
        self._is_over = True
        if self._n_unreadable and not self._n_readable and not self._nonsense:
            self._nonsense = "events that are not JSON"
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
        if data == "[DONE]":
            self._is_over = True
            return [*self._checked_usage(), DoneDelta()]
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError):
            if event.kind == "error":
                return self._failure(data)
            self._n_unreadable += 1
            return []
        self._n_readable += 1
        if not isinstance(chunk, dict):
            return []
        if event.kind == "error" or _is_error(chunk):
            return self._failure(readable_error(chunk) or "")
        return self._chunk(chunk)

    def _failure(self, message: str) -> list[Delta]:
        self._is_over = True
        return [FailureDelta(message)]

    def _chunk(self, chunk: dict[str, Json]) -> list[Delta]:
        deltas: list[Delta] = []
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
        choice = _first(chunk.get("choices"))
        part = choice.get("delta")
        if not isinstance(part, dict):
            part = choice.get("message")
        if not isinstance(part, dict):
            part = {"content": choice.get("text")}
        thought = _text(part.get("reasoning_content")) or _text(part.get("reasoning"))
        if thought:
            deltas.append(ThinkingDelta(thought))
        answer = _text(part.get("content"))
        if answer:
            deltas.append(TextDelta(answer))
        if self._check is not None and (thought or answer):
            self._check.count(thought + answer)
        reason = choice.get("finish_reason")
        if isinstance(reason, str):
            deltas.append(FinishDelta(reason))
        return deltas

    def _whole(self, text: str) -> list[Delta]:
        self._is_over = True
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            is_page = text.lstrip()[:1] == "<"
            page = f"a web page ({html_message(text)})"
            self._nonsense = page if is_page else "a body that is no JSON and no event stream"
            return []
        if not isinstance(body, dict):
            self._nonsense = "a body that is no answer"
            return []
        if _is_error(body):
            return [FailureDelta(readable_error(body) or "")]
        deltas = self._chunk(body)
        if not isinstance(body.get("choices"), list):
            message = readable_error(body)
            self._nonsense = "an answer without choices" + (f": {message}" if message else "")
            return []
        return [*deltas, *self._checked_usage(), DoneDelta()]

    def _checked_usage(self) -> list[Delta]:
        usage, self._usage = self._usage, None
        if self._check is None or not isinstance(usage, dict):
            return []
        checked = self._check.believed(usage)
        return [] if checked is None else [checked]


class _WholeBody:
    """A body that is not a stream, kept until it is complete."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._n_bytes = 0

    def feed(self, data: bytes) -> None:
        self._n_bytes += len(data)
        if not self.is_too_long:
            self._parts.append(data)

    @property
    def is_too_long(self) -> bool:
        return self._n_bytes > MAX_BODY_CHARS

    @property
    def text(self) -> str:
        return b"".join(self._parts).decode("utf-8", "replace")


def _is_error(chunk: Mapping[str, Json]) -> bool:
    """Whether this object reports an error. ``"error": null`` beside choices does not."""
    if chunk.get("error"):
        return True
    if "choices" in chunk:
        return False
    return "detail" in chunk or chunk.get("status") == "error" or chunk.get("object") == "error"


def _first(choices: Json) -> dict[str, Json]:
    """The first choice; empty where there is none (a chunk that carries only usage)."""
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    return {}


def _text(content: Json) -> str:
    """The text of a content field: a string, null, or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(text for text in texts if isinstance(text, str))
    return ""


def model_rows(body: Json) -> list[dict[str, Json]]:
    """The rows of an answer to ``GET /v1/models`` that name a model."""
    data = body.get("data") if isinstance(body, dict) else None
    rows = data if isinstance(data, list) else []
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]


def parse_models(bodies: Mapping[str, Json]) -> tuple[ModelInfo, ...]:
    """The listed models. A single one is the one that answers."""
    rows = model_rows(bodies.get("/v1/models"))
    models = []
    for row in rows:
        name = str(row["id"])
        context, is_guessed = _context(row), False
        if context is None:
            context, is_guessed = context_in_name(name), True
        quantisation = quantisation_in_name(name)
        models.append(
            ModelInfo(
                name=name,
                is_loaded=len(rows) == 1,
                quantisation=quantisation,
                is_quantisation_guessed=quantisation is not None,
                context_tokens=context,
                is_context_guessed=is_guessed and context is not None,
            )
        )
    return tuple(models)


def _context(row: Mapping[str, Json]) -> int | None:
    for name in ("context_length", "max_model_len"):
        value = row.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def identify(answers: Mapping[str, Answer]) -> Identity | None:
    """Any server that lists models in the shape of ``GET /v1/models``."""
    answer = answers.get("/v1/models")
    if answer is None or not answer.is_ok or not isinstance(answer.json, dict):
        return None
    return Identity(NAME) if isinstance(answer.json.get("data"), list) else None


DIALECT = Dialect(
    name=NAME,
    default_ports=(8080, 8000),
    identify_paths=("/v1/models",),
    identify=identify,
    chat_path="/v1/chat/completions",
    chat_body=chat_body,
    decoder=ChatDecoder,
    chunk_meaning="unknown",
    limits=LIMITS,
    is_stopped_by_disconnect=True,
    models=ModelRoutes(list_paths=("/v1/models",), parse_list=parse_models),
)
