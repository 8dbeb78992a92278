"""A pytest plugin: ``--tally FILE`` writes how many tests passed, failed and so on, as JSON."""

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
        counts = {name: len(terminalreporter.stats.get(name, ())) for name in OUTCOMES}
        Path(path).write_text(json.dumps(counts))
