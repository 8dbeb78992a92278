"""The models of the simulated board: how fast each one is, and how much memory it takes.

Speeds and memory come from runs on an Orange Pi 5 Max, except where a field says that it
is an estimate. A decoding step reads every weight once and the KV cache of the context so far, so
its time is a straight line over the context: ``tpot_ms = a + b * context_tokens``. ``b`` is
measured for the two Qwen models (0.057 and 0.033 ms per token of context), ``a`` follows from the
measured rate at a context of 200 tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tui.sim.faults import Faults

TYPICAL_CONTEXT_TOKENS = 200
"""The context at which a profile decodes at ``decode_tps``."""

LOAD_MB_PER_S = 350.0
"""How fast a model file is read while it is loaded. An estimate: an eMMC gives about this."""

MODELS_DIR = "/srv/models"
DEFAULT_CONTEXT_TOKENS = 4096
_CONTEXT_FIELD = re.compile(r"ctx([0-9]{1,7})")
_CONTEXT_WORD = re.compile(r"-(?:16k|ctx[0-9]+)(?=\.rkllm$)")


@dataclass(frozen=True, slots=True)
class Profile:
    """One model file and what it does on the board."""

    name: str
    file_name: str
    size_mb: float
    """Of the file, in MiB as the server gives it. An estimate."""
    memory_mb: int
    """Peak resident memory of the server with this model, in MiB (the runtime's own figure)."""
    prefill_tps: float
    decode_tps: float
    """At a context of :data:`TYPICAL_CONTEXT_TOKENS`."""
    slope_ms: float
    """What each token of context adds to the time of a decoding step."""
    has_thinking: bool = False
    """Whether it thinks before it answers when asked to."""
    is_looping: bool = False
    """Whether its answers fall into repetition and never end by themselves."""
    estimated: tuple[str, ...] = ("size_mb",)
    """Fields that are estimates and not from a run on the board."""

    @property
    def path(self) -> str:
        """Where the server says that the file lies."""
        return f"{MODELS_DIR}/{self.name}/{self.file_name}"

    @property
    def context_tokens(self) -> int:
        """What the model is loaded with: the ``ctx<N>`` of its file name, else 4096. A ``16k`` in
        the name is not read, as by the real server."""
        field = _CONTEXT_FIELD.search(self.file_name)
        return int(field[1]) if field else DEFAULT_CONTEXT_TOKENS

    def with_context(self, tokens: int) -> Profile:
        """The same model in a file whose name asks for that context."""
        return replace(self, file_name=_CONTEXT_WORD.sub(f"-ctx{tokens}", self.file_name))

    @property
    def base_ms(self) -> float:
        """Time of a decoding step at an empty context: ``a`` of the straight line."""
        return 1000.0 / self.decode_tps - self.slope_ms * TYPICAL_CONTEXT_TOKENS

    @property
    def load_s(self) -> float:
        """How long loading takes: proportional to the size of the file."""
        return self.size_mb / LOAD_MB_PER_S


PROFILES: tuple[Profile, ...] = (
    Profile(
        name="qwen3-4b",
        file_name="Qwen3-4B-rk3588-w8a8-opt-0-hybrid-ratio-0.0-16k.rkllm",
        size_mb=4367.83,
        memory_mb=5027,
        prefill_tps=29.36,
        decode_tps=3.13,
        slope_ms=0.057,
        has_thinking=True,
    ),
    Profile(
        name="qwen3-0.6b",
        file_name="Qwen3-0.6B-rk3588-w8a8-opt-0-hybrid-ratio-0.0-16k.rkllm",
        size_mb=756.31,
        memory_mb=890,
        prefill_tps=248.9,
        decode_tps=15.59,
        slope_ms=0.033,
        has_thinking=True,
    ),
    Profile(
        name="gemma3-1b",
        file_name="gemma-3-1b-it-rk3588-w8a8-opt-0-hybrid-ratio-0.0-ctx4096.rkllm",
        size_mb=1130.56,
        memory_mb=1243,
        prefill_tps=190.0,
        decode_tps=13.50,
        slope_ms=0.02,
        estimated=("size_mb", "prefill_tps", "slope_ms"),
    ),
    Profile(
        name="gemma3-270m",
        file_name="gemma-3-270m-it-rk3588-w8a8-opt-0-hybrid-ratio-0.0-ctx4096.rkllm",
        size_mb=498.22,
        memory_mb=602,
        prefill_tps=620.0,
        decode_tps=29.80,
        slope_ms=0.01,
        is_looping=True,
        estimated=("size_mb", "prefill_tps", "slope_ms"),
    ),
)
DEFAULT_PROFILE = "qwen3-4b"


def find_profile(name: str, profiles: Sequence[Profile] = PROFILES) -> Profile | None:
    """The model that a server finds under this name: its name, or its file name with or without
    the ending."""
    for profile in profiles:
        if name in (profile.name, profile.file_name, profile.file_name.removesuffix(".rkllm")):
            return profile
    return None


@dataclass(frozen=True, slots=True)
class SimOptions:
    """Settings of one simulated board."""

    profile: Profile
    """The model that is loaded at the start."""
    dialect: str = "rockchipllama"
    """Which server is simulated: a name of :data:`tui.sim.server.dialects.rows.DIALECTS`."""
    port: int = 0
    decode_tps: float | None = None
    """A constant rate instead of the model's own."""
    prefill_tps: float | None = None
    tokens: int | None = None
    """A fixed length of every answer."""
    context_tokens: int | None = None
    """What every model is loaded with, by the name of its file; None: as its file is named."""
    speed: float = 1.0
    seed: int = 0
    obey: float | None = None
    """The share of answers that follow simple instructions of their prompt; None: none tries."""
    truth: Path | None = None
    root: Path | None = None
    is_root_removed: bool = False
    """Whether the tree below ``root`` is removed at the end."""
    parent: int | None = None
    """The process whose end also ends this one."""
    faults: Faults = field(default_factory=Faults)

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """The models on the disk."""
        tokens = self.context_tokens
        return PROFILES if tokens is None else tuple(p.with_context(tokens) for p in PROFILES)
