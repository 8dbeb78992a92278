"""RKLLM-API-Server (GatekeeperZA): OpenAI-shaped events, port 8000.

What sets it apart: thinking comes in a field of its own, white space and tags swallowed; sampling
and ``max_tokens`` are fixed when a model is loaded; the count of an answer is the runtime's only if
it ended with ``stop``, the count of a prompt is characters divided by four; ``length`` means that
it broke off (an abort, an error, a guard), never the limit; a disconnect does stop the NPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tui.core.types import ChatRequest, Delta, FinishDelta, ModelInfo, UsageDelta
from tui.servers.dialects import model_list, openai
from tui.servers.dialects.dialect import (
    Answer,
    BusyLight,
    Dialect,
    Identity,
    Json,
    ModelRoutes,
)
from tui.servers.dialects.limits import SettingLimit
from tui.servers.dialects.report import count, model_rows, refusal_words, size_bytes

NAME = "RKLLM-API-Server"
OWNER = "rkllm"
MAX_ID_CHARS = 64
BROKEN_OFF = "broken off by the server (its word: length)"
_FIXED = "fixed when the model is loaded"

LIMITS = (
    SettingLimit("temperature", is_applied=False, note=_FIXED),
    SettingLimit("top_p", is_applied=False, note=_FIXED),
    SettingLimit("top_k", is_applied=False, note=_FIXED),
    SettingLimit("repeat_penalty", is_applied=False, note=_FIXED),
    SettingLimit("max_tokens", 1, is_applied=False, note="2048, fixed when the model is loaded"),
    SettingLimit("is_thinking", note="off by /no_think in the prompt"),
)


def chat_body(request: ChatRequest) -> dict[str, Json]:
    """Only what it honours. Thinking has no field: a word before the prompt turns it off."""
    messages: list[Json] = [{"role": m.role, "content": m.content} for m in request.messages]
    if not request.settings.is_thinking and request.messages:
        last = request.messages[-1]
        if last.role == "user" and not last.content.lstrip().startswith(("/no_think", "/think")):
            messages[-1] = {"role": last.role, "content": f"/no_think {last.content}"}
    return {
        "model": request.model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


class ChatDecoder:
    """Its events: the word ``length`` and the counts are taken for what they are."""

    def __init__(self, request: ChatRequest) -> None:
        self._inner = openai.ChatDecoder(request, reported=self._reported, has_pieces=True)
        self._is_clean = False
        self._id: str | None = None
        """What its log calls this answer."""

    @property
    def nonsense(self) -> str | None:
        return self._inner.nonsense

    def feed(self, data: bytes) -> list[Delta]:
        return self._read(self._inner.feed(data))

    def held(self) -> list[Delta]:
        return []

    def close(self) -> list[Delta]:
        return self._read(self._inner.close())

    def _read(self, deltas: list[Delta]) -> list[Delta]:
        found: list[Delta] = []
        for delta in deltas:
            if isinstance(delta, FinishDelta):
                self._is_clean = delta.reason == "stop"
                reason = delta.reason if self._is_clean else BROKEN_OFF
                found.append(FinishDelta(reason, self._id))
            elif isinstance(delta, UsageDelta):
                # Without the runtime's own end the count is characters divided by four.
                found += [delta] if self._is_clean else []
            else:
                found.append(delta)
        return found

    def _reported(self, chunk: Mapping[str, Json]) -> UsageDelta | None:
        name, usage = chunk.get("id"), chunk.get("usage")
        if self._id is None and isinstance(name, str) and len(name) <= MAX_ID_CHARS:
            self._id = name
        tokens = count(usage.get("completion_tokens")) if isinstance(usage, dict) else None
        return None if tokens is None else UsageDelta(tokens_out=tokens)


def identify(answers: Mapping[str, Answer]) -> Identity | None:
    """``owned_by: rkllm`` with a context length; ``/health`` where it has no model."""
    health = answers.get("/health")
    if health is not None and isinstance(health.json, dict) and "models_available" in health.json:
        return Identity(NAME)
    rows = model_list.answered_rows(answers)
    is_ours = bool(rows) and rows[0].get("owned_by") == OWNER and "context_length" in rows[0]
    return Identity(NAME) if is_ours else None


def parse_models(bodies: Mapping[str, Json]) -> tuple[ModelInfo, ...]:
    """Its list, with the loaded one as ``/health`` tells it, and the sizes of ``/api/tags``."""
    health = bodies.get("/health")
    is_told = isinstance(health, dict) and "current_model" in health
    loaded = health.get("current_model") if isinstance(health, dict) else None
    tags = model_rows(bodies.get("/api/tags"))
    return tuple(
        replace(
            model,
            size_bytes=size_bytes(tags.get(model.name, {}).get("size")),
            is_loaded=model.name == loaded if is_told else None,
            is_context_guessed=model.context_tokens is not None,
        )
        for model in model_list.parse_models(bodies)
    )


def _done(answer: Answer) -> str | None:
    return None if answer.is_ok else refusal_words(answer)


def parse_busy(body: Json) -> BusyLight | None:
    """``GET /health``: the request that it works on."""
    if not isinstance(body, dict) or "active_request" not in body:
        return None
    return BusyLight(int(bool(body["active_request"])))


DIALECT = Dialect(
    name=NAME,
    identify=identify,
    chat_path="/v1/chat/completions",
    chat_body=chat_body,
    decoder=ChatDecoder,
    chunk_meaning="token",
    limits=LIMITS,
    is_stopped_by_disconnect=True,
    models=ModelRoutes(
        list_paths=("/v1/models", "/health", "/api/tags"),
        parse_list=parse_models,
        load_path="/v1/models/select",
        parse_load=_done,
        unload_path="/v1/models/unload",
        parse_unload=_done,
        idle_unload_s=300.0,
    ),
    is_model_required=True,
    is_head_at_once=True,
    busy_path="/health",
    parse_busy=parse_busy,
)
