"""Deadlines that move, limits that keep cancellations, and how late the loop is."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.waiting import until
from tui.servers.loop_lag import LagProbe
from tui.servers.time_limit import OutOfTimeError, within
from tui.servers.watchdog import Watchdog


@pytest.mark.timing
async def test_a_deadline_that_keeps_moving_does_not_pass() -> None:
    fired: list[float] = []
    watchdog = Watchdog(lambda: fired.append(time.monotonic()))
    watchdog.expire_in(0.6)
    for _ in range(8):
        await asyncio.sleep(0.1)
        watchdog.expire_in(0.6)
    assert fired == []
    last = time.monotonic()
    await until(lambda: fired)
    assert fired[0] - last > 0.5
    await asyncio.sleep(0.1)
    assert len(fired) == 1


async def test_a_deadline_can_come_closer() -> None:
    fired: list[bool] = []
    watchdog = Watchdog(lambda: fired.append(True))
    watchdog.expire_in(3600)
    watchdog.expire_in(0.05)
    await until(lambda: fired)


async def test_a_cancelled_one_never_fires() -> None:
    fired: list[bool] = []
    watchdog = Watchdog(lambda: fired.append(True))
    watchdog.expire_in(0.05)
    watchdog.cancel()
    watchdog.cancel()
    await asyncio.sleep(0.2)
    assert fired == []


@pytest.mark.timing
async def test_silence_while_we_did_not_run_ourselves_is_not_held_against_the_server() -> None:
    fired: list[bool] = []
    watchdog = Watchdog(lambda: fired.append(True))
    watchdog.expire_in(0.1)
    time.sleep(1.5)  # noqa: ASYNC251  as if the process had been stopped
    await asyncio.sleep(0.05)
    assert fired == [], "what arrived meanwhile must be read first"
    await until(lambda: fired)


async def test_within() -> None:
    async def quick() -> int:
        return 7

    async def fails() -> None:
        raise KeyError("mine")

    cleaned = []

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    assert await within(20, quick()) == 7
    with pytest.raises(KeyError):
        await within(20, fails())
    with pytest.raises(OutOfTimeError):
        await within(0.05, slow())
    assert cleaned == [True]


async def test_within_keeps_a_cancellation_that_comes_as_the_work_ends() -> None:
    ready = asyncio.Event()

    async def outer() -> None:
        while True:
            await within(20, ready.wait())

    task = asyncio.create_task(outer())
    await asyncio.sleep(0.01)
    ready.set()
    task.cancel()
    await asyncio.wait((task,), timeout=20)
    assert task.cancelled()


async def test_lag_of_a_loop_that_was_held_up() -> None:
    lags: list[float] = []
    probe = LagProbe(lags.append, every_s=0.05)
    await until(lambda: lags)
    lags.clear()
    time.sleep(0.3)  # noqa: ASYNC251  that is the point
    await until(lambda: lags)
    probe.stop()
    assert max(lags) > 100
    seen = len(lags)
    await asyncio.sleep(0.15)
    assert len(lags) == seen
