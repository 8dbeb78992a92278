"""Ollama, and servers that speak its routes: lines of JSON from ``/api/chat``, port 11434.

Protocol: docs/api.md of Ollama. Each line is ``{"message": {"content", "thinking"}, "done"}``; the
last one has counts, and times in nanoseconds.
"""

from __future__ import annotations

import codecs
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
    UnreadDelta,
    UsageDelta,
)
from tui.servers.dialects.chunk import is_error, model_of
from tui.servers.dialects.cumulative import WholeTexts
from tui.servers.dialects.dialect import Answer, Dialect, Identity, Json, ModelRoutes
from tui.servers.dialects.error_text import html_message, readable_error
from tui.servers.dialects.limits import SettingLimit
from tui.servers.dialects.report import (
    count,
    duration_ms,
    model_rows,
    refusal_words,
    size_bytes,
)

NAME = "Ollama"
GREETING = "Ollama is running"
MAX_LINE_CHARS = 8 << 20

LIMITS = (
    SettingLimit("temperature", 0.0),
    SettingLimit("top_p", 0.0, 1.0),
    SettingLimit("top_k", 0),
    SettingLimit("repeat_penalty", 0.0),
    SettingLimit("max_tokens", 1),
    SettingLimit("is_thinking"),
)


def chat_body(request: ChatRequest) -> dict[str, Json]:
    """A request of its chat route; settings stand in ``options`` under its own names."""
    settings = request.settings
    return {
        "model": request.model,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "stream": True,
        "think": settings.is_thinking,
        "options": {
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "top_k": settings.top_k,
            "repeat_penalty": settings.repeat_penalty,
            "num_predict": settings.max_tokens,
        },
    }


class ChatDecoder:
    """One streamed answer, a JSON object a line."""

    def __init__(self, request: ChatRequest) -> None:
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest: list[str] = []
        self._n_rest = 0
        self._n_lines = 0
        self._n_reads = 0
        self._whole_texts = WholeTexts()
        self._is_over = False
        self._nonsense: str | None = None

    @property
    def nonsense(self) -> str | None:
        return self._nonsense

    def feed(self, data: bytes) -> list[Delta]:
        return self._take(self._text.decode(data))

    def held(self) -> list[Delta]:
        return self._whole_texts.held(self._n_reads)

    def close(self) -> list[Delta]:
        deltas = self._take(self._text.decode(b"", True) + "\n")
        return [*deltas, *self._whole_texts.end(self._n_reads)]

    def _take(self, text: str) -> list[Delta]:
        self._n_reads += 1
        deltas: list[Delta] = []
        *lines, rest = text.split("\n")
        for line in lines:
            if self._is_over or self._nonsense:
                return deltas
            deltas += self._line("".join([*self._rest, line]).strip())
            self._rest, self._n_rest = [], 0
        self._rest.append(rest)
        self._n_rest += len(rest)
        if self._n_rest > MAX_LINE_CHARS:
            self._nonsense = "a line without an end"
        return deltas

    def _line(self, line: str) -> list[Delta]:
        if not line:
            return []
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            if line[:1] == "<" and not self._n_lines:
                self._nonsense = f"a web page ({html_message(line)})"
                return []
            return [UnreadDelta(line[:400], is_loss=line[:1] == "{")]
        if not isinstance(value, dict):
            return [UnreadDelta(line[:400])]
        self._n_lines += 1
        if is_error(value):
            self._is_over = True
            return [
                *self._whole_texts.end(self._n_reads),
                FailureDelta(readable_error(value) or ""),
            ]
        return self._object(value)

    def _object(self, value: dict[str, Json]) -> list[Delta]:
        model = model_of(value) if self._n_lines == 1 else None
        words: list[Delta] = []
        message = value.get("message")
        part = message if isinstance(message, dict) else {"content": value.get("response")}
        thinking, content = part.get("thinking"), part.get("content")
        if isinstance(thinking, str) and thinking:
            words.append(ThinkingDelta(thinking))
        if isinstance(content, str) and content:
            words.append(TextDelta(content))
        words = self._whole_texts.feed(words, self._n_reads)
        deltas = words if model is None else [model, *words]
        if value.get("done") is True:
            deltas = [*deltas, *self._whole_texts.end(self._n_reads)]
            self._is_over = True
            reported = reported_numbers(value)
            deltas += [] if reported is None else [reported]
            reason = value.get("done_reason")
            deltas.append(FinishDelta(reason if isinstance(reason, str) else "stop"))
            deltas.append(DoneDelta())
        return deltas


def reported_numbers(value: Mapping[str, Json]) -> UsageDelta | None:
    """Counts and times of the last line; servers that write ms where ns belong are understood."""
    tokens_out = count(value.get("eval_count"))
    if tokens_out is None:
        return None
    total = value.get("total_duration")
    return UsageDelta(
        tokens_in=count(value.get("prompt_eval_count")),
        tokens_out=tokens_out,
        prefill_ms=duration_ms(value.get("prompt_eval_duration"), total),
        decode_ms=duration_ms(value.get("eval_duration"), total),
    )


def identify(answers: Mapping[str, Answer]) -> Identity | None:
    """Its greeting, which is plain text."""
    root = answers.get("/")
    is_ollama = root is not None and root.is_ok and root.text.strip().startswith(GREETING)
    return Identity(NAME) if is_ollama else None


def parse_models(bodies: Mapping[str, Json]) -> tuple[ModelInfo, ...]:
    """``/api/tags``, and what ``/api/ps`` says is loaded: it unloads after five idle minutes."""
    loaded = model_rows(bodies.get("/api/ps"))
    models = []
    for name, row in model_rows(bodies.get("/api/tags")).items():
        details = row.get("details")
        level = details.get("quantization_level") if isinstance(details, dict) else None
        context = count(loaded.get(name, {}).get("context_length"))
        models.append(
            ModelInfo(
                name=name,
                size_bytes=size_bytes(row.get("size")),
                is_loaded=name in loaded if "/api/ps" in bodies else None,
                quantisation=level if isinstance(level, str) and level else None,
                context_tokens=context,
            )
        )
    return tuple(models)


def _done(answer: Answer) -> str | None:
    """A request without a prompt loads the model; with a ``keep_alive`` of 0 it unloads it."""
    body = answer.json if isinstance(answer.json, dict) else {}
    is_done = answer.is_ok and "error" not in body
    return None if is_done else refusal_words(answer)


DIALECT = Dialect(
    name=NAME,
    identify=identify,
    chat_path="/api/chat",
    chat_body=chat_body,
    decoder=ChatDecoder,
    chunk_meaning="token",
    limits=LIMITS,
    is_stopped_by_disconnect=True,
    models=ModelRoutes(
        list_paths=("/api/tags", "/api/ps"),
        parse_list=parse_models,
        load_path="/api/generate",
        load_body=lambda name: {"model": name, "stream": False},
        parse_load=_done,
        unload_path="/api/generate",
        unload_body=lambda name: {"model": name, "stream": False, "keep_alive": 0},
        parse_unload=_done,
        idle_unload_s=300.0,
    ),
    is_model_required=True,
)
