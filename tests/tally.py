"""A pytest plugin: ``--tally FILE`` writes how many tests passed, failed and so on, as JSON.

``{"counts": {outcome: number}, "failed": [the names of those that failed]}``

``--only-with TEXT`` leaves out test files without that text, ``--not-with TEXT`` those that have
it: where few tests of a file are in a part, the time goes into collecting the others.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tally", metavar="FILE", help="write the number of tests of each outcome")
    parser.addoption(
        "--only-with", metavar="TEXT", default="", help="leave out files without that text"
    )
    parser.addoption("--not-with", metavar="TEXT", help="leave out files with that text")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    wanted, unwanted = config.getoption("--only-with"), config.getoption("--not-with")
    if not (wanted or unwanted) or collection_path.suffix != ".py" or not collection_path.is_file():
        return None
    source = collection_path.read_text("utf-8")
    is_left_out = wanted not in source or (unwanted is not None and unwanted in source)
    return True if is_left_out else None


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    path = config.getoption("--tally")
    if path:
        stats = terminalreporter.stats
        counts = {name: len(stats.get(name, ())) for name in OUTCOMES}
        failed = [report.nodeid for name in ("failed", "error") for report in stats.get(name, ())]
        Path(path).write_text(json.dumps({"counts": counts, "failed": failed}))
