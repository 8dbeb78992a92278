"""Conditions of a run: board, server, model, settings, gates (part of schema ``bench/1``)."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import field

StreamMode = Literal["token", "character", "buffered", "unknown"]
Severity = Literal["ok", "warn", "refuse"]


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """Governor and clock of one device before the run."""

    name: str = ""
    gov: str | None = None
    target_hz: float | None = None
    """Its highest clock, which a reliable run should hold."""
    start_hz: float | None = None


class Clocks(msgspec.Struct, frozen=True, kw_only=True):
    npu: Clock = Clock()
    dmc: Clock = Clock()
    cpu: tuple[Clock, ...] = ()


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    version: str | None = None
    sha256: str | None = None


class Server(msgspec.Struct, frozen=True, kw_only=True):
    name: str | None = None
    url: str | None = None
    version: str | None = None
    pid: int | None = None


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """The machine that npulse ran on."""

    where: Literal["board", "remote", "unknown"] = "unknown"
    rtt_ms: float | None = None
    """Median round trip of five small requests."""
    python: str | None = None
    machine: str | None = None


class Env(msgspec.Struct, frozen=True, kw_only=True):
    """Board, system and server. A value that could not be read is null; ``missing`` has the
    reason."""

    board: str | None = None
    soc: str | None = None
    kernel: str | None = None
    os: str | None = None
    npu_driver: str | None = None
    runtime: Runtime = Runtime()
    mem_total_mb: float | None = None
    clocks: Clocks = Clocks()
    power_source: str | None = None
    server: Server = Server()
    client: Client = Client()
    uptime_s: float | None = None
    missing: dict[str, str] = field(default_factory=dict)


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """The model that answered. ``guessed`` names the fields that are guesses."""

    name: str
    file: str | None = None
    size: int | None = None
    sha256: str | None = None
    quant: str | None = None
    ctx: int | None = None
    npu_cores: int | None = None
    params_source: str = "unknown"
    """readback, sent, file name, or unknown."""
    guessed: tuple[str, ...] = ()


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Time limits in s; null: no limit."""

    connect_s: float | None = None
    first_token_s: float | None = None
    idle_s: float | None = None
    total_s: float | None = None
    drain_s: float | None = None
    load_s: float | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the run, and the source of each."""

    sampling: dict[str, float | int | str | bool | None] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    """Key of ``sampling`` -> readback, sent, ignored, or unknown."""
    thinking: bool = False
    timeouts: Timeouts = Timeouts()
    cache: str = "unknown"
    stream_mode: StreamMode = "unknown"
    good_ttft_ms: float = 3000.0
    good_decode_tps: float = 2.0
    quick: bool = False


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """Result of one condition that is checked before the run or before a request."""

    id: str
    ok: bool
    severity: Severity
    sentence: str
    value: float | str | None = None
    limit: float | str | None = None
    unit: str = ""
    fix: str | None = field(default=None, name="mend")
    """The command or step that makes the condition true. Its key in ``bench/1`` is ``mend``."""
