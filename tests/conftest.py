"""Property tests draw the same examples in every run, so that a failure is the change's own.

``HYPOTHESIS_PROFILE=search ./dev test`` draws new ones, to look for what nobody has seen yet.
"""

from __future__ import annotations

import gc
import os

import pytest
import textual.app
import textual.pilot
from hypothesis import settings

from tests.idle import until_idle
from tests.servers.edge_cases.table import pytest_terminal_summary

__all__ = ["pytest_terminal_summary"]

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

textual.app.wait_for_idle = textual.pilot.wait_for_idle = until_idle  # type: ignore[attr-defined]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-snapshots", action="store_true", help="take the pictures of the screens anew"
    )


def pytest_collection_finish() -> None:
    """What was collected stays to the end: looking through it for garbage again and again took a
    tenth of a worker's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
