"""How the process ends, and what it asks of the kernel while it lives."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys

PARENT_CHECK_S = 0.5
_PR_SET_TIMERSLACK = 29
TIMER_SLACK_NS = 1000


def prepare_timing() -> None:
    """Make sleeping exact: the kernel may delay a plain sleep by 50 us unless told otherwise, and
    a thread of ours may hold the interpreter for 5 ms."""
    sys.setswitchinterval(0.0005)
    try:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0)
    except (OSError, AttributeError):
        pass  # not Linux: a little less exact


def end_on_signals(loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> None:
    """Set ``over`` on SIGTERM, SIGINT and SIGHUP."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)


async def end_with(parent: int, over: asyncio.Event) -> None:
    """Set ``over`` when the process ``parent`` ends, however it ends.

    A process descriptor says so at once. Where there is none (old kernel, sandbox) the process is
    looked for twice a second.
    """
    loop = asyncio.get_running_loop()
    try:
        fd = os.pidfd_open(parent)
    except ProcessLookupError:
        over.set()
        return
    except (OSError, AttributeError):
        while _is_alive(parent):  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(PARENT_CHECK_S)
        over.set()
        return
    try:
        loop.add_reader(fd, over.set)
        await over.wait()
    finally:
        loop.remove_reader(fd)
        os.close(fd)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
