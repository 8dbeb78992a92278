"""Files of runs are read by several threads at once, also for the first time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.made import light
from tui.bench.model import records
from tui.bench.store.runs import RUN_FILE

READERS = """
import sys, threading
from pathlib import Path
from tui.bench.analysis import published_figures
from tui.bench.model import events, records, suite
from tui.bench.store import history

folder = Path(sys.argv[1])
data = (folder / "20260101T000000Z-first" / "{run_file}").read_bytes()
readers = {{
    "history": lambda: history.entries(folder),
    "records": lambda: records.decode(data),
    "suite": lambda: suite.find("prompts", None),
    "reference": published_figures.rows,
    "events": lambda: events.from_json(b'{{"type": "stage"}}'),
}}
sys.setswitchinterval(1e-6)
gate = threading.Barrier(8)
made = []

def read():
    gate.wait()
    made.append(readers[sys.argv[2]]())

threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(made))
"""


@pytest.mark.parametrize("reader", ["history", "records", "suite", "reference", "events"])
def test_a_first_read_by_eight_threads_at_once(reader: str, tmp_path: Path) -> None:
    """The library that checks the types is not safe while it works them out for the first time:
    the process would end with a segmentation fault."""
    folder = tmp_path / "20260101T000000Z-first"
    folder.mkdir()
    (folder / RUN_FILE).write_bytes(records.encode(light(1)))
    done = subprocess.run(
        [sys.executable, "-c", READERS.format(run_file=RUN_FILE), str(tmp_path), reader],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "8\n"), done.stderr
