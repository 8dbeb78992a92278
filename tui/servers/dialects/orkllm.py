"""oRKLLM: OpenAI-shaped events, port 8000.

What sets it apart: the runtime's counts and times come as ``perf`` beside the last chunk; sampling
and ``max_tokens`` are fixed by the request that loads a model; a second request ends the answer
that runs, which then looks complete; a client that leaves is not noticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tui.core.types import ChatRequest, ModelInfo, UsageDelta
from tui.servers.dialects import model_list, openai
from tui.servers.dialects.dialect import Answer, Dialect, Identity, Json, ModelRoutes
from tui.servers.dialects.limits import SettingLimit
from tui.servers.dialects.report import count, milliseconds, size_bytes

NAME = "oRKLLM"
OWNER = "orkllm"
STATUSES = ("need_setup", "need_login", "authenticated")
"""What its route ``/api/admin/auth-status`` says."""
_FIXED = "fixed by the request that loaded the model"

LIMITS = (
    SettingLimit("temperature", 0.0, is_applied=False, note=_FIXED),
    SettingLimit("top_p", 0.0, 1.0, is_applied=False, note=_FIXED),
    SettingLimit("top_k", 1, is_applied=False, note=_FIXED),
    SettingLimit("repeat_penalty", is_applied=False, note="not read by this server"),
    SettingLimit("max_tokens", 1, is_applied=False, note=_FIXED),
    SettingLimit("is_thinking", is_applied=False, note="set for each model by its administrator"),
)


def chat_body(request: ChatRequest) -> dict[str, Json]:
    """Never with ``conversation_id``: it cuts every answer at 15 s."""
    return openai.body_without_usage(request)


def decoder(request: ChatRequest) -> openai.ChatDecoder:
    """Its events with its ``perf``."""
    return openai.ChatDecoder(request, reported=_reported, has_pieces=True)


def parse_models(bodies: Mapping[str, Json]) -> tuple[ModelInfo, ...]:
    """Its list, with the size of each file. What is loaded only its administrator may see."""
    sizes = {
        str(row["id"]): size_bytes(row.get("size"))
        for row in model_list.model_rows(bodies.get("/v1/models"))
    }
    models = model_list.parse_models(bodies)
    return tuple(replace(model, size_bytes=sizes.get(model.name)) for model in models)


def _reported(chunk: Mapping[str, Json]) -> UsageDelta | None:
    """The runtime's struct; empty where tokens were guessed ahead (speculative decoding)."""
    perf = chunk.get("perf")
    tokens_out = count(perf.get("generate_tokens")) if isinstance(perf, dict) else None
    if tokens_out is None or not isinstance(perf, dict):
        return None
    return UsageDelta(
        tokens_in=count(perf.get("prefill_tokens")),
        tokens_out=tokens_out,
        prefill_ms=milliseconds(perf.get("prefill_time_ms")),
        decode_ms=milliseconds(perf.get("generate_time_ms")),
    )


def identify(answers: Mapping[str, Answer]) -> Identity | None:
    """Its name in the list of models; its own route where it has none."""
    status = answers.get("/api/admin/auth-status")
    body = status.json if status is not None else None
    if isinstance(body, dict) and body.get("status") in STATUSES:
        return Identity(NAME)
    return Identity(NAME) if model_list.is_owned_by(answers, OWNER) else None


DIALECT = Dialect(
    name=NAME,
    identify=identify,
    chat_path="/v1/chat/completions",
    chat_body=chat_body,
    decoder=decoder,
    chunk_meaning="token",
    limits=LIMITS,
    is_stopped_by_disconnect=False,
    models=ModelRoutes(
        list_paths=("/v1/models",),
        parse_list=parse_models,
        why_no_load="only its own web page does that, after a login; a prompt loads its model",
        idle_unload_s=300.0,
    ),
    is_model_required=True,
    is_overlap_fatal=True,
    is_head_at_once=True,
    notes=("A prompt ends the answer that this server gives to anybody else.",),
)
