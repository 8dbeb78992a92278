"""RAM calculator: parses its three fields and answers with the RAM needed and a verdict."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.core.board.headroom import Fit, Need, need_of, verdict
from tui.core.board.model_shape import parameters_of, shape_of, weights_bytes
from tui.core.text import format as fmt

_BYTES = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*(gib|gb|mib|mb)(?![a-z])")
_FACTORS = {"gib": 2**30, "gb": 10**9, "mib": 2**20, "mb": 10**6}
_CONTEXT = re.compile(r"([0-9]{1,8})\s*(k?)")
MAX_CONTEXT_TOKENS = 1 << 24
CONTEXTS = (2048, 4096, 8192, 16384, 32768)


@dataclass(frozen=True, slots=True)
class RamAnswer:
    """What the model takes and whether it fits; ``problem`` where the question is not clear."""

    need: Need | None = None
    fit: Fit = "unknown"
    in_place: str | None = None
    """The verdict after the loaded model is unloaded; None where none is loaded."""
    in_place_fit: Fit = "unknown"
    by_context: tuple[tuple[int, int], ...] = ()
    """Usual contexts with the total in bytes; empty where the KV cache is not known."""
    is_size_given: bool = False
    """The question names the size of the file; the data type changes nothing then."""
    problem: str | None = None


def ram_answer(
    model: str, quantisation: str, context: str, free_bytes: float | None, loaded_bytes: float
) -> RamAnswer:
    """The RAM that ``model`` (a name such as qwen3-4b, a size such as 4b, or the size of its file
    such as 4.6 GiB) needs at that data type and context, against what is free now.

    ``loaded_bytes`` is what unloading the present model gives back, 0 where none is loaded.
    """
    tokens = context_tokens(context)
    if tokens is None:
        return RamAnswer(problem="context takes a number of tokens: 4096 or 16k")
    need = _need(model, quantisation, tokens)
    if isinstance(need, str):
        return RamAnswer(problem=need)
    free = None if free_bytes is None else int(free_bytes)
    now = verdict(model, need.weights_bytes, tokens, free)
    in_place, in_place_fit = None, now.fit
    if loaded_bytes > 0:
        later = verdict(model, need.weights_bytes, tokens, free, int(loaded_bytes))
        in_place, in_place_fit = later.sentence, later.fit
    shape = shape_of(model)
    by_context = tuple(
        (count, need_of(need.weights_bytes, count, shape).total_bytes) for count in CONTEXTS
    )
    return RamAnswer(
        need,
        now.fit,
        in_place,
        in_place_fit,
        by_context if shape else (),
        bool(file_bytes(model)),
    )


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


def context_tokens(text: str) -> int | None:
    """``16384``, ``16k`` or ``16 K`` as tokens; None where it is no such number."""
    match = _CONTEXT.fullmatch(text.strip().lower())
    if match is None:
        return None
    tokens = int(match[1]) * (1024 if match[2] else 1)
    return tokens if 0 < tokens <= MAX_CONTEXT_TOKENS else None


def file_bytes(text: str) -> int | None:
    """The size in ``4.6 GiB`` or ``780 MB``; None where there is none."""
    match = _BYTES.search(text.lower())
    return None if match is None else round(float(match[1]) * _FACTORS[match[2]])


def _need(model: str, quantisation: str, tokens: int) -> Need | str:
    """The need, or one sentence about what is missing."""
    if not model.strip():
        return "model takes a name or a size: qwen3-4b, 7b, or the file's 4.6 GiB"
    given = file_bytes(model)
    if given:
        return need_of(given, tokens, shape_of(model))
    parameters = parameters_of(model)
    if parameters is None:
        return "no size in that name: add one, such as 4b or 4.6 GiB"
    if parameters <= 0:
        return "the size must be above 0"
    if weights_bytes(parameters, quantisation) is None:
        return "type takes w8a8, w4a16, fp16, or a grouped one such as w4a16_g128"
    found = requirement(model, quantisation, tokens)
    return found if found is not None else "unknown: name, data type and context do not give a size"


def parts_text(need: Need) -> tuple[tuple[str, str], ...]:
    """Names and sizes of the parts of a need, the total last."""
    runtime = need.total_bytes - need.weights_bytes - (need.kv_bytes or 0)
    cache = fmt.UNKNOWN if need.kv_bytes is None else fmt.size(need.kv_bytes)
    return (
        ("weights", fmt.size(need.weights_bytes)),
        ("runtime", f"~{fmt.size(runtime)}"),
        ("KV cache", cache),
        ("total", f"~{fmt.size(need.total_bytes)}"),
    )
