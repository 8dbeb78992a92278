"""The simulated board of one run: whether it is wanted, its start and its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tui.sim.server.spawn import Simulator

DemoState = Literal["none", "starting", "running"]


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """Whether to start the simulated board, and with what.

    ``only_alone``: only if no server answers on this machine.
    """

    is_wanted: bool = False
    only_alone: bool = False
    arguments: tuple[str, ...] = ()
    has_fault: bool = False
    """Whether something is wrong with it, for a user to find."""


class DemoBoard:
    """Started at most once, in the network's loop; ended with the run.

    ``problem`` says in one sentence why it did not start.
    """

    def __init__(self, options: DemoOptions) -> None:
        self._options = options
        self._simulator: Simulator | None = None
        self.state: DemoState = "none"
        self.problem: str | None = None
        self._lock = threading.Lock()
        self._is_over = False

    async def is_wanted(self, urls: Sequence[str] | None) -> bool:
        """Whether the run begins with it; ``urls`` are the servers that are meant."""
        options = self._options
        if options.is_wanted or not options.only_alone:
            return options.is_wanted
        from tui.servers.locate import find

        return await find(urls) is None

    async def start(self) -> Simulator | None:
        """Start it. None where that failed, or where the run is over already."""
        self.state = "starting"
        simulator = await asyncio.to_thread(self._spawned)
        self.state = "none" if simulator is None else "running"
        return simulator

    def _spawned(self) -> Simulator | None:
        """Blocks for some hundred milliseconds."""
        from tui.sim.server.spawn import SpawnError, spawn

        try:
            simulator = spawn(self._options.arguments, has_root=True)
        except SpawnError as error:
            self.problem = f"{error}; npulse sim shows more"
            return None
        with self._lock:
            if not self._is_over:
                self._simulator, self.problem = simulator, None
                return simulator
        simulator.stop()
        return None

    def notes(self, board_key: str, fix_key: str) -> list[str]:
        """What there is to find on it, in sentences; empty where nothing is. ``fix_key`` is that of
        the board's screen; "" where it has none."""
        if self.state != "running" or not self._options.has_fault:
            return []
        fix = [
            f"Or press {fix_key} there: npulse changes it once you say yes,",
            "compares answers before and after, and can undo it.",
        ]
        return [
            "Something is wrong with this board: send a prompt, and look",
            f"how slow it is. {board_key} tells why, with the command that helps.",
            "Run it in a second terminal while an answer is running:",
            "its rate shows how much the command helps.",
            *(fix if fix_key else ()),
        ]

    def stop(self) -> None:
        """End it, and remove its tree. From any thread."""
        with self._lock:
            self._is_over = True
            simulator, self._simulator = self._simulator, None
        if simulator is not None:
            simulator.stop()
