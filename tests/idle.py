"""When a Textual app in a test has nothing left to do: told by its event loop, not by its CPU time.

Textual's own pilot waits in steps of 20 ms until the process has used little CPU time. On a busy
machine a process that is kept from running has used little, too, so the wait would end too early.
"""

from __future__ import annotations

import asyncio
from typing import Any

FRAME_S = 1 / 50
"""A timer due within this is a repaint on its way; later ones are clocks and blinking cursors."""


async def until_idle(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Wait until no callback is ready and no timer is due within a frame; at most ``max_sleep`` s.

    Stands in for ``textual._wait.wait_for_idle``. Work in other threads is not seen.
    """
    loop: Any = asyncio.get_running_loop()
    if min_sleep:
        await asyncio.sleep(min_sleep)
    end = loop.time() + max_sleep
    while loop.time() < end:
        await asyncio.sleep(0)
        if loop._ready:
            continue
        due = [timer.when() for timer in loop._scheduled[:1] if not timer.cancelled()]
        if not due or due[0] > loop.time() + FRAME_S:
            return
        await asyncio.sleep(max(0.0, due[0] - loop.time()))
