"""A pytest plugin: ``--tally FILE`` writes how many tests passed, failed and so on, as JSON.

``{"counts": {outcome: number}, "failed": [the names of those that failed]}``
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tally", metavar="FILE", help="write the number of tests of each outcome")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    path = config.getoption("--tally")
    if path:
        stats = terminalreporter.stats
        counts = {name: len(stats.get(name, ())) for name in OUTCOMES}
        failed = [report.nodeid for name in ("failed", "error") for report in stats.get(name, ())]
        Path(path).write_text(json.dumps({"counts": counts, "failed": failed}))
