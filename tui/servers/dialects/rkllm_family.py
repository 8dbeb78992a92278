"""An unknown server of the RKLLM family (``owned_by: rkllm``).

Several servers for the RKLLM runtime call themselves so. They are spoken to as plain OpenAI; what
a chunk or a count of theirs means is not proven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tui.core.types import ChatRequest
from tui.servers.dialects import model_list, openai
from tui.servers.dialects.dialect import Answer, Dialect, Identity

NAME = "RKLLM family"
OWNER = "rkllm"


def decoder(request: ChatRequest) -> openai.ChatDecoder:
    """Plain events, without counts that nobody has checked."""
    return openai.ChatDecoder(request, is_usage_counted=False, is_model_told=False)


def identify(answers: Mapping[str, Answer]) -> Identity | None:
    """``owned_by: rkllm``."""
    return Identity(NAME) if model_list.is_owned_by(answers, OWNER) else None


DIALECT: Dialect = replace(
    openai.DIALECT,
    name=NAME,
    identify=identify,
    decoder=decoder,
    chunk_meaning="unknown",
    is_stopped_by_disconnect=False,
    models=replace(openai.DIALECT.models, why_no_load="npulse does not know how"),
    notes=("A server of the RKLLM family that npulse does not know: counts are unproven.",),
)
