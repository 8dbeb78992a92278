"""Connects a run and its boards: the scheduler, the wait for other runs there, workers over ssh."""

from __future__ import annotations

import asyncio
import getpass
import os
import platform
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from tui.bench.model.events import StageChanged
from tui.bench.run.connect import SetupError
from tui.bench.run.ledger import Ledger
from tui.bench.run.preparation import stage
from tui.bench.store.controls import Controls
from tui.core.text.sanitize import clean_line
from tui.fleet import engine
from tui.fleet.engine import EngineError, FleetClient
from tui.fleet.ssh_workers import SshWorkers
from tui.remote.address import BoardAddress
from tui.remote.ssh import SYSTEM_SSH, SshOptions

LOOK_S = 0.25
RELEASE_S = 2.0
OPENS = (
    "anyone who can reach that port can run any program as you, on this machine and on every board "
    "that joins, because Dask runs whatever is sent to its scheduler"
)


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """Which boards take part and how they connect.

    ``ssh``: boards whose workers are started over ssh. ``wanted``: names of the boards to use
    (None: all that join). ``scheduler``: address of a running scheduler; without it this process is
    the scheduler and listens at ``listen`` (host, port; 0 takes a free one). ``wait_s``: how many
    seconds a run waits while no board is ready.
    """

    ssh: tuple[BoardAddress, ...] = ()
    wanted: frozenset[str] | None = None
    scheduler: str | None = None
    listen: tuple[str, int] = ("127.0.0.1", 0)
    is_public: bool = False
    """Whether other machines are to reach ``listen``."""
    wait_s: float = 120.0
    ssh_options: SshOptions = SYSTEM_SSH


class FleetConnection:
    """Opens and closes the scheduler, the run's connection to it and the workers over ssh.
    ``on_problem`` is called with (board, address, sentence) for a board that ssh does not reach."""

    def __init__(
        self,
        fleet: FleetPlan,
        ledger: Ledger,
        controls: Controls,
        on_problem: Callable[[str, str, str], None],
    ) -> None:
        self._fleet = fleet
        self._ledger = ledger
        self._controls = controls
        self._on_problem = on_problem

    @asynccontextmanager
    async def opened(self, what: str) -> AsyncIterator[FleetClient]:
        """Waits until no other run uses the scheduler; yields the connection to it. Raises
        SetupError. ``what`` is shown to other runs that wait."""
        scheduler = None
        address = self._fleet.scheduler
        if address is None:
            scheduler = await self._hosted()
            address = str(scheduler.address)
            if self._fleet.is_public:
                self._ledger.note(f"Listening at {address}: {OPENS}.")
        try:
            async with self._connected(address) as client:
                turn = None
                if scheduler is None:
                    turn = await self._turn(client, f"{what} of {who()}")
                over_ssh = SshWorkers(
                    self._fleet.ssh,
                    engine.host_and_port(address),
                    self._on_problem,
                    self._fleet.ssh_options,
                )
                over_ssh.start()
                try:
                    yield client
                finally:
                    if turn is not None and client.is_connected:
                        with suppress(asyncio.TimeoutError, OSError):
                            await asyncio.wait_for(turn.release(), RELEASE_S)
                    await over_ssh.close()
        finally:
            if scheduler is not None:
                await scheduler.close()

    @asynccontextmanager
    async def _connected(self, address: str) -> AsyncIterator[FleetClient]:
        try:
            client = await FleetClient.connected(address)
        except EngineError as error:
            raise SetupError("unreachable", f"{error}.") from None
        try:
            yield client
        finally:
            await client.close()

    async def _hosted(self) -> engine.SchedulerHandle:
        """Starts a scheduler. While the port is in use, probably by another run, it waits."""
        host, port = self._fleet.listen
        has_told = False
        while True:
            try:
                return await engine.hosted_scheduler(host, port)
            except EngineError as error:
                if not port or not error.is_in_use:
                    raise SetupError("failed", f"{error}.") from None
            if not has_told:
                has_told = True
                sentence = (
                    f"Another program listens at {host}:{port}. If it is another run of this "
                    "fleet, this one begins when that has ended; Ctrl+C leaves."
                )
                await stage(self._ledger, "queue", sentence)
            await self._pause(1.0)

    async def _turn(self, client: FleetClient, what: str) -> engine.Turn:
        """Waits for other runs that use the same scheduler. Raises SetupError."""

        def waits(holder: str) -> None:
            sentence = f"Waiting for another run on these boards: {holder}. Ctrl+C leaves."
            self._ledger.emit(StageChanged(stage="queue", sentence=sentence))

        taking = asyncio.create_task(client.take_turn(what, waits))
        try:
            while not taking.done():
                await asyncio.wait((taking,), timeout=LOOK_S)
                await self._ledger.flush()
                self._check()
                if not client.is_connected:
                    raise SetupError("unreachable", "The connection to the scheduler was lost.")
        finally:
            if not taking.done():
                taking.cancel()
        return taking.result()

    async def _pause(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self._check()
            await asyncio.sleep(min(LOOK_S, seconds))

    def _check(self) -> None:
        if self._controls.is_aborted:
            raise SetupError("aborted", "Ended while it waited for another run.")


def who() -> str:
    """``user@host`` of this run, shown to other runs that wait for it."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = str(os.getuid())
    return clean_line(f"{user}@{platform.node()}", 60)
