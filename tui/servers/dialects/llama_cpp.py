"""llama.cpp's server (``llama-server``), and its forks that run GGUF on a Rockchip NPU: port 8080.

OpenAI-shaped events with ``timings`` of its own in the last chunk. A disconnect stops it, and
``GET /slots`` tells whether it works.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tui.core.types import ChatRequest, ModelInfo
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
from tui.servers.dialects.report import count, size_bytes

NAME = "llama.cpp"
OWNER = "llamacpp"

LIMITS = (
    SettingLimit("temperature", 0.0),
    SettingLimit("top_p", 0.0, 1.0),
    SettingLimit("top_k", 0),
    SettingLimit("repeat_penalty", 0.0),
    SettingLimit("max_tokens", 1),
    SettingLimit("is_thinking", note="for templates that know it"),
)


def chat_body(request: ChatRequest) -> dict[str, Json]:
    """The OpenAI fields and those of its own."""
    settings = request.settings
    body = openai.chat_body(request)
    body["top_k"] = settings.top_k
    body["repeat_penalty"] = settings.repeat_penalty
    body["chat_template_kwargs"] = {"enable_thinking": settings.is_thinking}
    return body


def identify(answers: Mapping[str, Answer]) -> Identity | None:
    """``owned_by: llamacpp``."""
    return Identity(NAME) if model_list.is_owned_by(answers, OWNER) else None


def parse_models(bodies: Mapping[str, Json]) -> tuple[ModelInfo, ...]:
    """Its list, with what ``meta`` knows: size in bytes and the context that is really used."""
    metas = {
        str(row["id"]): row["meta"]
        for row in model_list.model_rows(bodies.get("/v1/models"))
        if isinstance(row.get("meta"), dict)
    }
    return tuple(
        _with_meta(model, metas.get(model.name)) for model in model_list.parse_resident(bodies)
    )


def _with_meta(model: ModelInfo, meta: Json) -> ModelInfo:
    if not isinstance(meta, dict):
        return model
    context = count(meta.get("n_ctx")) or count(meta.get("n_ctx_train"))
    return replace(
        model,
        size_bytes=size_bytes(meta.get("size")) or model.size_bytes,
        context_tokens=context or model.context_tokens,
        is_context_guessed=model.is_context_guessed and context is None,
    )


def parse_busy(body: Json) -> BusyLight | None:
    """``GET /slots``: which of them work. None where the route is switched off."""
    slots = body if isinstance(body, list) else []
    flags = [slot.get("is_processing") for slot in slots if isinstance(slot, dict)]
    known = [flag for flag in flags if isinstance(flag, bool)]
    return BusyLight(sum(known), len(known)) if known else None


DIALECT = Dialect(
    name=NAME,
    identify=identify,
    chat_path="/v1/chat/completions",
    chat_body=chat_body,
    decoder=lambda request: openai.ChatDecoder(request, has_pieces=True),
    chunk_meaning="token",
    limits=LIMITS,
    is_stopped_by_disconnect=True,
    models=ModelRoutes(
        list_paths=("/v1/models",),
        parse_list=parse_models,
        why_no_load="its model is chosen when it is started",
    ),
    busy_path="/slots",
    parse_busy=parse_busy,
)
