"""Shape of a model for memory estimates: layers, KV heads, head size, weights.

Shapes are those of the published model configurations; a name that is not in the table has none,
and nothing is derived for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The part of a transformer that its KV cache depends on."""

    layers: int
    kv_heads: int
    head_dim: int


SHAPES: dict[str, ModelShape] = {
    "qwen3-0.6b": ModelShape(28, 8, 128),
    "qwen3-1.7b": ModelShape(28, 8, 128),
    "qwen3-4b": ModelShape(36, 8, 128),
    "qwen3-8b": ModelShape(36, 8, 128),
    "qwen3-14b": ModelShape(40, 8, 128),
    "qwen2.5-0.5b": ModelShape(24, 2, 64),
    "qwen2.5-1.5b": ModelShape(28, 2, 128),
    "qwen2.5-3b": ModelShape(36, 2, 128),
    "qwen2.5-7b": ModelShape(28, 4, 128),
    "qwen2.5-14b": ModelShape(48, 8, 128),
    "deepseekr1distillqwen-1.5b": ModelShape(28, 2, 128),
    "deepseekr1distillqwen-7b": ModelShape(28, 4, 128),
    "deepseekr1distillllama-8b": ModelShape(32, 8, 128),
    "llama3.1-8b": ModelShape(32, 8, 128),
    "llama3.2-1b": ModelShape(16, 8, 64),
    "llama3.2-3b": ModelShape(28, 8, 128),
    "tinyllama-1.1b": ModelShape(22, 4, 64),
    "gemma3-270m": ModelShape(18, 1, 256),
    "gemma3-1b": ModelShape(26, 1, 256),
    "gemma3-4b": ModelShape(34, 4, 256),
    "gemma2-2b": ModelShape(26, 4, 256),
    "phi3-3.8b": ModelShape(32, 32, 96),
}
"""By family and size."""

BITS_PER_WEIGHT = {"w8a8": 8.0, "w4a16": 4.0, "w4a8": 4.0, "fp16": 16.0, "w16a16": 16.0}
"""By RKLLM's names of data types. A grouped one (``w8a8_g128``) adds a 16-bit scale per group."""

_SIZE = re.compile(r"(?<![0-9a-z.])([0-9]{1,3}(?:[.-][0-9]{1,2})?)\s*([bm])(?![a-z0-9])")
_TYPE = re.compile(r"(w[0-9]{1,2}a[0-9]{1,2}|fp16)(?:[-_]?g([0-9]{2,4}))?")


def shape_of(name: str) -> ModelShape | None:
    """The shape of a model by its name or file name: ``Qwen3-4B-Instruct_w8a8.rkllm`` is a
    qwen3-4b. None where family or size is not recognised."""
    plain = re.sub(r"[-_ ]", "", name.lower())
    for known in sorted(SHAPES, key=len, reverse=True):
        family, _, size = known.rpartition("-")
        pattern = rf"{re.escape(family)}(?:it|instruct|vl|chat|mini)*{re.escape(size)}"
        if re.search(rf"{pattern}(?![0-9])", plain):
            return SHAPES[known]
    return None


def parameters_of(name: str) -> float | None:
    """How many weights a model has by its name: 4e9 for ``qwen3-4b``; None without a size."""
    match = _SIZE.search(name.lower().replace("_", " "))
    if match is None:
        return None
    return float(match[1].replace("-", ".")) * (1e9 if match[2] == "b" else 1e6)


def bits_per_weight(quantisation: str) -> float | None:
    """Stored bits per weight of an RKLLM data type, the scales of its groups included."""
    match = _TYPE.search(quantisation.lower())
    if match is None or match[1] not in BITS_PER_WEIGHT:
        return None
    group = int(match[2]) if match[2] else 0
    return BITS_PER_WEIGHT[match[1]] + (16 / group if group else 0.0)


def weights_bytes(parameters: float, quantisation: str) -> int | None:
    """The size of the weights; a model file is about as large."""
    bits = bits_per_weight(quantisation)
    return None if bits is None else round(parameters * bits / 8)
