"""Benchmarks over one folder of runs, as several starts of npulse have them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui.bench.session.process import BenchPlace
from tui.bench.session.session import Benchmarks
from tui.bench.store import active_run
from tui.core.types import GenerationSettings
from tui.servers.loop import EventLoopThread
from tui.sim.server.spawn import Simulator

SUITE = """
id = "tiny"
title = "Tiny"
about = "a few short answers"
shuffle = false
[[prompt]]
id = "first"
text = "one [[tokens=30]]"
max_tokens = 64
[[prompt]]
id = "long"
text = "two [[tokens={long}]]"
max_tokens = 2048
[[prompt]]
id = "last"
text = "three [[tokens=30]]"
max_tokens = 64
"""
FLAGS = ("--cool-down=0", "--no-warm-up")


@dataclass
class Rig:
    """Desks over one folder of runs; each with a loop of its own, as each start of npulse has."""

    folder: Path
    place: BenchPlace | None
    loops: list[EventLoopThread]

    def desk(self, busy: str | None = None) -> Benchmarks:
        loop = EventLoopThread()
        loop.start()
        self.loops.append(loop)
        return Benchmarks(
            loop,
            lambda: self.place,
            GenerationSettings,
            lambda: busy,
            folder=self.folder / "runs",
            user_suites=self.folder / "suites",
            run_arguments=FLAGS,
        )

    def close(self) -> None:
        """What closing npulse does."""
        for loop in self.loops:
            loop.stop()
        self.loops.clear()

    def suite(self, *, long: int) -> str:
        path = self.folder / "suites" / "tiny.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(SUITE.replace("{long}", str(long)), "utf-8")
        return str(path)

    def pids(self) -> list[int]:
        """Runs that go on."""
        found = active_run.running(self.folder / "runs")
        return [] if found is None else [found.pid]


def place_of(board: Simulator) -> BenchPlace:
    return BenchPlace(
        board.url,
        "RockchipLlama",
        "qwen3-4b",
        context_tokens=16_384,
        root=board.root,
        is_simulated=True,
    )
