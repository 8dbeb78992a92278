"""Formats data type and context of a model for lists and lines."""

from __future__ import annotations

from tui.core.types import ModelInfo


def quantisation_words(model: ModelInfo) -> str | None:
    """Its data type, marked where only the file name tells it."""
    name = model.quantisation
    return f"~{name}" if name and model.is_quantisation_guessed else name


def context_words(model: ModelInfo) -> str | None:
    """Its context as it is spoken of: 16k; marked where only the file name tells it."""
    tokens = model.context_tokens
    if tokens is None:
        return None
    mark = "~" if model.is_context_guessed else ""
    return f"{mark}{tokens // 1024}k" if tokens % 1024 == 0 else f"{mark}{tokens}"
