"""What ``npulse tap`` costs: how long it holds up a chunk, and processor time a chunk.

The same simulated server is read directly and through the tap, in turns (ABBA), by a bare socket
whose reads the kernel stamps: how much later the tokens come through the tap is its delay. What the
tap itself says at its end is the time from a chunk's arrival there, by the kernel, until it was
handed on. Its two processes, the one that forwards and the one that measures, are told apart.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.figures import Results, quantile
from benchmarks.plan import Plan
from benchmarks.process_cost import cpu_ns
from benchmarks.simulator import REPOSITORY, Simulator
from tui.core.kernel_clock import ANCILLARY_BYTES, ArrivalClock, enable

RATE_TPS = 200
MIN_TOKENS, MAX_TOKENS = 200, 1000
WARMING_TOKENS = 20
"""Of an answer before: then modules are loaded and the history is made."""
START_S = 20.0
_TOKEN = b'"content"'
_HELD_UP = re.compile(r"held up by ([0-9.]+) ms")


class Tap:
    """``npulse tap`` on a free port, with a home of its own. Raises RuntimeError."""

    def __init__(self, folder: Path, to: str) -> None:
        home = folder / "tap-home"
        home.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "tui", "tap", "--listen", "127.0.0.1:0", "--to", to]
        self._process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        if "listening on" not in line:
            self._process.kill()
            raise RuntimeError(f"the tap did not start: {line.strip()}")
        self.url = line.split("listening on ")[1].split(",")[0]

    def cpu_ns(self) -> tuple[int, int]:
        """Of the process that forwards, and of the one that measures."""
        pid = self._process.pid
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        measuring = sum(cpu_ns(int(child)) for child in listed)
        return cpu_ns(pid) - measuring, measuring

    def close(self) -> str:
        """Ends it; returns what it said."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.communicate(timeout=START_S)[1]


def measure(plan: Plan, results: Results) -> None:
    """An answer directly, two through the tap, one directly; once for each run."""
    tokens = MIN_TOKENS if plan.is_one_session else MAX_TOKENS
    for _ in range(plan.runs):
        with Simulator(plan.folder, decode_tps=RATE_TPS, tokens=tokens) as simulator:
            tap = Tap(plan.folder, simulator.url)
            try:
                read_answer(tap.url, WARMING_TOKENS)
                before = tap.cpu_ns()
                stamps = [read_answer(url) for url in (simulator.url, tap.url, tap.url,
                                                       simulator.url)]  # fmt: skip
                after = tap.cpu_ns()
            finally:
                said = tap.close()
            lags = [
                [(got - sent) / 1e6 for got, sent in zip(arrived, answer.token_ns, strict=False)]
                for arrived, answer in zip(stamps, simulator.log.answers()[1:], strict=True)
            ]
        direct, through = [*lags[0], *lags[3]], [*lags[1], *lags[2]]
        added_ms = quantile(through, 0.5) - quantile(direct, 0.5)
        results.add("tap", "npulse", "tap_added_p50_ms", added_ms)
        held_up = _HELD_UP.search(said)
        if held_up is not None:
            results.add("tap", "npulse", "tap_held_p99_ms", float(held_up[1]))
        for kind, since, until in zip(
            ("tap_forward_cpu_ms", "tap_measure_cpu_ms"), before, after, strict=True
        ):
            results.add("tap", "npulse", kind, (until - since) / 1e6 / len(through))


def read_answer(url: str, max_tokens: int = MAX_TOKENS) -> list[int]:
    """When each token of one answer arrived, by the kernel's clock where it stamps."""
    parts = urlsplit(url)
    message = {"role": "user", "content": "[[prose]]"}
    body = json.dumps({"messages": [message], "stream": True, "max_tokens": max_tokens}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    stamps: list[int] = []
    clock = ArrivalClock()
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=60) as sock:
        enable(sock)
        sock.sendall(head.encode() + body)
        while True:
            data, ancillary, _, _ = sock.recvmsg(1 << 16, ANCILLARY_BYTES)
            arrival = clock.read(ancillary)
            if not data:
                return stamps
            stamps += [arrival.t_ns] * data.count(_TOKEN)
