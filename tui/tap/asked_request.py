"""Parses a client's request: route, model, prompt and options from its path and JSON body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tui.core.text.sanitize import clean_line
from tui.core.types import ChatRequest, GenerationSettings, Message, Role
from tui.servers.dialects import ollama, openai, rkllm_chat
from tui.servers.dialects.dialect import Dialect, Json, StreamDecoder
from tui.tap.embeddings import EmbeddingDecoder

MAX_PATH_CHARS = 120
MAX_CONTENT_CHARS = 4 << 20
_ROLES: dict[str, Role] = {"system": "system", "developer": "system", "assistant": "assistant"}

Format = Literal["openai", "ollama", "rkllm_chat", "embeddings"]
"""The format of the answer."""

_ENDINGS: tuple[tuple[str, Format], ...] = (
    ("/chat/completions", "openai"),
    ("/completions", "openai"),
    ("/completion", "openai"),
    ("/api/chat", "ollama"),
    ("/api/generate", "ollama"),
    ("/rkllm_chat", "rkllm_chat"),
    ("/v1/responses", "openai"),
    ("/v1/messages", "openai"),
    ("/embeddings", "embeddings"),
    ("/embedding", "embeddings"),
    ("/api/embed", "embeddings"),
)


@dataclass(frozen=True, slots=True)
class AskedRequest:
    """A request for an answer or for embeddings. ``request`` is passed to the decoder and the
    meter.
    """

    path: str
    format: Format
    request: ChatRequest
    is_streamed: bool
    """Whether a stream was requested; not every server sends one."""
    is_read: bool = True
    """Whether the body could be parsed; if not, the prompt is unknown."""

    @property
    def is_embedding(self) -> bool:
        return self.format == "embeddings"


def plain_path(target: str) -> str:
    """The path of a request's target, sanitised: a query may hold a key, so it is left out."""
    path = target.partition("?")[0].partition("#")[0]
    if "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    return clean_line(path, MAX_PATH_CHARS) or "/"


def format_of(path: str) -> Format | None:
    """The format of the answers at this path; None if requests there do not generate answers."""
    plain = path.rstrip("/").lower()
    return next((found for ending, found in _ENDINGS if plain.endswith(ending)), None)


def asked(path: str, body: bytes) -> AskedRequest | None:
    """Parses a POST to ``path``. None if it asks for no answer: another route, or an Ollama
    request with an empty prompt, which only loads the model.
    """
    found = format_of(path)
    if found is None:
        return None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        empty = ChatRequest("", (), GenerationSettings(max_tokens=0))
        return AskedRequest(path, found, empty, is_streamed=True, is_read=False)
    messages = _messages(value)
    if found == "ollama" and not messages:
        return None
    if found == "embeddings":
        words = ChatRequest(_model(value), messages, GenerationSettings(max_tokens=0))
        return AskedRequest(path, found, words, is_streamed=False, is_read=bool(messages))
    stream = value.get("stream")
    return AskedRequest(
        path,
        found,
        ChatRequest(_model(value), messages, _settings(value)),
        is_streamed=stream if isinstance(stream, bool) else found == "ollama",
    )


def decoder_of(question: AskedRequest, dialect: Dialect) -> StreamDecoder:
    """The decoder for the answer of a server of this ``dialect``."""
    if question.is_embedding:
        return EmbeddingDecoder()
    if question.format == "rkllm_chat":
        return rkllm_chat.ChatDecoder(question.request)
    if question.format == "ollama":
        return ollama.ChatDecoder(question.request)
    if dialect.chat_path.endswith("/chat/completions"):
        return dialect.decoder(question.request)
    return openai.ChatDecoder(question.request)


def _model(body: Mapping[str, Json]) -> str:
    name = body.get("model")
    return clean_line(name, 120) if isinstance(name, str) else ""


def _settings(body: Mapping[str, Json]) -> GenerationSettings:
    options = body.get("options")
    places = (body, options if isinstance(options, dict) else {})
    for place in places:
        for name in ("max_tokens", "max_completion_tokens", "num_predict", "n_predict"):
            value = place.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 31:
                return GenerationSettings(max_tokens=value)
    return GenerationSettings(max_tokens=0)


def _messages(body: Mapping[str, Json]) -> tuple[Message, ...]:
    rows = body.get("messages", body.get("input"))
    found: list[Message] = []
    system = body.get("system", body.get("instructions"))
    if isinstance(system, str) and system:
        found.append(Message("system", system[:MAX_CONTENT_CHARS]))
    if isinstance(rows, list) and not all(isinstance(row, str) for row in rows):
        for row in rows:
            if isinstance(row, dict):
                role = row.get("role")
                known = _ROLES.get(role, "user") if isinstance(role, str) else "user"
                found.append(Message(known, _text(row.get("content"))))
        return tuple(found)
    prompt = _text(body.get("prompt", rows if rows is not None else body.get("content")))
    return (*found, Message("user", prompt)) if prompt else ()


def _text(content: Json) -> str:
    """The text of a message: a string, or the text parts of a list."""
    if isinstance(content, str):
        return content[:MAX_CONTENT_CHARS]
    if not isinstance(content, list):
        return ""
    parts = []
    for part in content:
        text = part.get("text") if isinstance(part, dict) else part
        if isinstance(text, str):
            parts.append(text)
    return "\n".join(parts)[:MAX_CONTENT_CHARS]
