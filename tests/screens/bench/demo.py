"""Look at the bench screens beside a simulated board:
``python -m tests.screens.bench.demo FOLDER [--speed X] [--suites DIR] [--ascii]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.screens.bench.app import BenchApp
from tui.bench.session.process import BenchPlace
from tui.bench.session.session import Benchmarks
from tui.core.types import GenerationSettings
from tui.servers.loop import EventLoopThread
from tui.sim.server.spawn import spawn


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--speed", default="20")
    parser.add_argument("--suites", type=Path)
    parser.add_argument("--ascii", action="store_true")
    parser.add_argument("--theme", default="npulse-dark")
    chosen = parser.parse_args()
    loop = EventLoopThread()
    loop.start()
    with spawn(["--speed", chosen.speed], has_root=True) as board:
        place = BenchPlace(
            board.url,
            "RockchipLlama :8021",
            "qwen3-4b",
            context_tokens=16_384,
            root=board.root,
            is_simulated=True,
        )
        desk = Benchmarks(
            loop,
            lambda: place,
            GenerationSettings,
            folder=chosen.folder,
            user_suites=chosen.suites or chosen.folder,
            run_arguments=["--cool-down=0"],
        )
        BenchApp(desk, theme=chosen.theme, is_ascii=chosen.ascii).run()
    loop.stop()


if __name__ == "__main__":
    main()
