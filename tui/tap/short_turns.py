"""Asks Linux to run this process soon after a wake-up, also if other programs use all cores.

Since Linux 6.12, ``sched_runtime`` of sched_setattr(2) is the time slice of an ordinary process,
from 0.1 ms to 100 ms. A process with a shorter slice preempts others on its wake-up, without a
larger share of processor time, so no privilege is needed. Older kernels ignore it.
"""

from __future__ import annotations

import os
import platform
import struct

TURN_NS = 100_000
"""Time slice in ns; forwarding a chunk takes half of it."""
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""Number of the system call."""
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
"""``struct sched_attr``: size, policy, flags, nice, priority, runtime, deadline, period."""


def ask_for_short_turns() -> bool:
    """Sets the time slice of the calling thread. False if the kernel or a service's system call
    filter refuses it, or if the thread has another scheduling policy, which is not changed."""
    number = _SCHED_SETATTR.get(platform.machine())
    if number is None or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return False
    try:
        import ctypes
    except ImportError:  # Python can be built without it
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    size = _ATTRIBUTES.size
    attributes = _ATTRIBUTES.pack(size, os.SCHED_OTHER, 0, nice, 0, TURN_NS, 0, 0)
    return int(ctypes.CDLL(None).syscall(number, 0, attributes, 0)) == 0
