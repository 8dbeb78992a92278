"""RAM that a model of a given name needs, at a data type and a context."""

from __future__ import annotations

from dataclasses import dataclass

from tui.core.board.headroom import Need, need_of
from tui.core.board.model_shape import parameters_of, shape_of, weights_bytes

CONTEXTS = (2048, 4096, 8192, 16384, 32768)
TYPES = ("w8a8", "w4a16")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the calculator's table. ``need`` is None where the size cannot be told."""

    quantisation: str
    context_tokens: int
    need: Need | None


def requirement(model: str, quantisation: str, context_tokens: int) -> Need | None:
    """What a model of that name, type and context takes: qwen3-4b, w8a8, 16384.

    None where the name says no size or the type is not known. The KV cache is only part of it for
    models whose shape is known.
    """
    parameters = parameters_of(model)
    size_bytes = None if parameters is None else weights_bytes(parameters, quantisation)
    if size_bytes is None:
        return None
    return need_of(size_bytes, context_tokens, shape_of(model))


def table(model: str) -> list[Row]:
    """Every type at every context."""
    return [
        Row(quantisation, context, requirement(model, quantisation, context))
        for quantisation in TYPES
        for context in CONTEXTS
    ]
