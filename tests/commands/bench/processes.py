"""``npulse bench`` as a process, and what it left."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.app.npulse import REPOSITORY
from tui.bench.model import records
from tui.bench.model.records import Document
from tui.bench.store import runs

FAST = ("--no-warm-up", "--no-hash", "--cool-down", "0", "--drain", "0.5")
SUITE = """
id = "mine"
shuffle = false
[[prompt]]
id = "a"
text = "One [[tokens=30]]"
max_tokens = 40
[[prompt]]
id = "b"
text = "Two [[tokens=30]]"
max_tokens = 40
[[prompt]]
id = "c"
text = "Three [[tokens=LENGTH]]"
max_tokens = 4000
"""


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tui", "bench", *with_folder(folder, arguments)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=120,
        check=False,
    )


def with_folder(folder: Path, arguments: Sequence[str]) -> list[str]:
    return [*arguments, "--folder", str(folder)]


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tui", "bench", *with_folder(folder, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=REPOSITORY,
    )


def read_until(process: subprocess.Popen[str], wanted: str) -> str:
    assert process.stdout is not None
    seen = ""
    while wanted not in seen:
        line = process.stdout.readline()
        assert line, f"it ended without {wanted!r}: {seen}"
        seen += line
    return seen


def only_run(folder: Path) -> Document:
    (run_id,) = runs.all_ids(folder)
    return records.decode((folder / run_id / "run.json").read_bytes())
