"""Asks Linux to run this process soon after it is woken, where other programs use the processors.

From Linux 6.12 on, ``sched_runtime`` of sched_setattr(2) is how long a turn of an ordinary process
is, from 0.1 ms to 100 ms. One that asks for shorter turns interrupts others when it is woken, and
gets no larger share of the processor, so no privilege is needed. Older kernels ignore it.
"""

from __future__ import annotations

import os
import platform
import struct

TURN_NS = 100_000
"""Forwarding a chunk takes half of that."""
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""Number of the system call."""
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
"""``struct sched_attr``: size, policy, flags, nice, priority, runtime, deadline, period."""


def ask_for_short_turns() -> bool:
    """For the calling thread. False where the kernel or a service's filter of system calls refuses,
    or where another policy is set, which is left alone."""
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
