"""Process lifetime and priority of the simulator: signals, end of the parent, exact timers."""

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
    """Reduce the delays of timers in this process. Call it before threads start, as they inherit
    it: a thread that holds the interpreter lock must not wait for a core either.

    By default the kernel may delay a sleep by 50 µs (timer slack, PR_SET_TIMERSLACK), and a Python
    thread may hold the interpreter lock for 5 ms. With busy cores, a woken process waits for some
    ms; a real-time priority (SCHED_RR) avoids that, if this user may set it. The simulator uses
    about 0.1 ms of CPU time per token, so other programs lose little.
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

    A pidfd reports the end at once. Where pidfds are not available (old kernel, sandbox), the
    process is polled twice a second.
    """
    loop = asyncio.get_running_loop()
    try:
        fd = os.pidfd_open(parent)
    except ProcessLookupError:
        over.set()
        return
    except (OSError, AttributeError):
        while is_running(parent):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(PARENT_CHECK_S)
        over.set()
        return
    try:
        loop.add_reader(fd, over.set)
        await over.wait()
    finally:
        loop.remove_reader(fd)
        os.close(fd)
