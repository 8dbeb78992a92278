"""The loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError

import pytest

from tui.servers.loop import EventLoopThread


def test_work_runs_in_its_own_thread() -> None:
    loop = EventLoopThread()
    loop.start()
    try:

        async def where() -> int:
            await asyncio.sleep(0)
            return threading.get_ident()

        assert loop.submit(where()).result(60) != threading.get_ident()
        called = threading.Event()
        loop.call(called.set)
        assert called.wait(60)
    finally:
        loop.stop()
    assert not loop._thread.is_alive()


def test_stop_cancels_what_runs_and_lets_it_clean_up() -> None:
    loop = EventLoopThread()
    loop.start()
    cleaned = threading.Event()
    begun = threading.Event()

    async def forever() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            cleaned.set()

    future = loop.submit(forever())
    assert begun.wait(60)
    loop.stop()
    assert cleaned.is_set()
    with pytest.raises(CancelledError):
        future.result(60)


def test_after_stop() -> None:
    loop = EventLoopThread()
    loop.start()
    loop.stop()
    loop.stop()
    loop.call(print, "never")

    async def work() -> None: ...

    with pytest.raises(RuntimeError):
        loop.submit(work())


def test_a_loop_that_never_started_stops_and_takes_nothing() -> None:
    loop = EventLoopThread()
    loop.stop()
    called: list[int] = []
    loop.call(called.append, 1)
    assert called == []


def test_an_exception_is_the_futures() -> None:
    loop = EventLoopThread()
    loop.start()

    async def fails() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        loop.submit(fails()).result(60)
    loop.stop()


def test_cancelling_the_future_cancels_the_work() -> None:
    loop = EventLoopThread()
    loop.start()
    begun, ended = threading.Event(), threading.Event()

    async def forever() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    future = loop.submit(forever())
    assert begun.wait(60)
    future.cancel()
    assert ended.wait(60)
    loop.stop()
