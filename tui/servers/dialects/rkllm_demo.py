"""Rockchip's demo server of 1.3.0 (``flask_server.py``): OpenAI-shaped events, port 8080.

What sets it apart: each chunk is one character; usage counts words; the model sees the last message
only; it takes one connection at a time, so a list of models waits until an answer is over; a run
goes on to its end after a disconnect, and until then prompts get a 503.
"""

from __future__ import annotations

from collections.abc import Mapping

from tui.core.types import ChatRequest
from tui.servers.dialects import model_list, openai
from tui.servers.dialects.dialect import Answer, Dialect, Identity, Json, ModelRoutes
from tui.servers.dialects.flatten import flattened
from tui.servers.dialects.limits import SettingLimit

NAME = "Rockchip demo"
OWNER = "rkllm"
CONTEXT_TOKENS = 4096
"""Fixed in its source."""

LIMITS = (
    SettingLimit("temperature", 0.0),
    SettingLimit("top_p", 0.0, 1.0),
    SettingLimit("top_k", 1),
    SettingLimit("repeat_penalty", 0.0),
    SettingLimit("max_tokens", 1, CONTEXT_TOKENS),
    SettingLimit("is_thinking"),
)


def chat_body(request: ChatRequest) -> dict[str, Json]:
    """A request with every field that its source reads, none of them null."""
    settings = request.settings
    message = flattened(request.messages)
    return {
        "model": request.model,
        "messages": [{"role": message.role, "content": message.content}],
        "stream": True,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "top_k": settings.top_k,
        "repeat_penalty": settings.repeat_penalty,
        "max_tokens": settings.max_tokens,
        "enable_thinking": settings.is_thinking,
    }


def decoder(request: ChatRequest) -> openai.ChatDecoder:
    """Its events, without its usage: words are not tokens."""
    return openai.ChatDecoder(request, is_usage_counted=False, is_model_told=False, has_pieces=True)


def identify(answers: Mapping[str, Answer]) -> Identity | None:
    """One model of ``rkllm`` and nothing about its context, from Werkzeug."""
    answer = answers.get("/v1/models")
    rows = model_list.answered_rows(answers)
    is_demo = (
        answer is not None
        and len(rows) == 1
        and rows[0].get("owned_by") == OWNER
        and not rows[0].keys() & {"context_length", "capabilities"}
        and answer.headers.get("server", "").startswith("Werkzeug")
    )
    return Identity(NAME) if is_demo else None


DIALECT = Dialect(
    name=NAME,
    identify=identify,
    chat_path="/v1/chat/completions",
    chat_body=chat_body,
    decoder=decoder,
    chunk_meaning="character",
    limits=LIMITS,
    is_stopped_by_disconnect=False,
    models=ModelRoutes(
        list_paths=("/v1/models",),
        parse_list=model_list.parse_resident,
        is_name_heeded=False,
        why_no_load="its model is chosen when it is started",
        context_in_use=lambda _: CONTEXT_TOKENS,
        is_context_known=True,
    ),
    is_history_used=False,
    is_head_at_once=True,
    notes=(
        "This server hands the model the last message only: npulse sends the conversation as one.",
    ),
)
