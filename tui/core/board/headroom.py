"""RAM that a model needs, whether it fits, and the trend of free RAM.

A model needs its weights plus 5 % for the runtime, and a KV cache of
``2 x layers x kv_heads x head_dim x bytes per value`` for each token of its context. Whether the
runtime reserves the whole cache at once, and in which type, is not documented; the need is
therefore what it takes at most.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tui.core.board.model_shape import ModelShape, shape_of
from tui.core.types import ModelInfo

RUNTIME_FACTOR = 1.05
KV_VALUE_BYTES = 2
"""An fp16 cache. An int8 cache takes half."""
UNKNOWN_KV_BYTES_PER_TOKEN = 192 << 10
"""What is kept free for the cache of a model of unknown shape: grouped heads take less up to 14e9
weights, so a model that is called fitting does fit."""
USUAL_CONTEXT_TOKENS = 4096
RESERVE_BYTES = 512 << 20
"""What the rest of the system should keep: below it the kernel starts to push programs out."""

Fit = Literal["fits", "tight", "too large", "unknown"]

SLOPE_SECONDS = 45.0
"""Time constant of the slope: a moving average over about this long."""
SETTLED_SECONDS = 10.0
MAX_GAP_SECONDS = 15.0
WARN_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Need:
    """What a model takes of RAM. ``kv_bytes`` is None where its shape is not known."""

    weights_bytes: int
    kv_bytes: int | None
    context_tokens: int | None

    @property
    def total_bytes(self) -> int:
        """Weights with the runtime's share, and the whole KV cache as far as it is known."""
        return round(self.weights_bytes * RUNTIME_FACTOR) + (self.kv_bytes or 0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model fits, before it is loaded, with one sentence that says why."""

    fit: Fit
    sentence: str


def kv_bytes_per_token(shape: ModelShape, value_bytes: int = KV_VALUE_BYTES) -> int:
    """Bytes of KV cache that each token of context takes (keys and values)."""
    return 2 * shape.layers * shape.kv_heads * shape.head_dim * value_bytes


def need_of(
    weights_bytes: int,
    context_tokens: int | None,
    shape: ModelShape | None,
    value_bytes: int = KV_VALUE_BYTES,
) -> Need:
    """What a model of that size needs at that context."""
    if shape is None or context_tokens is None:
        return Need(weights_bytes, None, context_tokens)
    kv_bytes = kv_bytes_per_token(shape, value_bytes) * context_tokens
    return Need(weights_bytes, kv_bytes, context_tokens)


def verdict(
    name: str,
    size_bytes: int | None,
    context_tokens: int | None,
    available_bytes: int | None,
    freed_bytes: int = 0,
) -> Verdict:
    """Whether the model ``name`` may be loaded now. ``freed_bytes`` is what unloading the present
    model gives back first, at least its weights."""
    if size_bytes is None or available_bytes is None:
        missing = "the size of the model" if size_bytes is None else "the free RAM"
        sentence = f"Whether it fits is unknown, because {missing} is not known."
        return Verdict("unknown", sentence)
    need = need_of(size_bytes, context_tokens, shape_of(name))
    left = available_bytes + freed_bytes - need.total_bytes
    parts = f"needs up to {_gib(need.total_bytes)} ({_gib(size_bytes)} of weights"
    parts += f", {_gib(need.kv_bytes)} of KV cache)" if need.kv_bytes is not None else ")"
    free = f"{_gib(available_bytes + freed_bytes)} are free"
    if freed_bytes:
        free += " once the loaded one is gone"
    # The weights alone decide what cannot work; the cache may turn out smaller than its bound.
    without_cache = available_bytes + freed_bytes - round(size_bytes * RUNTIME_FACTOR)
    if without_cache < 0:
        sentence = f"It does not fit: it {parts}, {free}."
        return Verdict("too large", sentence)
    if left < RESERVE_BYTES + _unknown_cache(need):
        cache = "" if need.kv_bytes is not None else " without a KV cache of unknown size"
        sentence = f"It may not fit: it {parts}{cache}, {free}."
        return Verdict("tight", sentence)
    return Verdict("fits", f"It fits: it {parts}, {free}.")


def fit_of(model: ModelInfo, models: Iterable[ModelInfo], available_bytes: int | None) -> Verdict:
    """Whether a model may be loaded now. ``models`` are those of its server: most servers hold one
    at a time, so that the loaded one goes first. ``available_bytes`` are free where it runs."""
    if model.is_loaded:
        return Verdict("fits", "It is loaded.")
    freed = next((one.size_bytes or 0 for one in models if one.is_loaded), 0)
    return verdict(model.name, model.size_bytes, model.context_tokens, available_bytes, freed)


def free_words(available_bytes: int) -> str:
    """How much RAM is free, how that is known, and what a model is held against it with."""
    return (
        f"{_gib(available_bytes)} of RAM free (MemAvailable); needed: the file, 5 %, the KV cache"
    )


def _unknown_cache(need: Need) -> int:
    """Bytes to keep for a cache that ``need`` does not hold."""
    if need.kv_bytes is not None:
        return 0
    return UNKNOWN_KV_BYTES_PER_TOKEN * (need.context_tokens or USUAL_CONTEXT_TOKENS)


class HeadroomTrend:
    """Follows MemAvailable: its slope, and when it would reach the reserve.

    Feed it every sample. The slope is an exponentially weighted average over about 45 seconds and
    is only told once ten seconds were seen without a gap.
    """

    def __init__(self) -> None:
        self._available: float | None = None
        self._t_ns = 0
        self._since_ns = 0
        self._slope = 0.0

    def feed(self, t_ns: int, available_bytes: float | None) -> None:
        """One more sample; a gap, or time that does not advance, starts anew."""
        before, self._available = self._available, available_bytes
        seconds = (t_ns - self._t_ns) / 1e9
        self._t_ns = t_ns
        if available_bytes is None or before is None or not 0 < seconds <= MAX_GAP_SECONDS:
            self._since_ns, self._slope = t_ns, 0.0
            return
        weight = 1 - math.exp(-seconds / SLOPE_SECONDS)
        self._slope += weight * ((available_bytes - before) / seconds - self._slope)

    @property
    def slope_bytes_per_s(self) -> float | None:
        """How fast free RAM changes; None before that can be told.

        The average starts at 0 and would be too small at first; it is corrected for the weight
        that it has collected so far.
        """
        seconds = (self._t_ns - self._since_ns) / 1e9
        if self._available is None or seconds < SETTLED_SECONDS:
            return None
        return self._slope / (1 - math.exp(-seconds / SLOPE_SECONDS))

    @property
    def exhaustion_s(self) -> float | None:
        """Seconds until free RAM reaches the reserve at this slope; None if it does not shrink,
        0 when it is there."""
        if self._available is None:
            return None
        room = self._available - RESERVE_BYTES
        if room <= 0:
            return 0.0
        slope = self.slope_bytes_per_s
        # A system breathes by some MiB a minute; that is no trend.
        if slope is None or slope > -(1 << 18):
            return None
        return room / -slope

    def warning(self) -> str | None:
        """One sentence long before the kernel would kill, else None."""
        seconds = self.exhaustion_s
        if seconds is None or self._available is None or seconds > WARN_SECONDS:
            return None
        if seconds == 0:
            return f"RAM is nearly used up: {_gib(self._available)} are free."
        slope = self.slope_bytes_per_s or 0.0
        return (
            f"RAM runs out in about {_minutes(seconds)}: {_gib(self._available)} are free, "
            f"{-slope * 60 / 2**20:.0f} MiB less every minute."
        )


def _gib(value_bytes: float) -> str:
    return f"{value_bytes / 2**30:.1f} GiB"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
