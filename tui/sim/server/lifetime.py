"""Process lifetime of the simulator: signals, parent death, priority."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys

from tui.core.process import is_running

PARENT_CHECK_S = 0.5
_PR_SET_TIMERSLACK = 29
TIMER_SLACK_NS = 1000
REAL_TIME_PRIORITY = 1


def prepare_timing() -> None:
    """Ask for exact wake-ups of this process, as far as we may. To be called before its threads
    start, which inherit it: one that holds the interpreter must not wait for a core either.

    The kernel may delay a plain sleep by 50 us unless told otherwise, and a thread of ours may hold
    the interpreter for 5 ms. Where others keep the cores busy, a woken process waits for some
    milliseconds; a real-time priority, which root may have, puts an end to that. It takes little
    from anybody: about a tenth of a millisecond per token.
    """
    sys.setswitchinterval(0.0005)
    try:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0)
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(REAL_TIME_PRIORITY))
    except (OSError, AttributeError):
        pass  # not allowed, or not Linux: less exact on a busy machine


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
        while is_running(parent):  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(PARENT_CHECK_S)
        over.set()
        return
    try:
        loop.add_reader(fd, over.set)
        await over.wait()
    finally:
        loop.remove_reader(fd)
        os.close(fd)
