"""Time limit for a coroutine that never swallows a cancellation.

``asyncio.wait_for`` of Python 3.10 and 3.11 returns normally when its work is done at the moment
of a cancellation, so that a loop around it would run on for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class OutOfTimeError(Exception):
    """The work was not done in time; it has been cancelled."""


async def within(limit_s: float, work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``. Raises :exc:`OutOfTimeError` after ``limit_s`` seconds."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait((task,), timeout=limit_s)
    finally:
        is_late = not task.done()
        if is_late:
            task.cancel()
            await asyncio.wait((task,))
    if is_late and task.cancelled():
        raise OutOfTimeError
    return task.result()
