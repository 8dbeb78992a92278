"""A simulated server of each dialect, and the real client that asks it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import pytest

from tests.servers.edge_cases.cases import concerned
from tests.sim.simulator import truth_so_far
from tui.core.turn.last_usage import LastUsage
from tui.core.turn.turn import Turn
from tui.core.types import ChatRequest, GenerationSettings, Message
from tui.servers import models
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.connection import Connection
from tui.servers.detect import KINDS
from tui.servers.exchange import answer
from tui.sim.server.spawn import Simulator, spawn

RATE_TPS = 400.0
TIMEOUTS = PhaseTimeouts(first_byte_s=8.0, idle_s=1.5, busy_s=5.0)
PACE = ("--speed", "20", "--decode-tps", f"{RATE_TPS / 20:g}", "--prefill-tps", "400")
"""The server's own waits (a poll, a heartbeat, a load) pass twenty times as fast."""
USUAL = GenerationSettings()


def edge_case(number: int) -> pytest.MarkDecorator:
    """Runs a test in every dialect that this case concerns, a cell of the table each."""
    return pytest.mark.parametrize("cell", [(number, dialect) for dialect in concerned(number)],
                                   ids=lambda cell: f"{cell[0]}-{cell[1]}")  # fmt: skip


class Board:
    """One simulated server, with its log of the truth."""

    def __init__(self, dialect: str, simulator: Simulator, log: Path) -> None:
        self.name = dialect
        self.dialect = KINDS[dialect]
        self.url = simulator.url
        self.model: str | None = None
        self._log = log
        self._last_usage = LastUsage()

    def client(self, timeouts: PhaseTimeouts = TIMEOUTS) -> Client:
        return Client(self.url, self.dialect, timeouts)

    async def named_model(self) -> str:
        """The model to ask for: the loaded one, else the first."""
        if self.model is None:
            async with self.client() as client:
                listed = await models.list_models(client)
            self.model = next((m.name for m in listed if m.is_loaded), listed[0].name)
        return self.model

    async def request(
        self,
        prompt: str,
        settings: GenerationSettings = USUAL,
        *,
        before: Sequence[Message] = (),
        model: str | None = None,
    ) -> ChatRequest:
        name = await self.named_model() if model is None else model
        return ChatRequest(name, (*before, Message("user", prompt)), settings)

    def turn(self, request: ChatRequest) -> Turn:
        """As the dashboard makes it."""
        meaning = self.dialect.chunk_meaning
        return Turn(request, perf_counter_ns(), meaning, None, self._last_usage)

    async def ask(
        self,
        prompt: str,
        settings: GenerationSettings = USUAL,
        timeouts: PhaseTimeouts = TIMEOUTS,
        **more: Any,
    ) -> Turn:
        """One prompt to its end."""
        request = await self.request(prompt, settings, **more)
        turn = self.turn(request)
        async with self.client(timeouts) as client:
            await answer(client, request, turn)
        return turn

    def connection(self) -> Connection:
        """A connection as the dashboard has it."""
        return Connection([self.url], TIMEOUTS, search_every_s=0.05, check_every_s=0.2)

    def events(self, event: str) -> list[dict[str, Any]]:
        """Of the truth so far."""
        return [e for e in truth_so_far(self._log) if e["event"] == event]

    def true_text(self, number: int | None = None) -> str:
        """What the runtime said to the last request, or to that one."""
        tokens = self.events("token")
        wanted = max(e["request"] for e in self.events("request")) if number is None else number
        return "".join(e["text"] for e in tokens if e["request"] == wanted)


class Boards:
    """The simulated servers of a test run, each started when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, tuple[Simulator, Board]] = {}

    def __getitem__(self, dialect: str) -> Board:
        if dialect not in self._running:
            log = self._folder / f"{dialect}.jsonl"
            simulator = spawn([*PACE, "--dialect", dialect, "--truth", str(log)])
            self._running[dialect] = (simulator, Board(dialect, simulator, log))
        return self._running[dialect][1]

    def drop(self, dialect: str) -> None:
        """The next one starts anew: this one is in no state to be asked again."""
        simulator, _ = self._running.pop(dialect)
        simulator.stop()

    def close(self) -> None:
        for simulator, _ in self._running.values():
            simulator.stop()


@contextmanager
def boards(folder: Path) -> Iterator[Boards]:
    made = Boards(folder)
    try:
        yield made
    finally:
        made.close()


def marked(*faults: str, tokens: int | None = None, text: str = "Say something.") -> str:
    """A prompt that asks for these faults."""
    marks = [*(f"[[fault:{fault}]]" for fault in faults)]
    if tokens is not None:
        marks.append(f"[[tokens={tokens}]]")
    return " ".join([text, *marks])
