"""When a Textual app in a test has nothing left to do: told by its event loop, not by its CPU time.

Textual's own pilot waits in steps of 20 ms until the process has used little CPU time. On a busy
machine a process that is kept from running has used little, too, so the wait would end too early.
"""

from __future__ import annotations

import asyncio
from time import thread_time
from typing import Any

FRAME_S = 1 / 50
"""A timer due within this is a repaint on its way; later ones are clocks and blinking cursors."""


async def until_idle(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Wait until no callback is ready and no timer is due within a frame; at most ``max_sleep`` s.

    Only the loop's own time counts towards ``max_sleep``: its CPU time and what it slept on
    purpose, not the time in which a busy machine ran other processes. Stands in for
    ``textual._wait.wait_for_idle``. Work in other threads is not seen.
    """
    loop: Any = asyncio.get_running_loop()
    if min_sleep:
        await asyncio.sleep(min_sleep)
    slept_s, began_s = 0.0, thread_time()
    while slept_s + thread_time() - began_s < max_sleep:
        await asyncio.sleep(0)
        if loop._ready:
            continue
        due = [timer.when() for timer in loop._scheduled[:1] if not timer.cancelled()]
        if not due or due[0] > loop.time() + FRAME_S:
            return
        sleep_s = max(0.0, due[0] - loop.time())
        slept_s += sleep_s
        await asyncio.sleep(sleep_s)
