"""The cost of each screen and dialog over a streaming answer."""

from __future__ import annotations

import time

from benchmarks.figures import Results
from benchmarks.plan import Plan
from benchmarks.programs import Program
from benchmarks.session import Session, SessionError
from benchmarks.simulator import Simulator

RATE_TPS = 3.13
OPENED_BY = {
    "help": "f1",
    "models": "f2",
    "bench": "f3",
    "history": "f4",
    "board": "f5",
    "settings": "f6",
    "lab": "f8",
    "timeline": "alt+t",
    "panel": "alt+1",
    "palette": "ctrl+p",
    "themes": "alt+v",
}
"""Screen -> the key that opens it; Esc closes each."""
SCENARIOS = ("screen-none", *(f"screen-{name}" for name in OPENED_BY))
SETTLE_S = 1.5
"""Seconds after which a screen has been drawn."""


def measure(ours: Program | None, plan: Plan, results: Results) -> None:
    """Opens one screen after the other while an answer streams."""
    if ours is None:
        return
    seconds = plan.screen_s
    tokens = round(((len(SCENARIOS) + 1) * (seconds + 2 * SETTLE_S + 1) + 10) * RATE_TPS)
    for _ in range(plan.runs):
        with (
            Simulator(plan.folder, decode_tps=RATE_TPS, tokens=tokens) as simulator,
            Session(ours, simulator, plan.folder) as session,
        ):
            try:
                session.wait_ready()
            except SessionError as error:
                results.note(f"screens: {error}")
                continue
            session.ask_for_prose(6)
            _record(session, "screen-none", seconds, results)
            for name, key in OPENED_BY.items():
                opened = _bytes_of(session, key)
                _record(session, f"screen-{name}", seconds, results)
                closed = _bytes_of(session, "escape")
                results.add(f"screen-{name}", "npulse", "screen_open_bytes", opened)
                results.add(f"screen-{name}", "npulse", "screen_close_bytes", closed)


def _bytes_of(session: Session, key: str) -> int:
    from_ns = time.perf_counter_ns()
    session.terminal.keys(key)
    time.sleep(SETTLE_S)
    return session.terminal.bytes_between(from_ns, time.perf_counter_ns())


def _record(session: Session, scenario: str, seconds: float, results: Results) -> None:
    from_ns = time.perf_counter_ns()
    time.sleep(seconds)
    to_ns = time.perf_counter_ns()
    cpu_pct = session.cpu_pct_between(from_ns, to_ns)
    bytes_per_s = session.bytes_per_s_between(from_ns, to_ns)
    results.add(scenario, "npulse", "screen_cpu_pct", cpu_pct)
    results.add(scenario, "npulse", "screen_bytes_per_s", bytes_per_s)
