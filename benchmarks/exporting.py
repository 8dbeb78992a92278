"""The cost of a scrape of ``npulse exporter``: the first one after an update, which renders the
text for a busy board and many models."""

from __future__ import annotations

import time
from functools import partial

from benchmarks.figures import Results, quantile
from benchmarks.plan import Plan
from benchmarks.simulator import Simulator
from tui.exporter.exporter import Exporter, Sources
from tui.exporter.server_metrics import look_at_servers
from tui.history.ended_requests import EndedRequest
from tui.history.records import Origin
from tui.servers.access import Access

SCRAPES = 200
MODELS = 3
"""Models that a user tries one after the other."""


def measure(plan: Plan, results: Results) -> None:
    """Measures scrapes after answers of five models on a simulated board."""
    for _ in range(plan.runs):
        with Simulator(plan.folder, decode_tps=15, tokens=20) as simulator:
            look = partial(look_at_servers, (simulator.url,), Access())
            sources = Sources(simulator.root, plan.folder / "no-history.db", look)
            exporter = Exporter(sources, interval_s=5.0)
            try:
                _answer(exporter)
                costs_ms = [_scrape_ms(exporter) for _ in range(SCRAPES)]
            finally:
                exporter.close()
        results.add("exporter", "npulse", "scrape_p50_ms", quantile(costs_ms, 0.5))
        results.add("exporter", "npulse", "scrape_p99_ms", quantile(costs_ms, 0.99))


def _answer(exporter: Exporter) -> None:
    numbers = {"ttft_ms": 1250.0, "latency_ms": 9000.0, "tokens_out": 25, "decode_tps": 3.13}
    named = {f"{name}_source": "measured" for name in ("ttft", "tokens", "decode")}
    for number in range(MODELS):
        origin = Origin(f"model-{number}", kind="RockchipLlama")
        exporter.requests.observe(EndedRequest("complete", origin, {**numbers, **named}))


def _scrape_ms(exporter: Exporter) -> float:
    exporter.update()
    from_ns = time.perf_counter_ns()
    exporter.text()
    return (time.perf_counter_ns() - from_ns) / 1e6
