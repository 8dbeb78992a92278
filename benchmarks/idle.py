"""The cost of an idle program: processor time, bytes, memory."""

from __future__ import annotations

import contextlib
import time

from benchmarks.figures import Results
from benchmarks.plan import Plan
from benchmarks.process_cost import pss_bytes, rss_bytes
from benchmarks.programs import BARE, Program, peers
from benchmarks.session import Session, SessionError
from benchmarks.simulator import Simulator

_SETTLE_S = 12.0
"""Seconds before the measurement: the history rows are full after ten seconds."""


def measure(ours: Program | None, plan: Plan, results: Results) -> None:
    """Runs all programs at the same time, as idle programs hardly affect each other."""
    programs = [*([ours] if ours else []), BARE, *peers()]
    for _ in range(plan.runs):
        with (
            Simulator(plan.folder, decode_tps=15, tokens=20) as simulator,
            contextlib.ExitStack() as stack,
        ):
            sessions = []
            for program in programs:
                session = Session(program, simulator, plan.folder)
                stack.enter_context(session)
                try:
                    session.wait_ready()
                except SessionError as error:
                    results.note(f"idle: {error}")
                else:
                    sessions.append(session)
            time.sleep(_SETTLE_S)
            from_ns = time.perf_counter_ns()
            time.sleep(plan.idle_s)
            to_ns = time.perf_counter_ns()
            for session in sessions:
                _record(session, from_ns, to_ns, results)


def _record(session: Session, from_ns: int, to_ns: int, results: Results) -> None:
    name = session.program.name
    results.add("idle", name, "idle_cpu_pct", session.cpu_pct_between(from_ns, to_ns))
    results.add("idle", name, "idle_bytes_per_s", session.bytes_per_s_between(from_ns, to_ns))
    results.add("idle", name, "rss_start_mb", rss_bytes(session.pid) / 1e6)
    pss = pss_bytes(session.pid)
    results.add("idle", name, "pss_start_mb", None if pss is None else pss / 1e6)
