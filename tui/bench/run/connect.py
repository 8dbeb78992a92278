"""Connects to the server before a run, and makes the records of model, settings and environment."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter_ns

from tui import __version__
from tui.bench.model.conditions import Client as ClientRecord
from tui.bench.model.conditions import (
    Clock,
    Clocks,
    Config,
    Env,
    Model,
    Runtime,
    Timeouts,
)
from tui.bench.model.conditions import Server as ServerRecord
from tui.bench.model.events import Outcome
from tui.bench.model.options import GREEDY, Options
from tui.bench.model.suite import Sampling, Suite
from tui.bench.run.board_link import BoardLink
from tui.core.board.reading import Snapshot
from tui.core.text.sanitize import clean
from tui.core.types import ChatRequest, GenerationSettings, Message, ModelInfo
from tui.servers.address import is_local
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.connection_state import Server
from tui.servers.locate import NoServerError, choose_model
from tui.servers.locate_when_free import locate_when_free
from tui.servers.model_choice import chosen_model

WEEK_S = 7 * 86_400.0
ECHOES = 5
TOOL = f"npulse {__version__}"


class SetupError(Exception):
    """The run cannot begin. ``outcome`` and ``sentence`` are those of its last event."""

    def __init__(self, outcome: Outcome, sentence: str) -> None:
        super().__init__(sentence)
        self.outcome: Outcome = outcome
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Connected:
    """A connected server with its models. ``info`` is the model to be measured."""

    server: Server
    client: Client
    info: ModelInfo
    models: tuple[ModelInfo, ...]
    context_tokens: int | None
    has_to_load: bool = False
    """Whether the server has to load the model for the first request."""


async def connect(options: Options, on_wait: Callable[[str], None] | None = None) -> Connected:
    """Find the server and its model.

    With ``on_wait``, waits for a server that is too busy to be identified, and calls ``on_wait``
    with the reason, without a full stop. Raises SetupError (unreachable).
    """
    try:
        limit_s = 0.0 if on_wait is None else options.policy.busy_s
        server = await locate_when_free(
            options.urls,
            options.access,
            remembered_url=options.remembered.url,
            must_be_certain=True,
            limit_s=limit_s,
            on_wait=on_wait or (lambda _: None),
        )
    except (NoServerError, ValueError) as error:
        raise SetupError("unreachable", str(error)) from None
    # RequestRunner enforces the time limits, so the client's own are long.
    timeouts = PhaseTimeouts(
        connect_s=options.policy.connect_s,
        first_byte_s=WEEK_S,
        idle_s=WEEK_S,
        load_s=options.policy.load_s,
        busy_s=options.policy.busy_s,
    )
    client = Client(server.url, server.dialect, timeouts, server.access)
    used_last = options.remembered.model_of(server.url)
    found = await choose_model(client, server, options.model, used_last)
    listed = found.models
    if not options.model and found.choice.problem is not None:
        await client.aclose()
        raise SetupError("unreachable", found.choice.problem)
    # With a single model, the server answers with it, whether it is loaded or not.
    is_only = not found.info.name and len(listed) == 1
    info = listed[0] if is_only else found.info
    return Connected(server, client, info, listed, info.context_tokens, found.has_to_load)


async def load_default(connected: Connected) -> None:
    """Make the server load its default model, if none is loaded and none was named.

    A run must know its model. Errors are ignored: they appear again at the first request.
    """
    settings = replace(GREEDY, max_tokens=1)
    request = ChatRequest("", (Message("user", "Hi"),), settings)
    client = connected.client
    body = client.dialect.chat_body(request)
    await asyncio.gather(
        client.post(client.dialect.chat_path, body, client.timeouts.load_s), return_exceptions=True
    )


def model_problem(connected: Connected, wanted: str | None) -> str | None:
    """Why requests to the wanted model need more than its name, such as a load; None otherwise."""
    return chosen_model(connected.models, wanted, connected.server).problem


def request_settings(options: Options, suite: Suite) -> GenerationSettings:
    """The settings for all requests: the user's, or greedy ones as the suite or options require."""
    is_greedy = suite.sampling == "greedy" if options.is_greedy is None else options.is_greedy
    base = GREEDY if is_greedy else options.settings
    return replace(base, is_thinking=suite.thinking, system_prompt="")


