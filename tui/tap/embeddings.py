"""Reads the token counts of an embeddings response; the vectors are ignored."""

from __future__ import annotations

import json

from tui.core.types import Delta, FinishDelta, ModelDelta, UsageDelta
from tui.servers.dialects.report import count

MAX_BYTES = 8 << 20
"""Counts of longer responses are not read."""


class EmbeddingDecoder:
    """A :class:`tui.servers.dialects.dialect.StreamDecoder` for OpenAI's ``usage.prompt_tokens``
    and Ollama's ``prompt_eval_count``. llama.cpp's own route reports no count."""

    def __init__(self) -> None:
        self._body = bytearray()
        self._is_too_long = False
        self.nonsense: str | None = None

    def feed(self, data: bytes) -> list[Delta]:
        """Collects the body; returns nothing before the end."""
        if len(self._body) + len(data) > MAX_BYTES:
            self._is_too_long = True
            self._body.clear()
        if not self._is_too_long:
            self._body += data
        return []

    def held(self) -> list[Delta]:
        return []

    def close(self) -> list[Delta]:
        """The token count and the model, as far as the response has them."""
        if self._is_too_long:
            return [FinishDelta("end")]
        try:
            value = json.loads(self._body)
        except (ValueError, RecursionError):
            self.nonsense = "not JSON"
            return []
        found: list[Delta] = []
        if isinstance(value, dict):
            usage = value.get("usage")
            told = usage.get("prompt_tokens") if isinstance(usage, dict) else None
            tokens_in = count(value.get("prompt_eval_count") if told is None else told)
            if tokens_in is not None:
                found.append(UsageDelta(tokens_in=tokens_in))
            model = value.get("model")
            if isinstance(model, str) and model:
                found.append(ModelDelta(model))
        return [*found, FinishDelta("end")]
