"""Waiting for something in another task or process, generously."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter_ns


async def until(
    condition: Callable[[], object], limit_s: float = 30.0, shown: object | None = None
) -> None:
    """Returns once ``condition()`` is true; fails with ``shown`` (called if callable) after the
    limit."""
    end_ns = perf_counter_ns() + int(limit_s * 1e9)
    while not condition():
        assert perf_counter_ns() < end_ns, shown() if callable(shown) else shown
        await asyncio.sleep(0.005)
