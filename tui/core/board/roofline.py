"""Roofline: the measured decode rate against the bound by memory bandwidth.

To make one token a model reads all its weights, and the KV cache of what came before, once from
RAM. So tokens a second cannot exceed the memory's peak bandwidth divided by those bytes; the share
that was measured tells how much is lost to everything else. And what others measured with models
of about that size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tui.core.board.headroom import kv_bytes_per_token
from tui.core.board.model_shape import shape_of


@dataclass(frozen=True, slots=True)
class Roofline:
    """A measured rate against its bound. ``assumption`` names everything that was assumed."""

    ceiling_tps: float
    share: float
    assumption: str


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """One row of a published table: RK3588, w8a8, 128 tokens in and 64 out."""

    model: str
    rate_tps: float
    ttft_ms: float
    memory_mb: int
    release: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A published row beside the model in question; ``label`` says if it is another model."""

    row: ReferenceRow
    label: str


REFERENCE = (
    ReferenceRow("Qwen3-0.6B", 32.91, 199.09, 791, "v1.3.0"),
    ReferenceRow("Qwen3-0.6B", 29.52, 215.76, 0, "v1.2.1"),
    ReferenceRow("Qwen2.5-1.5B", 16.69, 378.31, 1689, "v1.3.0"),
    ReferenceRow("Gemma2-2B", 10.37, 598.41, 2779, "v1.3.0"),
    ReferenceRow("Phi3-3.8B", 7.45, 1017.28, 3758, "v1.3.0"),
    ReferenceRow("MiniCPM3-4B", 5.94, 1408.49, 4384, "v1.3.0"),
    ReferenceRow("Qwen3.5-4B", 6.22, 2068.88, 4576, "v1.3.0"),
)
"""Rockchip's own benchmark table of airockchip/rknn-llm, by release. A memory of 0: not given."""


def bytes_per_token(weights_bytes: int, model: str = "", context_tokens: int = 0) -> int:
    """Bytes read per token: the weights, and the KV cache where the model's shape is known."""
    shape = shape_of(model)
    return weights_bytes + (kv_bytes_per_token(shape) * context_tokens if shape else 0)


def roofline(
    rate_tps: float,
    weights_bytes: int,
    peak_bandwidth_gbps: float,
    *,
    model: str = "",
    context_tokens: int = 0,
    clock_mhz: float | None = None,
) -> Roofline | None:
    """The measured decode rate against peak bandwidth (10^9 bytes a second) over bytes per token.

    None where one of them is not above 0: then there is nothing to compare.
    """
    read_bytes = bytes_per_token(weights_bytes, model, context_tokens)
    if weights_bytes <= 0 or not 0 < rate_tps < math.inf:
        return None
    ceiling_tps = peak_bandwidth_gbps * 1e9 / read_bytes
    if not 0 < ceiling_tps < math.inf or not rate_tps / ceiling_tps < math.inf:
        return None
    at = f" at {clock_mhz:.0f} MHz" if clock_mhz else ""
    cache = ""
    if read_bytes > weights_bytes:
        cache = f" and {(read_bytes - weights_bytes) / 2**20:.0f} MiB of KV cache"
    assumption = (
        f"each token reads {weights_bytes / 2**30:.1f} GiB of weights{cache} once; "
        f"the memory moves {peak_bandwidth_gbps:.1f} GB/s at most{at}"
    )
    return Roofline(ceiling_tps, rate_tps / ceiling_tps, assumption)


MOST_ROWS = 2


def nearest(model: str, size_bytes: int | None) -> list[Neighbour]:
    """The published rows that come closest: the model itself where there is one, else those of
    about its size, each labelled as another model."""
    name = _plain(model)
    same = [row for row in REFERENCE if name.startswith(_plain(row.model))]
    found = [Neighbour(row, f"published, {row.release}") for row in same[:MOST_ROWS]]
    if found or size_bytes is None or size_bytes <= 0:
        return found
    size_mb = size_bytes / 1e6
    others = [row for row in REFERENCE if row.memory_mb]
    others.sort(key=lambda row: abs(math.log(row.memory_mb / size_mb)))
    return [
        Neighbour(row, f"another model of similar size, published, {row.release}")
        for row in others[:MOST_ROWS]
    ]


def _plain(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum() or char == ".")
