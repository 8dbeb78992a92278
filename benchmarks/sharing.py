"""The cost of distributing prompts with Dask: the same short prompts sent to two simulated boards
by a bare HTTP client, by a benchmark on one board without Dask, and by a benchmark on both.

Processor time is that of the process that starts the run, from its first request to its last
answer; that of the workers on the boards is counted separately.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.figures import Results
from benchmarks.plan import Plan
from benchmarks.process_cost import cpu_ns
from benchmarks.programs import own_home
from benchmarks.simulator import REPOSITORY, Simulator

SCENARIO = "shared"
BARE, ALONE, SHARED = "bare client", "one board", "npulse"
BOARDS, TOKENS, TPS = 2, 16, 100.0
END_S = 120.0
FLAGS = ("--no-warm-up", "--cool-down=0", "--no-hash", "--ui=jsonl", "--force")


@dataclass(frozen=True, slots=True)
class Cost:
    """Figures of one way to send the prompts: seconds from the first request to the last answer,
    and processor time in ns of the sending process and of the workers."""

    wall_s: float
    cpu_ns: int
    workers_cpu_ns: int = 0


def measure(plan: Plan, results: Results) -> None:
    """Measures once for each run of the plan."""
    if importlib.util.find_spec("distributed") is None:
        results.note(f"{SCENARIO}: no Dask here (pip install 'npulse[fleet]')")
        return
    for run in range(plan.runs):
        folder = plan.folder / f"shared-{run}"
        folder.mkdir()
        (folder / "prompts.jsonl").write_text(
            "".join(
                f'{{"id": "n{at}", "prompt": "Tell me of number {at}."}}\n'
                for at in range(plan.shared_prompts)
            )
        )
        with ExitStack() as stack:
            boards = [
                stack.enter_context(Simulator(plan.folder, decode_tps=TPS, tokens=TOKENS))
                for _ in range(BOARDS)
            ]
            try:
                costs = {
                    BARE: (asyncio.run(_bare(boards, plan.shared_prompts)), BOARDS),
                    ALONE: (_alone(boards[0], folder), 1),
                    SHARED: (_shared(boards, folder), BOARDS),
                }
            except (OSError, ValueError, TimeoutError) as error:
                results.note(f"{SCENARIO}: {error}")
                continue
        _record(costs, plan.shared_prompts, results)


def _record(costs: dict[str, tuple[Cost, int]], prompts: int, results: Results) -> None:
    for name, (cost, boards) in costs.items():
        results.add(SCENARIO, name, "prompt_ms", 1000 * cost.wall_s * boards / prompts)
        results.add(SCENARIO, name, "prompt_cpu_ms", cost.cpu_ns / 1e6 / prompts)
        if cost.workers_cpu_ns:
            workers_ms = cost.workers_cpu_ns / 1e6 / prompts
            results.add(SCENARIO, name, "prompt_worker_cpu_ms", workers_ms)


async def _bare(boards: Sequence[Simulator], prompts: int) -> Cost:
    """Sends each board its next prompt after its answer, with plain HTTP."""
    left = deque(range(prompts))

    async def pull(board: Simulator, client: httpx.AsyncClient) -> None:
        while left:
            body = {
                "model": board.model,
                "messages": [{"role": "user", "content": f"Tell me of number {left.popleft()}."}],
                "max_tokens": TOKENS,
                "stream": True,
            }
            url = f"{board.url}/v1/chat/completions"
            async with client.stream("POST", url, json=body) as answer:
                async for _ in answer.aiter_bytes():
                    pass

    async with httpx.AsyncClient(timeout=END_S) as client:
        began_s, began_ns = time.monotonic(), time.process_time_ns()
        await asyncio.gather(*(pull(board, client) for board in boards))
        return Cost(time.monotonic() - began_s, time.process_time_ns() - began_ns)


def _alone(board: Simulator, folder: Path) -> Cost:
    return _run(folder, "alone", (f"--url={board.url}", f"--root={board.root}"))


def _shared(boards: Sequence[Simulator], folder: Path) -> Cost:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with ExitStack() as stack:
        workers = [
            stack.enter_context(_worker(f"b{at}", board, address, folder))
            for at, board in enumerate(boards)
        ]
        return _run(folder, "shared", ("--boards=all", f"--listen={address}"), workers)


@contextmanager
def _worker(name: str, board: Simulator, address: str, folder: Path) -> Iterator[int]:
    """Starts a worker; yields its process id."""
    place = (f"--url={board.url}", f"--root={board.root}")
    with _npulse(folder / name, "worker", f"tcp://{address}", f"--name={name}", *place) as process:
        yield process.pid


@contextmanager
def _npulse(home: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    home.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=REPOSITORY,
        env={**os.environ, **own_home(home)},
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _run(folder: Path, name: str, place: Sequence[str], workers: Sequence[int] = ()) -> Cost:
    """Runs a benchmark of the prompts and takes its start and end from its events. Raises
    ValueError if not all were answered."""
    prompts, began = folder / "prompts.jsonl", None
    limit = f"--max-tokens={TOKENS}"
    answered, end_s = 0, time.monotonic() + END_S
    wanted = prompts.read_bytes().count(b"\n")
    with _npulse(folder / name, "bench", "run", str(prompts), limit, *place, *FLAGS) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["type"] == "began" and began is None:
                began = _seen(process.pid, workers)
            answered += event["type"] == "ended" and event["request"]["status"] in ("ok", "capped")
            if answered == wanted and began is not None:
                ended = _seen(process.pid, workers)
                wall_s, own_ns, workers_ns = (b - a for a, b in zip(began, ended, strict=True))
                return Cost(wall_s, round(own_ns), round(workers_ns))
            if time.monotonic() > end_s:
                break
    raise ValueError(f"{name}: {answered} of {wanted} prompts were answered")


def _seen(pid: int, workers: Sequence[int]) -> tuple[float, int, int]:
    return time.monotonic(), cpu_ns(pid), sum(map(cpu_ns, workers))
