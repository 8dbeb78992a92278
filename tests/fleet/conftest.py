"""Dask makes loggers silent for the whole process; other tests get theirs back."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tui.fleet import engine

pytest.importorskip("distributed", reason="no Dask here (the extra fleet)")


@pytest.fixture(autouse=True)
def dask() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("asyncio", "tornado")]
    before = [(one, one.handlers, one.propagate, one.level) for one in loggers]
    engine.prepare()
    yield
    for one, handlers, propagates, level in before:
        one.handlers, one.propagate = handlers, propagates
        one.setLevel(level)
