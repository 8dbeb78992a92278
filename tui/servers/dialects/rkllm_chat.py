"""Rockchip's older demo server (1.0.1 to 1.2.3): ``POST /rkllm_chat``, lines of JSON, port 8080.

Each line repeats every earlier delta, so only the last one is new. Nothing marks the end but the
end of the body. Settings of a request are not read, and one message is all that it takes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from tui.core.types import ChatRequest, Delta, FailureDelta, ModelInfo, TextDelta, UnreadDelta
from tui.servers.dialects.chunk import is_error
from tui.servers.dialects.dialect import Answer, Dialect, Identity, Json, ModelRoutes
from tui.servers.dialects.error_text import html_message, readable_error
from tui.servers.dialects.flatten import flattened
from tui.servers.dialects.limits import SettingLimit

NAME = "Rockchip demo (rkllm_chat)"
PATH = "/rkllm_chat"
MODEL = "rkllm"
MAX_LINE_BYTES = 64 << 20
"""A line grows with the answer: 16,384 characters of deltas of 64 bytes are a megabyte."""
_FIXED = "fixed when the server was started"

LIMITS = (
    SettingLimit("temperature", is_applied=False, note=_FIXED),
    SettingLimit("top_p", is_applied=False, note=_FIXED),
    SettingLimit("top_k", is_applied=False, note=_FIXED),
    SettingLimit("repeat_penalty", is_applied=False, note=_FIXED),
    SettingLimit("max_tokens", 1, is_applied=False, note=_FIXED),
    SettingLimit("is_thinking", note="from version 1.2.1 on"),
)


def chat_body(request: ChatRequest) -> dict[str, Json]:
    """Exactly one user message: some versions answer the first one, some the last."""
    message = flattened(request.messages)
    return {
        "messages": [{"role": message.role, "content": message.content}],
        "stream": True,
        "enable_thinking": request.settings.is_thinking,
    }


class ChatDecoder:
    """Cumulative lines of JSON. The text of a line that is new is that of its last choice."""

    def __init__(self, request: ChatRequest) -> None:
        self._rest = bytearray()
        self._n_choices = 0
        self._nonsense: str | None = None
        self._is_over = False

    @property
    def nonsense(self) -> str | None:
        return self._nonsense

    def feed(self, data: bytes) -> list[Delta]:
        if self._is_over or self._nonsense:
            return []
        deltas: list[Delta] = []
        begin = 0
        while (end := data.find(b"\n", begin)) >= 0:
            self._rest += data[begin:end]
            deltas += self._line(bytes(self._rest))
            self._rest.clear()
            begin = end + 1
        self._rest += data[begin:]
        if len(self._rest) > MAX_LINE_BYTES:
            self._nonsense = "a line without an end"
        return deltas

    def held(self) -> list[Delta]:
        return []

    def close(self) -> list[Delta]:
        if self._is_over or self._nonsense:
            return []
        deltas = self._line(bytes(self._rest))
        self._is_over = True
        return deltas

    def _line(self, line: bytes) -> list[Delta]:
        text = line.decode("utf-8", "replace").strip()
        if not text or self._is_over:
            return []
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            if text[:1] == "<" and not self._n_choices:
                self._nonsense = f"a web page ({html_message(text)})"
                return []
            return [UnreadDelta(text[:400], is_loss=True)]
        if not isinstance(value, dict):
            return [UnreadDelta(text[:400])]
        if is_error(value):
            self._is_over = True
            return [FailureDelta(readable_error(value) or "")]
        return self._new(value.get("choices"))

    def _new(self, choices: Json) -> list[Delta]:
        if not isinstance(choices, list):
            return []
        # Versions differ: all deltas in every line, or only the new one.
        fresh = choices[self._n_choices :] if len(choices) > self._n_choices else choices[-1:]
        is_cumulative = len(choices) > 1
        self._n_choices = len(choices) if is_cumulative else max(self._n_choices, 1)
        if not is_cumulative:
            fresh = choices
        texts = (_delta_text(choice) for choice in fresh)
        return [TextDelta(text) for text in texts if text]


def _delta_text(choice: Json) -> str:
    if not isinstance(choice, dict):
        return ""
    for name in ("delta", "message"):
        part = choice.get(name)
        if isinstance(part, dict) and isinstance(part.get("content"), str):
            return str(part["content"])
    return ""


def identify(answers: Mapping[str, Answer]) -> Identity | None:
    """A route that is there and takes POST only, and nothing else."""
    answer = answers.get(PATH)
    return Identity(NAME) if answer is not None and answer.status == 405 else None


def parse_models(_: Mapping[str, Json]) -> tuple[ModelInfo, ...]:
    """It names no model: the one that it was started with answers."""
    return (ModelInfo(name=MODEL, is_loaded=True),)


DIALECT = Dialect(
    name=NAME,
    identify=identify,
    chat_path=PATH,
    chat_body=chat_body,
    decoder=ChatDecoder,
    chunk_meaning="character",
    limits=LIMITS,
    is_stopped_by_disconnect=False,
    models=ModelRoutes(
        list_paths=(),
        parse_list=parse_models,
        is_name_heeded=False,
        why_no_load="its model is chosen when it is started",
    ),
    is_history_used=False,
    is_finished_by_end=True,
    is_overlap_fatal=True,
    notes=(
        "This server hands the model one message only: npulse sends the conversation as one.",
        "A prompt that comes while this server reads another one mixes the two answers.",
        "This server does not mark the end of an answer, nor why it ended.",
    ),
)
