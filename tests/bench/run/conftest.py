"""Boards that every module of runs begins for itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tui.sim.server.spawn import Simulator, spawn


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    """A fast board without a tree."""
    with spawn(["--speed", "60", "--seed", "5"]) as running:
        yield running


@pytest.fixture(scope="module")
def board() -> Iterator[Simulator]:
    """A fast board with a tree."""
    with spawn(["--speed", "60", "--seed", "5"], has_root=True) as running:
        yield running
