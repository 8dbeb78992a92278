"""Keeps the exported metrics up to date in a thread; a scrape only formats them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tui.board.sampler import Sampler
from tui.core.board.reading import Snapshot
from tui.exporter.board_metrics import board_families
from tui.exporter.request_metrics import RequestMetrics
from tui.exporter.server_metrics import SeenServers, server_families
from tui.history import client_requests
from tui.history.database import reading_from
from tui.history.ended_requests import EndedRequest, EndedRequests, is_own
from tui.history.failures import HistoryError
from tui.history.running_answers import receiving

SERVERS_EVERY_S = 15.0
STALE_SAMPLES = 3
"""After this many missed samples, the last readings are no longer exported."""
MAX_GAP_S = 10.0
"""Longest time between two samples that is counted as busy time."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the metrics come from. ``look_at_servers`` takes what it found before."""

    root: Path
    history: Path
    look_at_servers: Callable[[SeenServers], SeenServers]
    on_ended: Callable[[EndedRequest], None] = lambda request: None
    """Called with each answer that has ended, for export by OTLP."""


class BusySeconds:
    """Busy time of each NPU core: its load integrated over time."""

    def __init__(self) -> None:
        self._totals_s: list[float] = []
        self._last_ns: int | None = None

    def add(self, snapshot: Snapshot) -> None:
        """One more sample; a long gap counts as nothing."""
        loads = snapshot.numbers("npu.load")
        since_s = 0.0 if self._last_ns is None else (snapshot.t_ns - self._last_ns) / 1e9
        self._last_ns = snapshot.t_ns
        self._totals_s += [0.0] * (len(loads) - len(self._totals_s))
        if 0 < since_s <= MAX_GAP_S:
            for core, load in enumerate(loads):
                self._totals_s[core] += since_s * (load or 0.0) / 100

    def family(self) -> Metric:
        """``npulse_npu_busy_seconds_total``; without samples where no load can be read."""
        family = CounterMetricFamily(
            "npulse_npu_busy_seconds",
            "Time that an NPU core has computed since the exporter's start, from its load.",
            labels=["core"],
        )
        for core, total_s in enumerate(self._totals_s):
            family.add_metric([str(core)], total_s)
        return family


class Exporter(Collector):
    """Board, servers and answers in one registry.

    :meth:`update` reads what is due, in one thread; :meth:`text` is for any thread.
    """

    def __init__(self, sources: Sources, interval_s: float) -> None:
        # A time of birth beside each series doubles the text, and Prometheus reads none.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.requests = RequestMetrics(self.registry)
        self._sources = sources
        self._interval_s = interval_s
        self._sampler = Sampler(sources.root, interval_s=interval_s)
        self._ended = EndedRequests(time.time_ns() // 1_000_000)
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._text: bytes | None = None
        """Made by the first scrape after an update, for all until the next one."""
        self._busy = BusySeconds()
        self._servers = SeenServers()
        self._servers_due_s = 0.0
        self.problem: str | None = None
        """Why the history cannot be read, in one sentence."""
        self.registry.register(self)

    def update(self) -> None:
        """Read the board and the history, and every 15 s look at the servers."""
        snapshot = self._sampler.sample()
        ended, running = self._read_history()
        with self._lock:
            self._text = None
            self._snapshot = snapshot
            self._busy.add(snapshot)
            for answer in ended:
                self.requests.observe(answer)
            if running is not None:
                self.requests.set_running(running)
        for answer in ended:
            self._sources.on_ended(answer)
        if time.monotonic() >= self._servers_due_s:
            seen = self._sources.look_at_servers(self._servers)
            self._servers_due_s = time.monotonic() + SERVERS_EVERY_S
            with self._lock:
                self._text = None
                self._servers = seen

    def _read_history(self) -> tuple[list[EndedRequest], int | None]:
        if not self._sources.history.exists():
            return [], None
        try:
            with reading_from(self._sources.history) as connection:
                ended = self._ended.look(connection)
                running = sum(one.is_alive for one in receiving(connection))
                running += sum(not is_own(one) for one in client_requests.running(connection))
        except HistoryError as error:
            self.problem = str(error)
            return [], None
        self.problem = None
        return ended, running

    def collect(self) -> Iterator[Metric]:
        """The metrics of the last update, for the registry."""
        snapshot = self._snapshot
        if snapshot is not None:
            yield GaugeMetricFamily(
                "npulse_sample_timestamp_seconds", "When the board was read.", snapshot.time
            )
            age_s = (time.perf_counter_ns() - snapshot.t_ns) / 1e9
            if age_s <= STALE_SAMPLES * self._interval_s + 1:
                yield from board_families(snapshot)
        yield self._busy.family()
        yield from server_families(self._servers)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        with self._lock:
            if self._text is None:
                self._text = generate_latest(self.registry)
            return self._text

    def close(self) -> None:
        """Close the board's files."""
        self._sampler.close()
