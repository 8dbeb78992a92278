"""The models of the simulated board: their rates and their memory use.

Rates and memory were measured on an Orange Pi 5 Max, except for the fields in ``estimated``. A
decode step reads every weight once, and the KV cache of the context. So its time grows linearly
with the context: ``tpot_ms = a + b * context_tokens``. ``b`` was measured for the two Qwen models
(0.057 and 0.033 ms per token of context); ``a`` follows from the rate measured at a context of 200
tokens.
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
"""Rate of reading a model file while loading, in MiB/s. An estimate for an eMMC."""

MODELS_DIR = "/srv/models"
DEFAULT_CONTEXT_TOKENS = 4096
_CONTEXT_FIELD = re.compile(r"ctx([0-9]{1,7})")
_CONTEXT_WORD = re.compile(r"-(?:16k|ctx[0-9]+)(?=\.rkllm$)")


@dataclass(frozen=True, slots=True)
class Profile:
    """One model file and its performance on the board."""

    name: str
    file_name: str
    size_mb: float
    """Size of the file in MiB, as the server gives it. An estimate, as are ``prefill_tps`` and
    ``slope_ms`` of the Gemma models."""
    memory_mb: int
    """Peak resident memory of the server with this model, in MiB (the runtime's own figure)."""
    prefill_tps: float
    decode_tps: float
    """Decode rate at a context of :data:`TYPICAL_CONTEXT_TOKENS`."""
    slope_ms: float
    """Time that each token of context adds to a decode step."""
    has_thinking: bool = False
    """Whether the model can think before it answers."""
    is_looping: bool = False
    """Whether its answers repeat themselves and never end on their own."""

    @property
    def path(self) -> str:
        """Path of the file, as the server gives it."""
        return f"{MODELS_DIR}/{self.name}/{self.file_name}"

    @property
    def context_tokens(self) -> int:
        """Context length that the model is loaded with: ``ctx<N>`` in the file name, else 4096. A
        ``16k`` in the name is ignored, as by the real server."""
        field = _CONTEXT_FIELD.search(self.file_name)
        return int(field[1]) if field else DEFAULT_CONTEXT_TOKENS

    def with_context(self, tokens: int) -> Profile:
        """The same model, with a file name for that context length."""
        return replace(self, file_name=_CONTEXT_WORD.sub(f"-ctx{tokens}", self.file_name))

    @property
    def base_ms(self) -> float:
        """Time of a decode step at an empty context: ``a`` of the formula."""
        return 1000.0 / self.decode_tps - self.slope_ms * TYPICAL_CONTEXT_TOKENS

    @property
    def load_s(self) -> float:
        """Time of loading in s, proportional to the size of the file."""
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
    ),
)
DEFAULT_PROFILE = "qwen3-4b"


def find_profile(name: str, profiles: Sequence[Profile] = PROFILES) -> Profile | None:
    """The model with this name, or with this file name with or without its extension; None without
    one."""
    for profile in profiles:
        if name in (profile.name, profile.file_name, profile.file_name.removesuffix(".rkllm")):
            return profile
    return None


@dataclass(frozen=True, slots=True)
class SimOptions:
    """Settings of one simulated board."""

    profile: Profile
    """The model loaded at the start."""
    dialect: str = "rockchipllama"
    """Which server is simulated: a name of :data:`tui.sim.server.dialects.rows.DIALECTS`."""
    port: int = 0
    decode_tps: float | None = None
    """A constant decode rate in place of the model's own."""
    prefill_tps: float | None = None
    tokens: int | None = None
    """A fixed length of all answers."""
    context_tokens: int | None = None
    """Context length of all models, put into their file names; None: as the files are named."""
    speed: float = 1.0
    seed: int = 0
    obey: float | None = None
    """Share of answers, 0 to 1, that follow simple instructions of their prompt; None: none."""
    has_tour: bool = False
    """Whether the first answers are those of :mod:`tui.sim.runtime.tour`."""
    truth: Path | None = None
    root: Path | None = None
    is_root_removed: bool = False
    """Whether to remove the tree below ``root`` at the end."""
    parent: int | None = None
    """Pid of the process whose end also ends this one."""
    faults: Faults = field(default_factory=Faults)

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """The models on the simulated disk."""
        tokens = self.context_tokens
        return PROFILES if tokens is None else tuple(p.with_context(tokens) for p in PROFILES)
