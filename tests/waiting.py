"""Waiting for a state that another task, thread or process brings about, generously.

The limits only end a test that has failed: what takes longer on a busy machine is no failure.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

LIMIT_S = 60.0


async def until(
    condition: Callable[[], object], limit_s: float = LIMIT_S, shown: object | None = None
) -> None:
    """Returns once ``condition()`` is true; fails with ``shown`` (called if callable) after the
    limit. The loop of this test goes on meanwhile."""
    end_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end_s, shown() if callable(shown) else shown
        await asyncio.sleep(0.005)


def wait_until(
    condition: Callable[[], object], limit_s: float = LIMIT_S, shown: object | None = None
) -> None:
    """``until`` for a state of another thread or process; blocks this one."""
    end_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end_s, shown() if callable(shown) else shown
        time.sleep(0.02)
