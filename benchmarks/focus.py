"""The cost of npulse without focus and over a slow connection: bytes, processor time, redraw."""

from __future__ import annotations

import dataclasses
import time

from benchmarks.figures import Results
from benchmarks.plan import Plan
from benchmarks.programs import Program
from benchmarks.screens import RATE_TPS
from benchmarks.session import Session, SessionError
from benchmarks.simulator import Simulator

SCENARIOS = ("unfocused", "unfocused-3", "thin-3")
FOCUS_LOST, FOCUS = b"\x1b[O", b"\x1b[I"
QUIET_S = 2.0
"""Seconds after the loss of the focus from which on nothing may be written."""
SETTLE_S = 10.0
_BACK_S = 1.0


def measure(ours: Program | None, plan: Plan, results: Results) -> None:
    """Measures without focus, idle and with a streaming answer; then over a slow connection."""
    if ours is None:
        return
    seconds = plan.screen_s
    thin = dataclasses.replace(ours, argv=(*ours.argv, "--low-bandwidth"))
    for _ in range(plan.runs):
        tokens = round((3 * seconds + 2 * SETTLE_S) * RATE_TPS)
        with Simulator(plan.folder, decode_tps=RATE_TPS, tokens=tokens) as simulator:
            try:
                with Session(ours, simulator, plan.folder) as session:
                    session.wait_ready()
                    time.sleep(SETTLE_S)
                    _record_unfocused(session, "unfocused", seconds, results)
                    session.ask_for_prose(4)
                    _record_unfocused(session, "unfocused-3", seconds, results)
                with Session(thin, simulator, plan.folder) as session:
                    session.wait_ready()
                    from_ns = time.perf_counter_ns()
                    session.ask_for_prose(4)
                    time.sleep(2 * seconds)
                    to_ns = time.perf_counter_ns()
                    spent = session.bytes_per_s_between(from_ns, to_ns)
                    results.add("thin-3", "npulse", "thin_bytes_per_s", spent)
            except SessionError as error:
                results.note(f"focus: {error}")


def _record_unfocused(session: Session, scenario: str, seconds: float, results: Results) -> None:
    session.terminal.send(FOCUS_LOST)
    time.sleep(QUIET_S)
    from_ns = time.perf_counter_ns()
    time.sleep(seconds)
    to_ns = time.perf_counter_ns()
    session.terminal.send(FOCUS)
    back_ns = time.perf_counter_ns()
    time.sleep(_BACK_S)
    first = next((c.t_ns for c in session.terminal.chunks if c.t_ns > back_ns), None)
    cpu_pct = session.cpu_pct_between(from_ns, to_ns)
    bytes_per_s = session.bytes_per_s_between(from_ns, to_ns)
    results.add(scenario, "npulse", "unfocused_bytes_per_s", bytes_per_s)
    results.add(scenario, "npulse", "unfocused_cpu_pct", cpu_pct)
    if first is not None:
        results.add(scenario, "npulse", "focus_back_ms", (first - back_ns) / 1e6)
