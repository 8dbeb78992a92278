"""The cost of a board sample: all readers on the tree of a simulated board, once a second."""

from __future__ import annotations

import time

from benchmarks.figures import Results, quantile
from benchmarks.plan import Plan
from benchmarks.simulator import Simulator
from tui.board.sampler import Sampler

SAMPLES = 600
SECOND_NS = 1_000_000_000


def measure(plan: Plan, results: Results) -> None:
    """Takes samples for ten simulated minutes, so that slow readers run too."""
    for _ in range(plan.runs):
        with Simulator(plan.folder, decode_tps=15, tokens=20) as simulator:
            costs_ms, used_ns = _samples(simulator)
        results.add("sampler", "npulse", "sample_p50_ms", quantile(costs_ms, 0.5))
        results.add("sampler", "npulse", "sample_p99_ms", quantile(costs_ms, 0.99))
        results.add("sampler", "npulse", "sampling_cpu_pct", 100 * used_ns / SAMPLES / SECOND_NS)


def _samples(simulator: Simulator) -> tuple[list[float], int]:
    now_ns = time.perf_counter_ns()
    sampler = Sampler(simulator.root, clock_ns=lambda: now_ns)
    costs_ms = []
    try:
        sampler.sample()
        began_ns = time.process_time_ns()
        for _ in range(SAMPLES):
            now_ns += SECOND_NS
            from_ns = time.perf_counter_ns()
            sampler.sample()
            costs_ms.append((time.perf_counter_ns() - from_ns) / 1e6)
        return costs_ms, time.process_time_ns() - began_ns
    finally:
        sampler.close()