def config_of(
    options: Options,
    suite: Suite,
    connected: Connected,
    settings: GenerationSettings,
) -> Config:
    """The record of the settings that are sent, marking those that this server ignores."""
    sampling: dict[str, float | int | str | bool | None] = {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "top_k": settings.top_k,
        "repeat_penalty": settings.repeat_penalty,
        "is_thinking": settings.is_thinking,
        "max_tokens": "per prompt",
    }
    for name in Sampling.__struct_fields__:
        # A setting in which prompts of the suite differ is "per prompt".
        own = {getattr(p.sampling, name) for p in suite.prompts if p.sampling is not None}
        if own - {None, sampling[name]}:
            sampling[name] = "per prompt"
    sources = dict.fromkeys(sampling, "sent")
    for limit in connected.server.dialect.limits:
        if limit.field in sources and not limit.is_applied:
            sources[limit.field] = "ignored"
    policy = options.policy
    return Config(
        sampling=sampling,
        sources=sources,
        thinking=suite.thinking,
        timeouts=Timeouts(
            connect_s=policy.connect_s,
            first_token_s=policy.first_min_s,
            idle_s=policy.idle_min_s,
            total_s=None,
            drain_s=policy.drain_s,
            load_s=policy.load_s,
        ),
        cache="warm pairs" if suite.kind == "cache" else "cold",
        good_ttft_ms=options.good_ttft_ms,
        good_decode_tps=options.good_decode_tps,
        quick=options.is_quick,
    )


def model_of(connected: Connected, sha256: str | None, path: Path | None) -> Model:
    """The record of the model, with the names of guessed fields."""
    info = connected.info
    guessed = []
    if info.is_quantisation_guessed:
        guessed.append("quant")
    if info.is_context_guessed:
        guessed.append("ctx")
    return Model(
        name=clean(info.name, newlines=False) or "unknown",
        file=clean(str(path.name if path else info.file_name or ""), newlines=False) or None,
        size=info.size_bytes,
        sha256=sha256,
        quant=info.quantisation,
        ctx=connected.context_tokens,
        params_source="file name" if guessed else "readback" if info.size_bytes else "unknown",
        guessed=tuple(guessed),
    )


async def round_trip_ms(client: Client) -> float | None:
    """Median round trip of five small requests in ms; None if one fails."""
    path = (*client.dialect.models.list_paths, "/")[0]
    times = []
    for _ in range(ECHOES):
        start_ns = perf_counter_ns()
        (answer,) = await asyncio.gather(client.get(path), return_exceptions=True)
        if isinstance(answer, BaseException):
            return None
        times.append((perf_counter_ns() - start_ns) / 1e6)
    return median(times)


def env_of(
    connected: Connected, board: BoardLink, snapshot: Snapshot | None, rtt_ms: float | None
) -> Env:
    """The record of board, system and server, with a reason for each missing value."""
    server = connected.server
    is_remote = board.elsewhere is not None or not is_local(server.url)
    is_beside = board.is_there and board.elsewhere is None
    is_beside = is_beside and (board.root is not None or is_local(server.url))
    client = ClientRecord(
        where="board" if is_beside else "remote" if is_remote else "unknown",
        rtt_ms=rtt_ms,
        python=platform.python_version(),
        machine=platform.machine(),
    )
    record = ServerRecord(
        name=server.name, url=board.shown_url, version=server.version, pid=board.server_pid()
    )
    if snapshot is None:
        missing = {"board": board.reason or "not sampled"}
        return Env(server=record, client=client, missing=missing)
    missing = {
        name: snapshot.get(name).reason or "no value"
        for name in ("npu.freq", "ddr.freq", "cpu.freq", "npu.load", "npu.driver", "npu.runtime")
        if snapshot.get(name).value is None
    }
    watts = snapshot.get("power.w")
    if watts.value is None:
        missing["power"] = watts.reason or "no value"
    total = snapshot.number("ram.total")
    return Env(
        board=snapshot.text("board.model"),
        soc=snapshot.text("board.soc"),
        kernel=snapshot.text("board.kernel"),
        os=_os_name() if board.is_this_machine else None,
        npu_driver=snapshot.text("npu.driver"),
        runtime=Runtime(version=snapshot.text("npu.runtime")),
        mem_total_mb=None if total is None else round(total / 2**20),
        clocks=_clocks(snapshot, board),
        power_source=watts.source if watts.value is not None else None,
        server=record,
        client=client,
        uptime_s=_uptime_s() if board.is_this_machine else None,
        missing=missing,
    )


def _clocks(snapshot: Snapshot, board: BoardLink) -> Clocks:
    wanted = board.log.targets
    cpu = tuple(
        Clock(
            name=f"cpu cluster {index}",
            gov=snapshot.text("cpu.governor"),
            target_hz=top,
            start_hz=now,
        )
        for index, (now, top) in enumerate(
            zip(snapshot.numbers("cpu.freq"), snapshot.numbers("cpu.max_freq"), strict=False)
        )
    )
    return Clocks(
        npu=_clock(snapshot, "npu", wanted.npu_hz),
        dmc=_clock(snapshot, "ddr", wanted.ddr_hz),
        cpu=cpu,
    )


def _clock(snapshot: Snapshot, name: str, target_hz: float | None) -> Clock:
    return Clock(
        name=name,
        gov=snapshot.text(f"{name}.governor"),
        target_hz=target_hz,
        start_hz=snapshot.number(f"{name}.freq"),
    )


def _os_name() -> str | None:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:
        return None


def _uptime_s() -> float | None:
    try:
        return float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
