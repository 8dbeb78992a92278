"""Preparation of a board before the first request: model, gates, hash, records of conditions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tui.bench.model.conditions import Config, Env, Model
from tui.bench.model.events import GateSeen, Sampled, Stage, StageChanged
from tui.bench.model.options import Options
from tui.bench.model.suite import Suite
from tui.bench.run import connect, gates, model_file
from tui.bench.run.announce import refusal
from tui.bench.run.board_link import BoardLink
from tui.bench.run.connect import Connected, SetupError
from tui.bench.run.ledger import Ledger
from tui.core.text.sanitize import clean
from tui.core.types import GenerationSettings
from tui.servers import models


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prepared board. ``problem``: the refusal of gates that ``--force`` overruled."""

    connected: Connected
    env: Env
    model: Model
    model_path: Path | None
    config: Config
    settings: GenerationSettings
    cool_limit_c: float | None
    is_simulated: bool
    problem: str | None = None


async def prepared(
    connected: Connected, suite: Suite, options: Options, board: BoardLink, ledger: Ledger
) -> Prepared:
    """Load the model if needed, check the gates on the idle board, and make the records.

    Raises SetupError without a server or model, or if a gate refuses.
    """
    connected = await _with_model(connected, options, ledger)
    await stage(ledger, "preflight", "Sampling the idle board.")
    snapshots = await board.idle_snapshots(options.idle_samples, options.sample_s)
    seen = gates.preflight(snapshots, board.log.targets)
    for gate in seen:
        ledger.emit(GateSeen(gate=gate))
    refusals = gates.refuses(seen, strict=options.is_strict)
    if refusals and not options.is_forced:
        raise SetupError("refused", refusal(refusals))
    rtt_ms = await connect.round_trip_ms(connected.client)
    env = connect.env_of(connected, board, snapshots[-1] if snapshots else None, rtt_ms)
    path, digest = await _hashed(options, board, ledger)
    settings = connect.request_settings(options, suite)
    return Prepared(
        connected=connected,
        env=env,
        model=connect.model_of(connected, digest, path),
        model_path=path,
        config=connect.config_of(options, suite, connected, settings),
        settings=settings,
        cool_limit_c=gates.cool_limit(snapshots),
        is_simulated=connected.server.is_simulated
        or any(snapshot.text("board.simulated") is not None for snapshot in snapshots),
        problem=refusal(refusals) if refusals else None,
    )


async def stage(ledger: Ledger, name: Stage, sentence: str) -> None:
    """Emit the run's stage and flush the journal."""
    ledger.emit(StageChanged(stage=name, sentence=sentence))
    await ledger.flush()


def waiting(ledger: Ledger) -> Callable[[str], None]:
    """A function that emits the reason for waiting for a busy server."""

    def say(reason: str) -> None:
        ledger.emit(StageChanged(stage="queue", sentence=f"Waiting: {reason}."))

    return say


async def sample_forever(
    board: BoardLink, options: Options, ledger: Ledger, after: Callable[[], Awaitable[None]]
) -> None:
    """Sample the board until cancelled; ``after`` is awaited after each sample."""
    while True:
        snapshot = await board.sample()
        if snapshot is not None:
            values = dict(board.log.samples[-1].values)
            ledger.emit(Sampled(t_ns=snapshot.t_ns, values=values))
        await after()
        await asyncio.sleep(options.sample_s)


async def _with_model(connected: Connected, options: Options, ledger: Ledger) -> Connected:
    """Load the wanted model, or the default one, if it is not loaded."""
    wanted, wait = options.model, waiting(ledger)
    can_tell = connected.server.dialect.models.loaded_path is not None
    if not wanted and not connected.info.name and connected.models and can_tell:
        await stage(ledger, "load", "The server is loading its default model.")
        await connect.load_default(connected)
        await connected.client.aclose()
        return await connect.connect(options, wait)
    if not wanted or connect.model_problem(connected, wanted) is None:
        return connected
    await stage(ledger, "load", f"Loading {clean(wanted, newlines=False)}.")
    change = await models.load(connected.client, wanted)
    if not change.is_done:
        raise SetupError("unreachable", change.sentence)
    await connected.client.aclose()
    return await connect.connect(options, wait)


async def _hashed(
    options: Options, board: BoardLink, ledger: Ledger
) -> tuple[Path | None, str | None]:
    pid = board.server_pid() if board.elsewhere is None else None
    path = model_file.find(pid, board.root)
    if path is None or not options.hashes_model:
        return path, None
    await stage(ledger, "hash", f"Hashing {clean(path.name, newlines=False)}.")
    digest = await asyncio.to_thread(model_file.sha256, path, options.folder)
    return path, digest
