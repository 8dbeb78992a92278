"""The forwarder asks for short turns, and keeps policy and niceness."""

from __future__ import annotations

import os

from tui.tap.short_turns import ask_for_short_turns

NICE = 3


def test_nothing_but_the_length_of_a_turn_is_changed() -> None:
    child = os.fork()
    if not child:
        code = 1
        try:
            os.nice(NICE - os.getpriority(os.PRIO_PROCESS, 0))
            before = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)
            ask_for_short_turns()
            after = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)
            code = 0 if before == after else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_another_policy_is_left_alone() -> None:
    child = os.fork()
    if not child:
        code = 1
        try:
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
            has_asked = ask_for_short_turns()
            is_kept = os.sched_getscheduler(0) == os.SCHED_BATCH
            code = 0 if is_kept and not has_asked else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
