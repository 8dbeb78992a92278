"""The cost of the fleet screen: 20 boards over a real sshd on loopback, sampled once a second.

All boards are one simulated board behind one sshd; npulse does not know, and has a connection, a
loop and a row for each. Its own processor time and that of its ssh processes are told apart; what
the other ends need is not counted.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.figures import Results
from benchmarks.plan import Plan
from benchmarks.process_cost import children, cpu_ns
from benchmarks.programs import Program
from benchmarks.simulator import Simulator
from tests.remote.sshd import SSHD, ssh_in_path, sshd
from tests.terminal.pty_terminal import PtyTerminal, TerminalTimeoutError

BOARDS = 20
CONNECT_S = 120.0
SETTLE_S = 12.0
"""Seconds after the last board has connected, so that all slow readers have sampled."""
F10 = b"\x1b[21~"


def measure(ours: Program | None, plan: Plan, results: Results) -> None:
    """Measures once for each run of the plan."""
    if ours is None:
        return
    if SSHD is None:
        results.note("fleet: no sshd here")
        return
    for run in range(plan.runs):
        folder = plan.folder / f"fleet-{run}"
        with (
            Simulator(plan.folder, decode_tps=3, tokens=100) as simulator,
            sshd(folder / "sshd", f"MaxStartups {2 * BOARDS}") as there,
        ):
            home = folder / "home"
            config = home / "config" / "npulse"
            config.mkdir(parents=True)
            board = (
                f'{{ ssh = "{there.address.shown}", server = "{simulator.url}", '
                f'root = "{simulator.root}" }}'
            )
            lines = [f"board{number:02} = {board}\n" for number in range(BOARDS)]
            (config / "config.toml").write_text("[boards]\n" + "".join(lines))
            env: dict[str, str | None] = {
                **ours.environment(home),
                "PATH": ssh_in_path(folder / "bin", there),
            }
            with PtyTerminal(
                ours.command(simulator), size=(120, 40), env=env, cwd=home
            ) as terminal:
                try:
                    terminal.wait_for("qwen3", seconds=30)
                    terminal.send(F10)
                    terminal.wait_for(_has_all, seconds=CONNECT_S)
                except TerminalTimeoutError as error:
                    results.note(f"fleet: {error}")
                    continue
                time.sleep(SETTLE_S)
                _record(terminal.process.pid, there.folder, plan.screen_s, results)


def _has_all(terminal: PtyTerminal) -> bool:
    return len(re.findall(r"board\d\d .*GiB", terminal.text())) == BOARDS


def _record(pid: int, marked: Path, seconds: float, results: Results) -> None:
    before, since_s = _costs(pid, marked), time.monotonic()
    time.sleep(seconds)
    took_s, after = time.monotonic() - since_s, _costs(pid, marked)
    for kind, first, last in zip(
        ("fleet_cpu_pct", "fleet_ssh_cpu_pct"), before, after, strict=True
    ):
        results.add("fleet", "npulse", kind, (last - first) / 1e7 / took_s)


def _costs(pid: int, marked: Path) -> tuple[int, int]:
    """(processor time of npulse without its children, of all ssh processes of this benchmark), in
    ns."""
    own = cpu_ns(pid) - sum(cpu_ns(child) for child in children(pid))
    return own, sum(map(cpu_ns, _ssh_processes(marked)))


def _ssh_processes(marked: Path) -> list[int]:
    """The ssh processes with this benchmark's configuration; a master is not a child of npulse."""
    found, mark = [], os.fsencode(marked / "ssh_config")
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if mark in path.read_bytes():
                found.append(int(path.parent.name))
    return found
