"""A benchmark of one prompt against a server that follows a script."""

from __future__ import annotations

from tests.bench.runs_of import suite_of
from tests.bench.scripted import Exchange

ONE = suite_of("Say something.")


def is_probe(exchange: Exchange) -> bool:
    """The stream probe comes first; it gets an honest answer unless a test is about it."""
    return exchange.number == 1
