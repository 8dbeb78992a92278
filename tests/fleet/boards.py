"""Simulated boards and their workers, in processes of their own and in the test's."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.app.npulse import environment
from tests.bench.runs_of import QUICK, Told, told
from tests.sim.simulator import truth_so_far
from tui.bench.model.suite import Suite, parse
from tui.fleet.connect import FleetPlan
from tui.fleet.runner import run
from tui.fleet.worker import BoardWorker, WorkerOptions
from tui.sim.server.spawn import Simulator, spawn


@dataclass(frozen=True, slots=True)
class SimulatedBoard:
    """``answers`` tells from its truth log what it was asked, and what came of it."""

    name: str
    simulator: Simulator
    log: Path

    def finished(self) -> dict[str, int]:
        """Prompt -> tokens of those that were sent to the end; warm-ups are left out."""
        events = truth_so_far(self.log)
        gone = {e["request"] for e in events if e["event"] == "disconnect"}
        asked = {e["request"]: _words(e["prompt"]) for e in events if e["event"] == "request"}
        return {
            asked[e["request"]]: e["tokens"]
            for e in events
            if e["event"] == "finish" and e["request"] not in gone and asked[e["request"]]
        }

    def tokens(self) -> int:
        """All that it has written."""
        return sum(event["event"] == "token" for event in truth_so_far(self.log))

    def asked(self) -> list[str]:
        """The prompts that it was sent, without warm-ups."""
        asked = (e["prompt"] for e in truth_so_far(self.log) if e["event"] == "request")
        return [words for prompt in asked if (words := _words(prompt))]


def _words(prompt: str) -> str:
    """``number 7`` of the prompts of :func:`numbered`; empty for another one."""
    _, found, rest = prompt.partition("Tell me of number ")
    return f"number {rest.split('.')[0]}" if found else ""


def numbered(count: int, cap: int) -> Suite:
    """A suite of that many prompts, called n1, n2, ..."""
    text = 'id = "made"\nshuffle = false\n'
    for at in range(1, count + 1):
        text += f'[[prompt]]\nid = "n{at}"\ntext = "Tell me of number {at}."\nmax_tokens = {cap}\n'
    return parse(text.encode(), "made.toml")


@contextmanager
def simulated(
    folder: Path, count: int, *arguments: str, has_root: bool = False, first: int = 1
) -> Iterator[list[SimulatedBoard]]:
    """That many simulators, started side by side, called b1, b2, ... from ``first`` on."""

    def started(at: int) -> SimulatedBoard:
        log = folder / f"truth{at}"
        simulator = spawn([*arguments, "--truth", str(log)], has_root=has_root)
        return SimulatedBoard(f"b{at}", simulator, log)

    with ExitStack() as stack, ThreadPoolExecutor(4) as pool:
        boards = list(pool.map(started, range(first, first + count)))
        for board in boards:
            stack.enter_context(board.simulator)
        yield boards


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def start_worker(
    board: SimulatedBoard, folder: Path, port: int, *arguments: str
) -> subprocess.Popen[bytes]:
    """A real ``npulse worker``."""
    home = folder / board.name
    home.mkdir(parents=True, exist_ok=True)
    variables = {k: v for k, v in environment(home).items() if v is not None}
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tui", "worker", f"tcp://127.0.0.1:{port}"),
            *("--name", board.name, "--url", board.simulator.url, *arguments),
        ],
        stdin=subprocess.DEVNULL,
        stdout=(folder / f"{board.name}.out").open("wb"),
        stderr=subprocess.STDOUT,
        env={**os.environ, **variables},
        start_new_session=True,
    )


@contextmanager
def workers(
    boards: Sequence[SimulatedBoard], folder: Path, port: int
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A real worker for each board; those that are left are ended at the end."""
    started = [start_worker(board, folder, port) for board in boards]
    try:
        yield started
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(60)


@asynccontextmanager
async def workers_here(
    boards: Sequence[SimulatedBoard], folder: Path, port: int
) -> AsyncIterator[list[BoardWorker]]:
    """Workers in this process: twenty processes are too many for two cores."""
    made = [
        BoardWorker(
            WorkerOptions(
                f"tcp://127.0.0.1:{port}",
                board.name,
                replace(QUICK, folder=folder / board.name, urls=(board.simulator.url,)),
            ),
            lambda _: None,
        )
        for board in boards
    ]
    tasks = [asyncio.create_task(worker.run()) for worker in made]
    try:
        yield made
    finally:
        for worker in made:
            worker.stop()
        await asyncio.gather(*tasks)


async def told_by(
    suite: Suite, folder: Path, plan: FleetPlan, *, on_event: Any = None, resume: Any = None,
    controls: Any = None, **changes: Any,
) -> Told:  # fmt: skip
    """A run on many boards, and all that it told."""

    def run_suite(suite: Any, options: Any, controls: Any, *, resume: Any) -> Any:
        return run(suite, options, plan, controls, resume=resume)

    return await told(
        suite, folder, "", controls=controls, on_event=on_event, resume=resume,
        run_suite=run_suite, **changes,
    )  # fmt: skip
