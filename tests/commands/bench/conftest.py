"""Suites, and boards to run them on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.bench.processes import SUITE
from tui.sim.server.spawn import Simulator, spawn


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with spawn(["--speed", "40"]) as running:
        yield running


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(SUITE.replace("LENGTH", "30"))
    return path


@pytest.fixture
def long_suite(tmp_path: Path) -> Path:
    path = tmp_path / "long.toml"
    path.write_text(SUITE.replace("LENGTH", "200"))
    return path


@pytest.fixture
def own_sim() -> Iterator[Simulator]:
    """Ended with its test, since a board ends every answer that it has begun."""
    with spawn(["--speed", "40"]) as running:
        yield running


@pytest.fixture
def endless_suite(tmp_path: Path) -> Path:
    """Its last answer takes longer than a test does, also on a busy machine."""
    path = tmp_path / "endless.toml"
    path.write_text(SUITE.replace("LENGTH", "4000"))
    return path
