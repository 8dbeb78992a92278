"""The slow-down of a memory-bound program beside npulse showing an answer.

On a board the neighbour is the model: decode is bound by memory bandwidth. Here it is a process of
ours that copies a large buffer, alone on the last core; everything else runs on the other cores.
The same stream is taken by npulse, and by a bare socket while npulse is stopped, in turns
(ABBA), so a drift of the machine takes both sides alike.
"""

from __future__ import annotations

import bisect
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from benchmarks.figures import Results
from benchmarks.plan import Plan
from benchmarks.programs import Program
from benchmarks.session import Session, SessionError
from benchmarks.simulator import REPOSITORY, Simulator
from benchmarks.truth import TrueAnswer

_RATE_TPS = 3.13
_PROMPT = "[[prose]]"
_QUIET_PCT = 0.5
"""Largest spread for a valid figure; beyond it, other load on the machine dominates."""
_LEAD_S = 0.6
"""Seconds left out at both ends of an answer, so that work per answer is not counted."""


class Neighbour:
    """The copying process, and the end time of each of its copies."""

    def __init__(self, core: int | None) -> None:
        self._is_alone = core is not None
        self._copies_ns: list[int] = []
        self._cpu_ns: list[int] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.neighbour_loop"],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        if core is not None:
            os.sched_setaffinity(self._process.pid, {core})
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            at_ns, cpu_ns = map(int, line.split())
            self._cpu_ns.append(cpu_ns)
            self._copies_ns.append(at_ns)

    def copies_per_s(self, from_ns: int, to_ns: int) -> float:
        """Copies per second between the first and the last copy in this time. Raises ValueError.

        With a core to itself, per second of its own processor time, so that a short use of the
        core by another program does not count as slow memory.
        """
        copies = self._copies_ns
        first, end = bisect.bisect_left(copies, from_ns), bisect.bisect_right(copies, to_ns)
        if end - first < 3:
            raise ValueError("the neighbour made fewer than three copies")
        clock = self._cpu_ns if self._is_alone else copies
        return (end - first - 1) * 1e9 / (clock[end - 1] - clock[first])

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()


@contextlib.contextmanager
def _apart() -> Iterator[int | None]:
    """Moves this process and its later children away from the last core; yields that core."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        yield None
        return
    os.sched_setaffinity(0, cores[:-1])
    try:
        yield cores[-1]
    finally:
        os.sched_setaffinity(0, cores)


def _take_stream(simulator: Simulator, tokens: int) -> None:
    """Requests an answer and discards it at the least possible cost."""
    address = urlsplit(simulator.url)
    body = json.dumps(
        {
            "model": simulator.model,
            "messages": [{"role": "user", "content": _PROMPT}],
            "max_tokens": tokens + 64,
            "stream": True,
        }
    ).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((address.hostname or "", address.port or 80), 5) as server:
        server.settimeout(60)
        server.sendall(head.encode() + body)
        tail = b""
        while (data := server.recv(65536)) and b"[DONE]" not in tail + data:
            tail = data[-6:]


def _rate(neighbour: Neighbour, answer: TrueAnswer) -> float:
    lead_ns = int(_LEAD_S * 1e9)
    return neighbour.copies_per_s(answer.token_ns[0] + lead_ns, answer.token_ns[-1] - lead_ns)


def _pairs(
    session: Session, simulator: Simulator, neighbour: Neighbour, plan: Plan, tokens: int
) -> list[float]:
    """The slow-down in per cent, one value per pair of answers."""
    seconds = tokens / _RATE_TPS * 1.5 + 30
    found = []
    for pair in range(plan.neighbour_pairs):
        rates: dict[bool, float] = {}
        for is_ours in (False, True) if pair % 2 == 0 else (True, False):
            session.terminal.signal(signal.SIGCONT if is_ours else signal.SIGSTOP)
            if is_ours:
                answer = session.ask(_PROMPT, seconds=seconds, drain=5, has_lags=False).truth
            else:
                # Waits as in ask, so that this process does the same in both cases.
                known = len(simulator.log.answers())
                stream = threading.Thread(target=_take_stream, args=(simulator, tokens))
                stream.start()
                answer = session.wait_answer(known, seconds)
                stream.join()
            rates[is_ours] = _rate(neighbour, answer)
        session.terminal.signal(signal.SIGCONT)
        found.append((rates[False] / rates[True] - 1) * 100)
    return found


def _measure_once(ours: Program, plan: Plan, core: int | None) -> Sequence[float]:
    tokens = max(8, round((plan.neighbour_s + 2 * _LEAD_S) * _RATE_TPS))
    with (
        Simulator(plan.folder, decode_tps=_RATE_TPS, tokens=tokens) as simulator,
        Session(ours, simulator, plan.folder) as session,
    ):
        session.wait_ready()
        neighbour = Neighbour(core)
        try:
            time.sleep(1)
            return _pairs(session, simulator, neighbour, plan, tokens)
        finally:
            neighbour.close()


def measure(ours: Program | None, plan: Plan, results: Results) -> None:
    """Measures pairs of answers with and without npulse."""
    if ours is None:
        return
    found: list[float] = []
    with _apart() as core:
        if core is None:
            results.note("neighbour: one core only, so it competes for time as well as memory")
        try:
            for _ in range(plan.runs):
                found += _measure_once(ours, plan, core)
        except (SessionError, ValueError, OSError) as error:
            results.note(f"neighbour: {error}")
    for value in found:
        results.add("neighbour", ours.name, "neighbour_slowdown_pct", value)
    if len(found) >= 4:
        low, _, high = statistics.quantiles(found, n=4)
        spread = (high - low) / 2
        results.add("neighbour", ours.name, "neighbour_spread_pct", spread)
        if spread > _QUIET_PCT:
            results.note(
                f"neighbour: the pairs differ by {spread:.1f} %, more than the budget; "
                "something else used the memory of this machine meanwhile"
            )
