"""Measures the time from exec to a prompt that accepts keys, also of a bare Textual app."""

from __future__ import annotations

import time

from benchmarks.figures import Results
from benchmarks.plan import Plan
from benchmarks.process_cost import cpu_ns
from benchmarks.programs import BARE, Program, peers
from benchmarks.session import SIZE
from benchmarks.simulator import Simulator
from tests.terminal.pty_terminal import PtyTerminal, TerminalTimeoutError

_KEY = "ж"
"""A letter that no program shows by itself: on the screen it proves that a key was accepted."""
_LIMIT_S = 60.0
_KEY_EVERY_S = 0.02
PAINT_BYTES = 400
"""Bytes in one read that count as the first frame; less is only a change of terminal modes."""


def _take_one(program: Program, simulator: Simulator, plan: Plan) -> dict[str, float]:
    """Measures one start. Raises TerminalTimeoutError if no key is accepted."""
    home = plan.folder / f"home-{program.name}"
    home.mkdir(parents=True, exist_ok=True)
    with PtyTerminal(
        program.command(simulator),
        size=SIZE,
        env=program.environment(home),
        cwd=home,
    ) as terminal:
        # Before the tty is in raw mode, the kernel would echo the key.
        terminal.wait_for(lambda t: t.is_raw(), _LIMIT_S, poll=0.002)
        key = _KEY.encode()
        deadline = time.monotonic() + _LIMIT_S
        seen = 0
        painted_cpu_ns: int | None = None
        next_key = time.monotonic()
        while True:
            chunks = terminal.chunks
            if painted_cpu_ns is None and any(len(c.data) > PAINT_BYTES for c in chunks):
                painted_cpu_ns = cpu_ns(terminal.process.pid)
            while seen < len(chunks) and key not in chunks[seen].data:
                seen += 1
            if seen < len(chunks):
                break
            if time.monotonic() > deadline or terminal.exit_code is not None:
                raise TerminalTimeoutError(f"no key was taken; the screen:\n{terminal.text()}")
            if time.monotonic() >= next_key:
                terminal.send(key)
                next_key = time.monotonic() + _KEY_EVERY_S
            time.sleep(0.002)
        used_ns = cpu_ns(terminal.process.pid)
        painted_ns = next((c.t_ns for c in chunks if len(c.data) > PAINT_BYTES), chunks[seen].t_ns)
        return {
            "start_ms": (chunks[seen].t_ns - terminal.started_ns) / 1e6,
            "first_paint_ms": (painted_ns - terminal.started_ns) / 1e6,
            "first_paint_cpu_ms": (painted_cpu_ns or used_ns) / 1e6,
            "start_cpu_ms": used_ns / 1e6,
        }


def measure(ours: Program | None, plan: Plan, results: Results) -> None:
    """Starts every program in turn, several times; the first start only fills the caches."""
    programs = [*([ours] if ours else []), BARE, *peers()]
    with Simulator(plan.folder, decode_tps=15, tokens=20) as simulator:
        for turn in range(plan.starts * plan.runs + 1):
            for program in list(programs):
                try:
                    taken = _take_one(program, simulator, plan)
                except (TerminalTimeoutError, OSError) as error:
                    results.note(f"start of {program.name}: {error}")
                    programs.remove(program)
                    continue
                for kind, value in taken.items() if turn else ():
                    results.add("start", program.name, kind, value)
