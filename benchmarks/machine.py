"""The machine and the commit of the measurement, as figures are only valid with them."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from benchmarks.simulator import REPOSITORY


@dataclass(frozen=True, slots=True)
class Machine:
    """Machine and software. Unknown parts are empty."""

    processor: str
    cores: int
    memory_gb: float
    system: str
    python: str
    textual: str
    commit: str
    is_changed: bool
    """Whether the checkout had uncommitted changes."""
    date: str
    load: float
    """The one-minute load average at the start of the measurement."""

    def lines(self) -> list[str]:
        changed = ", with uncommitted changes" if self.is_changed else ""
        return [
            f"{self.processor}, {self.cores} cores, {self.memory_gb:.1f} GB, {self.system}",
            f"Python {self.python}, textual {self.textual}, load before {self.load:.2f}",
            f"commit {self.commit or 'unknown'}{changed}, {self.date}",
        ]


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model"):
                return value.strip()
    with contextlib.suppress(OSError):
        return Path("/proc/device-tree/model").read_text().rstrip("\0")
    return platform.machine()


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def describe() -> Machine:
    """The present machine and checkout."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        textual=metadata.version("textual"),
        commit=_git("rev-parse", "--short", "HEAD"),
        is_changed=bool(_git("status", "--porcelain", "--untracked-files=no")),
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        load=os.getloadavg()[0],
    )
